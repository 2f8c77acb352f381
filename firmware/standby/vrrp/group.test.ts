import { describe, expect, test } from "vitest";
import { parseIpAddress } from "@futago/hal/units/address.ts";
import { instant, millis, seconds, type Instant } from "@futago/hal/units/time.ts";
import {
  effectivePriority,
  initialGroup,
  nextTimeout,
  splitSince,
  virtualRouterId,
  type GroupAction,
  type GroupConfig,
  type GroupInput,
  type GroupState,
} from "./group-state.ts";
import { step } from "./group.ts";

const ip = (text: string) => parseIpAddress(text)!;
const at = (value: number): Instant => instant(Math.round(value * 1_000_000));

const WAN = virtualRouterId("eth0", "ipv4", 10);
const LAN = virtualRouterId("eth1", "ipv4", 11);
const ADDRESS = { [WAN]: ip("10.1.0.2"), [LAN]: ip("10.2.0.2") };

const CONFIG: GroupConfig = {
  preemptMode: false,
  priority: 100,
  virtualRouters: [
    { id: WAN, advertisementInterval: seconds(1) },
    { id: LAN, advertisementInterval: seconds(1) },
  ],
};
const EAGER = { ...CONFIG, preemptMode: true };
const OWNER = { ...CONFIG, priority: 255 };
const TIMEOUT: GroupInput = { kind: "timeout", drained: true };
const STARTUP: GroupInput = { kind: "startup" };

const linkBack = (id: typeof WAN): GroupInput => ({ kind: "linkBack", id, primaryAddress: ADDRESS[id]! });
const linkLost = (id: typeof WAN): GroupInput => ({ kind: "linkLost", id, sentence: `no carrier on ${id}` });
const health = (priority: number): GroupInput => ({ kind: "priorityChanged", priority, sentence: "check web failed" });
const advert = (id: typeof WAN, priority: number, source: string, intervalMillis = 1000): GroupInput => ({
  kind: "advertisement",
  id,
  heard: { priority, source: ip(source), maxAdvertiseInterval: millis(intervalMillis) },
});

/** Feeds inputs at their times and returns the last state with the actions of the last input, as short words. */
function run(config: GroupConfig, inputs: readonly (readonly [number, GroupInput])[], from?: GroupState) {
  let state = from ?? initialGroup(config, at(0));
  let actions: readonly GroupAction[] = [];
  for (const [time, input] of inputs) ({ state, actions } = step(config, state, input, at(time)));
  return { state, words: actions.map(word), actions };
}

function word(action: GroupAction): string {
  switch (action.kind) {
    case "sendAdvertisement":
      return `send ${action.id} ${action.priority}`;
    case "installAddresses":
    case "removeAddresses":
    case "announce":
      return `${action.kind} ${action.id}`;
    case "grantLease":
      return `lease ${action.until / 1_000_000}`;
    case "dropLease":
    case "drainSockets":
      return action.kind;
    case "transition":
      return `${action.from} to ${action.to}`;
    case "note":
      return action.event;
  }
}

const LINKED: readonly (readonly [number, GroupInput])[] = [
  [0, linkBack(WAN)],
  [0, linkBack(LAN)],
];
const backup = (config: GroupConfig) => run(config, [...LINKED, [0, STARTUP]]).state;
/** Active since 3.609375 s, the next advertisement due at 4.609375 s. */
const active = (config: GroupConfig) => run(config, [...LINKED, [0, STARTUP], [3.609375, TIMEOUT]]).state;

