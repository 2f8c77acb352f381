import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseIpAddress } from "@futago/hal/units/address.ts";
import { instant, millis, seconds, type Instant } from "@futago/hal/units/time.ts";
import {
  activeDownInterval,
  compareAddresses,
  nextTimeout,
  skewTime,
  step,
  type Action,
  type Input,
  type State,
  type VirtualRouterConfig,
} from "./machine.ts";

const ip = (text: string) => parseIpAddress(text)!;
const at = (secondsSinceBoot: number): Instant => instant(secondsSinceBoot * 1_000_000);

/** Priority 100, one second, preempting, 192.0.2.251: skew 609,375 µs, down interval 3,609,375 µs. */
const CONFIG: VirtualRouterConfig = {
  priority: 100,
  advertisementInterval: seconds(1),
  preemptMode: true,
  primaryAddress: ip("192.0.2.251"),
};
const OWNER = { ...CONFIG, priority: 255 };
const POLITE = { ...CONFIG, preemptMode: false };

const INITIALIZE: State = { kind: "initialize" };
const BACKUP: State = { kind: "backup", activeAdverInterval: seconds(1), activeDownAt: at(10) };
const ACTIVE: State = { kind: "active", adverAt: at(10) };

const advert = (priority: number, source = "192.0.2.9", centiseconds = 100): Input => ({
  kind: "advertisement",
  priority,
  source: ip(source),
  maxAdvertiseInterval: millis(centiseconds * 10),
});
const backup = (activeAdverInterval: number, activeDownAt: number): State => ({
  kind: "backup",
  activeAdverInterval: seconds(activeAdverInterval),
  activeDownAt: instant(activeDownAt),
});
const active = (adverAt: number): State => ({ kind: "active", adverAt: instant(adverAt) });
const send = (priority: number): Action => ({ kind: "sendAdvertisement", priority });
const INSTALL: Action = { kind: "installAddresses" };
const REMOVE: Action = { kind: "removeAddresses" };
const ANNOUNCE: Action = { kind: "announce" };
const DRAIN: Action = { kind: "drainSocket" };
const TIMEOUT: Input = { kind: "timeout", drained: true };
const UNDRAINED: Input = { kind: "timeout", drained: false };

interface Row {
  readonly name: string;
  readonly config?: VirtualRouterConfig;
  readonly state: State;
  readonly input: Input;
  readonly now: number;
  readonly next: State;
  readonly actions: readonly Action[];
}