describe("a group moves as one", () => {
  test("it starts as backup on every link and waits for the last down timer", () => {
    const state = run(CONFIG, [...LINKED, [0, STARTUP], [1, advert(LAN, 50, "10.2.0.3")]]).state;
    expect(state.kind).toBe("backup");
    expect(nextTimeout(state)).toBe(4_609_375);
  });
  test("one silent link is no take-over while another hears an active router", () => {
    const inputs = [
      [3, advert(LAN, 200, "10.2.0.3")],
      [3.7, TIMEOUT],
    ] as const;
    const { state, words } = run(CONFIG, inputs, backup(CONFIG));
    expect(state.kind).toBe("backup");
    expect(words).toEqual([]);
    expect(splitSince(state, at(3.7))).toBe(3_609_375);
    expect(splitSince(state, at(7))).toBeUndefined();
  });
  test("row 23: silence everywhere: advertisements, lease, addresses, announcements, in this order", () => {
    const { state, words } = run(CONFIG, [[3.609375, TIMEOUT]], backup(CONFIG));
    expect(state.kind).toBe("active");
    expect(words).toEqual([
      `send ${WAN} 100`,
      `send ${LAN} 100`,
      "lease 5.609375",
      `installAddresses ${WAN}`,
      `installAddresses ${LAN}`,
      `announce ${WAN}`,
      `announce ${LAN}`,
      "backup to active",
    ]);
  });
  test("row 25: it drains its sockets before it believes the silence", () => {
    const { state, words } = run(CONFIG, [[9, { kind: "timeout", drained: false }]], backup(CONFIG));
    expect([state.kind, words]).toEqual(["backup", ["drainSockets"]]);
  });
  test("a better router on one link: silent at once, priority 0 on the other, then the addresses go", () => {
    const { state, words } = run(CONFIG, [[4, advert(WAN, 101, "10.1.0.3")]], active(CONFIG));
    expect(state.kind).toBe("backup");
    expect(words).toEqual([
      "dropLease",
      `send ${LAN} 0`,
      `removeAddresses ${WAN}`,
      `removeAddresses ${LAN}`,
      "active to backup",
    ]);
  });
  test("row 9: priority 0 on one link shortens the wait on the others to one interval and the skew", () => {
    const inputs = [
      [3, advert(WAN, 200, "10.1.0.3")],
      [3, advert(LAN, 200, "10.2.0.3")],
      [3.5, advert(WAN, 0, "10.1.0.3")],
    ];
    const { state } = run(CONFIG, inputs as [number, GroupInput][], backup(CONFIG));
    // 3.5 + 1 + 0.609375 on the lan, 3.5 + 0.609375 on the wan.
    expect(nextTimeout(state)).toBe(5_109_375);
  });
  test("shutdown: silent, priority 0 everywhere, addresses gone", () => {
    const { state, words } = run(CONFIG, [[4, { kind: "shutdown" }]], active(CONFIG));
    expect(state.kind).toBe("initialize");
    expect(words.slice(0, 3)).toEqual(["dropLease", `send ${WAN} 0`, `send ${LAN} 0`]);
  });
});

describe("advertising and the lease", () => {
  test("every advertisement renews the lease to two intervals", () => {
    const { state, words } = run(CONFIG, [[4.609375, { kind: "timeout", drained: false }]], active(CONFIG));
    expect(words).toEqual([`send ${WAN} 100`, `send ${LAN} 100`, "lease 6.609375"]);
    expect(nextTimeout(state)).toBe(5_609_375);
  });
  test("with different intervals the slowest advertisement bounds the lease", () => {
    const config = {
      ...CONFIG,
      virtualRouters: [CONFIG.virtualRouters[0]!, { id: LAN, advertisementInterval: millis(100) }],
    };
    const started = run(config, [...LINKED, [0, STARTUP], [4, TIMEOUT]]);
    expect(started.words).toContain("lease 4.2");
    const lanOnly = run(config, [[4.1, TIMEOUT]], started.state);
    expect(lanOnly.words).toEqual([`send ${LAN} 100`, "lease 4.3"]);
  });
  test("a box that stood still past its lease goes on when nobody took over, and announces again", () => {
    const { words } = run(CONFIG, [[6, TIMEOUT]], active(CONFIG));
    expect(words).toContain("resumed");
    expect(words).toContain(`announce ${WAN}`);
  });
  test("one that stood still for three advertisements is backup: others are entitled to the role", () => {
    const { state, words } = run(CONFIG, [[6.609375, TIMEOUT]], active(CONFIG));
    expect(state.kind).toBe("backup");
    expect(words).toEqual(["dropLease", `removeAddresses ${WAN}`, `removeAddresses ${LAN}`, "active to backup"]);
  });
  test("row 10: the owner never is", () => {
    const state = run(OWNER, [...LINKED, [0, STARTUP], [60, TIMEOUT]]).state;
    expect(state.kind).toBe("active");
  });
  test("after a refused advertisement the next one counts as a fresh start", () => {
    const failed: GroupInput = { kind: "sendFailed" };
    expect(
      run(
        CONFIG,
        [
          [4.6, failed],
          [4.7, TIMEOUT],
        ],
        active(CONFIG),
      ).words,
    ).toContain("resumed");
  });
  test("row 11: a losing advertisement is answered on its link alone", () => {
    const { words } = run(CONFIG, [[4, advert(LAN, 99, "10.2.0.3")]], active(CONFIG));
    expect(words).toEqual([`send ${LAN} 100`]);
  });
  test("row 24: its own advertisement and one for a virtual router it does not have are nothing", () => {
    const stranger = virtualRouterId("eth9", "ipv4", 9);
    expect(run(CONFIG, [[4, advert(LAN, 255, "10.2.0.2")]], active(CONFIG)).state.kind).toBe("active");
    expect(run(CONFIG, [[4, advert(stranger, 255, "10.2.0.9")]], active(CONFIG)).words).toEqual([]);
  });
});

describe("ties", () => {
  test("row 12: lost on the first link, the group yields", () => {
    expect(run(CONFIG, [[4, advert(WAN, 100, "10.1.0.3")]], active(CONFIG)).state.kind).toBe("backup");
  });
  test("lost on the second link while the first is won, it stays", () => {
    const inputs = [
      [4, advert(WAN, 100, "10.1.0.1")],
      [4, advert(LAN, 100, "10.2.0.3")],
    ] as const;
    expect(run(CONFIG, inputs, active(CONFIG)).state.kind).toBe("active");
  });
  test("lost on the second link and nobody on the first for a down interval, it yields", () => {
    const early = run(
      CONFIG,
      [
        [4, advert(LAN, 100, "10.2.0.3")],
        [7.6, advert(LAN, 100, "10.2.0.3")],
      ],
      active(CONFIG),
    );
    expect(early.state.kind).toBe("active");
    expect(run(CONFIG, [[7.7, advert(LAN, 100, "10.2.0.3")]], early.state).state.kind).toBe("backup");
  });
});

describe("priority made from health", () => {
  test("worse health puts the role on offer while the addresses go on answering", () => {
    const { state, words } = run(CONFIG, [[4, health(50)]], active(CONFIG));
    expect(state.kind).toBe("active");
    // Half a step before an equal: 205.5 / 256 s = 0.802734 s; half an interval more for the lease.
    expect(words).toEqual([`send ${WAN} 0`, `send ${LAN} 0`, "lease 5.302734", "offered"]);
    expect(nextTimeout(state)).toBe(4_802_734);
  });
  test("a better router takes the offer, even without preemption", () => {
    const offering = run(CONFIG, [[4, health(50)]], active(CONFIG)).state;
    expect(run(CONFIG, [[4.2, advert(WAN, 100, "10.1.0.3")]], offering).state.kind).toBe("backup");
  });
  test("a worse one is outbid", () => {
    const offering = run(CONFIG, [[4, health(50)]], active(CONFIG)).state;
    const { state, words } = run(CONFIG, [[4.2, advert(WAN, 40, "10.1.0.3")]], offering);
    expect(state.kind).toBe("active");
    expect(words).toEqual([`send ${WAN} 50`, `send ${LAN} 50`, "lease 6.2", "kept"]);
  });
  test("nobody takes it: the role stays, and is offered again after ten intervals", () => {
    const offering = run(CONFIG, [[4, health(50)]], active(CONFIG)).state;
    const kept = run(CONFIG, [[4.802734, TIMEOUT]], offering);
    expect(kept.words).toEqual([`send ${WAN} 50`, `send ${LAN} 50`, "lease 6.802734", "kept"]);
    let { state } = kept;
    const events: string[] = [];
    for (let tick = 0; tick < 10; tick++) {
      const result = step(CONFIG, state, TIMEOUT, nextTimeout(state)!);
      events.push(...result.actions.map(word).filter((one) => one === "offered"));
      state = result.state;
    }
    expect(events).toEqual(["offered"]);
  });
  test("health restored during the offer withdraws it", () => {
    const offering = run(CONFIG, [[4, health(50)]], active(CONFIG)).state;
    const { state, words } = run(CONFIG, [[4.1, health(100)]], offering);
    expect(words).toEqual([`send ${WAN} 100`, `send ${LAN} 100`, "lease 6.1", "kept"]);
    expect(state.kind === "active" && state.offer).toBeUndefined();
  });
  test("a backup's timers follow its priority", () => {
    const { state } = run(CONFIG, [[1, health(50)]], backup(CONFIG));
    // 206 / 256 instead of 156 / 256.
    expect(nextTimeout(state)).toBe(3_804_687);
  });
  test("preempting, a lower priority elsewhere is discarded and the role taken", () => {
    const inputs = [
      [3, advert(WAN, 50, "10.1.0.3")],
      [3, advert(LAN, 50, "10.2.0.3")],
      [3.609375, TIMEOUT],
    ] as const;
    expect(run(EAGER, inputs, backup(EAGER)).state.kind).toBe("active");
    expect(run(CONFIG, inputs, backup(CONFIG)).state.kind).toBe("backup");
  });
  test("row 10: the owner's priority is exempt", () => {
    const state = run(OWNER, [...LINKED, [0, STARTUP]]).state;
    expect(state.kind).toBe("active");
    expect(run(OWNER, [[1, linkLost(LAN)]], state).words).toEqual([`removeAddresses ${LAN}`]);
  });
});