const rows: readonly Row[] = [
  {
    name: "initialize: startup of an ordinary router waits as backup [RFC9568-6.4.1-b]",
    state: INITIALIZE,
    input: { kind: "startup" },
    now: 5,
    next: backup(1, 8_609_375),
    actions: [],
  },
  {
    name: "initialize: startup of the owner is active at once [RFC9568-6.4.1-a]",
    config: OWNER,
    state: INITIALIZE,
    input: { kind: "startup" },
    now: 5,
    next: active(6_000_000),
    actions: [send(255), INSTALL, ANNOUNCE],
  },
  {
    name: "initialize: shutdown changes nothing",
    state: INITIALIZE,
    input: { kind: "shutdown" },
    now: 5,
    next: INITIALIZE,
    actions: [],
  },
  { name: "initialize: a timeout is stale", state: INITIALIZE, input: TIMEOUT, now: 5, next: INITIALIZE, actions: [] },
  {
    name: "initialize: an advertisement is not for it",
    state: INITIALIZE,
    input: advert(1),
    now: 5,
    next: INITIALIZE,
    actions: [],
  },
  {
    name: "backup: startup twice changes nothing",
    state: BACKUP,
    input: { kind: "startup" },
    now: 9,
    next: BACKUP,
    actions: [],
  },
  {
    name: "backup: shutdown is silent [RFC9568-6.4.2-f]",
    state: BACKUP,
    input: { kind: "shutdown" },
    now: 9,
    next: INITIALIZE,
    actions: [],
  },
  {
    name: "row 23: backup: the down timer takes over, advertisement first, announcement last [RFC9568-6.4.2-g]",
    state: BACKUP,
    input: TIMEOUT,
    now: 10,
    next: active(11_000_000),
    actions: [send(100), INSTALL, ANNOUNCE],
  },
  {
    name: "backup: a timeout before its time",
    state: BACKUP,
    input: TIMEOUT,
    now: 9.999999,
    next: BACKUP,
    actions: [],
  },
  {
    name: "row 25: backup: silence is believed only after the socket was drained",
    state: BACKUP,
    input: UNDRAINED,
    now: 10,
    next: BACKUP,
    actions: [DRAIN],
  },
  {
    name: "row 25: backup: an advertisement that waited while we stood still keeps it backup",
    state: BACKUP,
    input: advert(200),
    now: 60,
    next: backup(1, 63_609_375),
    actions: [],
  },
  {
    name: "row 9: backup: priority 0 starts the skew, on the learnt interval [RFC9568-6.4.2-h]",
    state: backup(2, 10_000_000),
    input: advert(0),
    now: 9,
    // 156 × 2,000,000 / 256 = 1,218,750.
    next: backup(2, 10_218_750),
    actions: [],
  },
  {
    name: "backup: a higher priority is honoured [RFC9568-6.4.2-i]",
    state: BACKUP,
    input: advert(101),
    now: 9,
    next: backup(1, 12_609_375),
    actions: [],
  },
  {
    name: "backup: an equal priority is honoured, whatever the addresses",
    state: BACKUP,
    input: advert(100, "192.0.2.1"),
    now: 9,
    next: backup(1, 12_609_375),
    actions: [],
  },
  {
    name: "row 7: backup: the active router's interval is adopted [RFC9568-6.4.2-i]",
    state: BACKUP,
    input: advert(200, "192.0.2.9", 30),
    now: 9,
    // 3 × 300,000 + 156 × 300,000 / 256 = 900,000 + 182,812.5.
    next: { kind: "backup", activeAdverInterval: millis(300), activeDownAt: instant(10_082_812) },
    actions: [],
  },
  {
    name: "backup: preempting, a lower priority is discarded [RFC9568-6.4.2-j]",
    state: BACKUP,
    input: advert(99),
    now: 9,
    next: BACKUP,
    actions: [],
  },
  {
    name: "backup: not preempting, a lower priority is honoured [RFC9568-6.4.2-i]",
    config: POLITE,
    state: BACKUP,
    input: advert(1),
    now: 9,
    next: backup(1, 12_609_375),
    actions: [],
  },
  {
    name: "row 24: backup: its own advertisement come back is nobody's",
    state: BACKUP,
    input: advert(100, "192.0.2.251"),
    now: 9,
    next: BACKUP,
    actions: [],
  },
  {
    name: "active: startup twice changes nothing",
    state: ACTIVE,
    input: { kind: "startup" },
    now: 9,
    next: ACTIVE,
    actions: [],
  },
  {
    name: "row 9: active: shutdown says priority 0 [RFC9568-6.4.3-h]",
    state: ACTIVE,
    input: { kind: "shutdown" },
    now: 9,
    next: INITIALIZE,
    actions: [send(0), REMOVE],
  },
  {
    name: "active: the advertisement timer [RFC9568-6.4.3-i]",
    state: ACTIVE,
    input: UNDRAINED,
    now: 10,
    next: active(11_000_000),
    actions: [send(100)],
  },
  { name: "active: a timeout before its time", state: ACTIVE, input: TIMEOUT, now: 9.9, next: ACTIVE, actions: [] },
  {
    name: "row 25: active: late by more than half an interval, it reads the socket before it speaks",
    state: ACTIVE,
    input: UNDRAINED,
    now: 10.500001,
    next: ACTIVE,
    actions: [DRAIN],
  },
  {
    name: "row 25: active: late, with nothing waiting, it goes on",
    state: ACTIVE,
    input: TIMEOUT,
    now: 10.500001,
    next: active(11_500_001),
    actions: [send(100)],
  },
  {
    name: "row 9: active: another's priority 0 is answered at once and the timer starts anew [RFC9568-6.4.3-j]",
    state: ACTIVE,
    input: advert(0),
    now: 9.5,
    next: active(10_500_000),
    actions: [send(100)],
  },
  {
    name: "active: a higher priority wins, its interval counts [RFC9568-6.4.3-k]",
    state: ACTIVE,
    input: advert(101, "192.0.2.9", 200),
    now: 9.5,
    // 9,500,000 + 6,000,000 + 1,218,750.
    next: backup(2, 16_718_750),
    actions: [REMOVE],
  },
  {
    name: "row 11: active: a losing advertisement is answered at once, the timer runs on [RFC9568-6.4.3-l]",
    state: ACTIVE,
    input: advert(99),
    now: 9.5,
    next: ACTIVE,
    actions: [send(100)],
  },
  {
    name: "row 12: active: the same priority and a higher address wins [RFC9568-6.4.3-k]",
    state: ACTIVE,
    input: advert(100, "192.0.2.252"),
    now: 9.5,
    next: backup(1, 13_109_375),
    actions: [REMOVE],
  },
  {
    name: "row 12: active: the same priority and a lower address loses [RFC9568-6.4.3-l]",
    state: ACTIVE,
    input: advert(100, "192.0.2.250"),
    now: 9.5,
    next: ACTIVE,
    actions: [send(100)],
  },
  {
    name: "row 12: active: IPv6 addresses compare as unsigned bytes",
    config: { ...CONFIG, primaryAddress: ip("fe80::7f") },
    state: ACTIVE,
    input: advert(100, "fe80::80"),
    now: 9.5,
    next: backup(1, 13_109_375),
    actions: [REMOVE],
  },
  {
    name: "row 24: active: its own advertisement come back is not answered",
    state: ACTIVE,
    input: advert(100, "192.0.2.251"),
    now: 9.5,
    next: ACTIVE,
    actions: [],
  },
  {
    name: "row 10: active: the owner asserts itself against everybody below [RFC9568-5.2.4-a]",
    config: OWNER,
    state: ACTIVE,
    input: advert(254),
    now: 9.5,
    next: ACTIVE,
    actions: [send(255)],
  },
];