describe("links", () => {
  test("no link at all is a fault, the first one back ends it", () => {
    const fault = run(CONFIG, [[0, STARTUP]]);
    expect(fault.state.kind).toBe("fault");
    const { state } = run(CONFIG, [[1, linkBack(WAN)]], fault.state);
    expect(state.kind).toBe("backup");
    expect(effectivePriority(state)).toBe(1);
  });
  test("a lost link offers the role on the others with priority 0 and competes with priority 1", () => {
    const { state, words } = run(CONFIG, [[4, linkLost(LAN)]], active(CONFIG));
    // 254.5 / 256 s, and half an interval for the lease.
    expect(words).toEqual([`removeAddresses ${LAN}`, `send ${WAN} 0`, "lease 5.49414", "offered"]);
    expect(effectivePriority(state)).toBe(1);
    expect(run(CONFIG, [[4.3, advert(WAN, 100, "10.1.0.3")]], state).state.kind).toBe("backup");
    expect(run(CONFIG, [[4.99414, TIMEOUT]], state).words).toEqual([`send ${WAN} 1`, "lease 6.99414", "kept"]);
  });
  test("both boxes without their lan: one of them still serves the wan", () => {
    const { state } = run(
      CONFIG,
      [
        [1, linkLost(LAN)],
        [5, TIMEOUT],
      ],
      backup(CONFIG),
    );
    expect(state.kind).toBe("active");
  });
  test("the last link lost: silent, fault", () => {
    const { state, words } = run(
      CONFIG,
      [
        [4, linkLost(LAN)],
        [4, linkLost(WAN)],
      ],
      active(CONFIG),
    );
    expect(state.kind).toBe("fault");
    expect(words).toEqual(["dropLease", `removeAddresses ${WAN}`, "active to fault"]);
  });
  test("a link that comes back to an active group joins it and ends the offer", () => {
    const { state, words } = run(
      CONFIG,
      [
        [4, linkLost(LAN)],
        [4.1, linkBack(LAN)],
      ],
      active(CONFIG),
    );
    expect(words.slice(0, 3)).toEqual([`send ${LAN} 100`, `installAddresses ${LAN}`, `announce ${LAN}`]);
    expect(state.kind === "active" && state.offer).toBeUndefined();
    expect(effectivePriority(state)).toBe(100);
  });
  test("a link that comes back to a backup group waits its own down timer", () => {
    const { state } = run(
      CONFIG,
      [
        [1, linkLost(LAN)],
        [3, linkBack(LAN)],
      ],
      backup(CONFIG),
    );
    expect(nextTimeout(state)).toBe(6_609_375);
  });
  test("a new primary address counts at once", () => {
    const moved: GroupInput = { kind: "linkBack", id: WAN, primaryAddress: ip("10.1.0.9") };
    const { state } = run(
      CONFIG,
      [
        [4, moved],
        [4.1, advert(WAN, 100, "10.1.0.3")],
      ],
      active(CONFIG),
    );
    expect(state.kind).toBe("active");
  });
});

describe("planned hand-over", () => {
  test("it offers for one and a half intervals and yields to whoever comes, lower priority included", () => {
    const inputs = [
      [4, { kind: "handOver", sentence: "asked" }],
      [4.7, advert(LAN, 20, "10.2.0.3")],
    ] as const;
    const offering = run(CONFIG, inputs.slice(0, 1), active(CONFIG));
    expect(offering.words).toEqual([`send ${WAN} 0`, `send ${LAN} 0`, "lease 6", "offered"]);
    expect(run(CONFIG, inputs, active(CONFIG)).state.kind).toBe("backup");
    expect(run(CONFIG, [[5.5, TIMEOUT]], offering.state).words).toContain("kept");
  });
});