describe("every state and every input", () => {
  test.each(rows)("$name", ({ config = CONFIG, state, input, now, next, actions }) => {
    expect(step(config, state, input, at(now))).toEqual({ state: next, actions });
  });
});

describe("figures by hand", () => {
  test("row 6: skew is exact, not cut to centiseconds [RFC9568-6.1-c]", () => {
    expect(skewTime(200, seconds(1))).toBe(218_750);
    expect(skewTime(100, millis(10))).toBe(6_093);
    expect(skewTime(255, seconds(1))).toBe(3_906);
    expect(skewTime(1, seconds(40))).toBe(39_843_750);
  });
  test("three intervals and the skew make the down interval [RFC9568-6.1-d]", () => {
    expect(activeDownInterval(200, seconds(1))).toBe(3_218_750);
    expect(activeDownInterval(1, millis(100))).toBe(399_609);
  });
  test("row 12: fe80::80 is above fe80::7f, 192.0.2.200 above 192.0.2.20", () => {
    expect(compareAddresses(ip("fe80::80"), ip("fe80::7f"))).toBeGreaterThan(0);
    expect(compareAddresses(ip("192.0.2.20"), ip("192.0.2.200"))).toBeLessThan(0);
    expect(compareAddresses(ip("10.0.0.1"), ip("10.0.0.1"))).toBe(0);
  });
  test("each state waits for its own timer", () => {
    expect(nextTimeout(INITIALIZE)).toBeUndefined();
    expect(nextTimeout(BACKUP)).toBe(10_000_000);
    expect(nextTimeout(ACTIVE)).toBe(10_000_000);
  });
});

describe("properties", () => {
  const input: fc.Arbitrary<Input> = fc.oneof(
    fc.constantFrom<Input>({ kind: "startup" }, { kind: "shutdown" }, TIMEOUT, UNDRAINED),
    fc
      .record({
        priority: fc.nat(255),
        last: fc.integer({ min: 1, max: 254 }),
        centiseconds: fc.integer({ min: 1, max: 4095 }),
      })
      .map(({ priority, last, centiseconds }) => advert(priority, `192.0.2.${last}`, centiseconds)),
  );
  const config = fc.record({
    priority: fc.integer({ min: 1, max: 255 }),
    advertisementInterval: fc.integer({ min: 1, max: 4095 }).map((centiseconds) => millis(centiseconds * 10)),
    preemptMode: fc.boolean(),
    primaryAddress: fc.constant(ip("192.0.2.251")),
  });

  test("addresses are installed exactly while active, and every armed timer lies ahead", () => {
    fc.assert(
      fc.property(config, fc.array(fc.tuple(input, fc.nat(5_000_000)), { maxLength: 60 }), (c, inputs) => {
        let state: State = INITIALIZE;
        let now = 0;
        let installed = false;
        for (const [next, wait] of inputs) {
          now += wait;
          const result = step(c, state, next, instant(now));
          for (const action of result.actions) {
            if (action.kind === "installAddresses") installed = true;
            if (action.kind === "removeAddresses") installed = false;
          }
          const changed = result.state !== state;
          state = result.state;
          expect(installed).toBe(state.kind === "active");
          const timeout = nextTimeout(state);
          expect(!changed || timeout === undefined || timeout > now).toBe(true);
        }
      }),
    );
  });

  test("of two routers that hear each other, both active, exactly one yields", () => {
    fc.assert(
      fc.property(fc.nat(253), fc.nat(253), fc.nat(254), fc.nat(254), (priorityA, priorityB, lastA, lastB) => {
        fc.pre(lastA !== lastB);
        const a = { ...CONFIG, priority: priorityA + 1, primaryAddress: ip(`192.0.2.${lastA}`) };
        const b = { ...CONFIG, priority: priorityB + 1, primaryAddress: ip(`192.0.2.${lastB}`) };
        const heardByA = step(a, ACTIVE, advert(b.priority, b.primaryAddress), at(9));
        const heardByB = step(b, ACTIVE, advert(a.priority, a.primaryAddress), at(9));
        const kinds = [heardByA.state.kind, heardByB.state.kind].toSorted();
        expect(kinds).toEqual(["active", "backup"]);
      }),
    );
  });
});
