import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { PulseGroupReport, PulseSnapshot } from "@futago/hal/units/pulse.ts";
import { after, type Instant, instant, micros, millis, seconds } from "@futago/hal/units/time.ts";
import { causesFor, initialFitness, noteCarrier } from "../../standby/pair/fitness.ts";
import { nameHash } from "../../standby/identity.ts";
import { initialPair } from "../../standby/pair/step.ts";
import type { PairState } from "../../standby/pair/types.ts";
import { LONELY, memoryOf, peerIn, SILENT, snapshotOf } from "../../standby/pair/view.test-support.ts";
import { pairConfig } from "./pair-config.ts";
import { ETH0, ETH1, PairMachine, pairOrders, SLOTS, SYNC_PATH, WAN_PATH } from "./pair-machine.suite.ts";
import { pairStatus, type PairView } from "./pair-status.ts";
import { noStrangeBeats } from "./strange-beats.ts";

const orders = pairOrders();
const config = pairConfig(orders, orders.pair, SLOTS);
let machine: PairMachine;
/** A hundred seconds after the machine booted, 2030-01-01T00:01:40Z. */
let NOW: Instant;

beforeEach(() => {
  vi.useFakeTimers();
  machine = new PairMachine();
  NOW = machine.now();
});
afterEach(() => vi.useRealTimers());

function ago(second: number): Instant {
  return instant(NOW - seconds(second));
}

function report(
  state: PulseGroupReport["state"],
  peer?: PulseGroupReport["peer"],
  more: Partial<PulseGroupReport> = {},
): PulseGroupReport {
  const times = { activeSince: ago(30), leaseUntil: after(NOW, millis(40)) };
  return {
    group: 3,
    id: nameHash("edge"),
    state,
    lapsed: false,
    answering: state === "active",
    ...times,
    peer,
    ...more,
  };
}

function snapshot(group: PulseGroupReport, more: Partial<PulseSnapshot> = {}): PulseSnapshot {
  const [path] = snapshotOf(NOW, []).paths;
  const paths = [
    { ...path!, id: SYNC_PATH, rtt: micros(210) },
    { ...path!, id: WAN_PATH, rtt: micros(340) },
  ];
  return snapshotOf(NOW, [group], {
    paths,
    peerConfigId: config.configId,
    counters: { accepted: 7 },
    lapses: 2,
    ...more,
  });
}

/** What is shown of a box that has been active for thirty seconds beside a standby, unless a test says otherwise. */
function view(state: Partial<PairState> = {}, more: Partial<PairView> = {}): PairView {
  const whole: PairState = {
    ...initialPair(config, ago(90), false),
    booting: false,
    groups: { edge: memoryOf("active", ago(30), { reason: "the peer let go" }) },
    snapshot: snapshot(report("active", peerIn("standby"))),
    ...state,
  };
  const clock = machine.hal.clock;
  const known = { clock, orders, pair: orders.pair, config, links: machine.links, causes: new Map() };
  return {
    ...known,
    watchAlarms: [],
    staleCounters: {},
    strangeBeats: noStrangeBeats,
    pulseEnds: 0,
    state: whole,
    ...more,
  };
}

const alarmsOf = (...args: Parameters<typeof view>) =>
  pairStatus(view(...args)).alarms.map(({ kind, since, sentence }) => `${since.slice(11, 23)} ${kind}: ${sentence}`);

test("a well pair is shown whole", () => {
  expect(pairStatus(view())).toEqual({
    role: "active",
    groups: [
      {
        name: "edge",
        state: "active",
        since: "2030-01-01T00:01:10.000Z",
        reason: "the peer let go",
        addresses: ["10.1.0.1/24"],
        priority: 200,
        answering: true,
      },
    ],
    peer: {
      alive: true,
      role: "standby",
      revision: "abababababababab",
      paths: [
        { interface: "sync", alive: true, rttMicros: 210 },
        { interface: "wan", alive: true, rttMicros: 340 },
      ],
      addresses: [
        { address: "fe80::2", device: "eth1", ifindex: 2 },
        { address: "fe80::2", device: "eth0", ifindex: 2 },
      ],
    },
    heartbeat: {
      profile: "default",
      deadMs: 75,
      leaseMs: 45,
      latenessP999Ms: 0,
      counters: { accepted: 7, lapses: 2, pulseEnds: 0 },
    },
    alarms: [],
  });
});

test("the peer is dialled over the cable without a virtual router first, in whatever order heartbeats are named", () => {
  const pair = { ...orders.pair, over: [ETH0, ETH1] };
  const shown = pairStatus(view({}, { pair, orders: { ...orders, pair } })).peer!;
  expect(shown.paths.map((path) => path.interface)).toEqual(["wan", "sync"]);
  expect(shown.addresses.map(({ device }) => device)).toEqual([ETH1, ETH0]);
});

describe("the role", () => {
  test.each([
    ["active", "active"],
    ["standby", "standby"],
    ["maintenance", "maintenance"],
    ["fault", "fault"],
    ["initialize", "standby"],
  ] as const)("of a box whose group is %s is %s", (state, role) => {
    expect(pairStatus(view({ groups: { edge: memoryOf(state, NOW) } })).role).toBe(role);
  });

  test("of a box without a group is maintenance when that was wished", () => {
    expect(pairStatus(view({ groups: {}, maintenance: true })).role).toBe("maintenance");
    expect(pairStatus(view({ groups: {} })).role).toBe("standby");
    expect(pairStatus(view({ groups: {} }, { config: { ...view().config, spare: true } })).role).toBe("spare");
  });

  test.each([
    ["standby", "standby"],
    ["ready", "standby"],
    ["active", "active"],
    ["offering", "active"],
    ["yielded", "active"],
    ["fault", "maintenance"],
    ["initialize", "initialize"],
  ] as const)("of a peer that says %s is %s", (state, role) => {
    expect(pairStatus(view({ snapshot: snapshot(report("standby", peerIn(state))) })).peer?.role).toBe(role);
  });

  test("of a peer that takes nothing is spare in a cold pair", () => {
    const takesNothing = snapshot(report("active", peerIn("fault")));
    const cold = { ...view().pair, part: "active" as const };
    expect(pairStatus(view({ snapshot: takesNothing }, { pair: cold })).peer?.role).toBe("spare");
  });

  test("of a peer that is silent is unknown, though its revision is remembered", () => {
    const silent = snapshot(report("active", peerIn("active")), SILENT);
    expect(pairStatus(view({ snapshot: silent })).peer).toMatchObject({
      alive: false,
      role: "unknown",
      revision: "abababababababab",
    });
    const never = snapshot(report("active"), { ...LONELY, paths: [] });
    expect(pairStatus(view({ snapshot: never })).peer).toEqual({
      alive: false,
      role: "unknown",
      revision: "",
      paths: [
        { interface: "sync", alive: false, rttMicros: null },
        { interface: "wan", alive: false, rttMicros: null },
      ],
      addresses: [],
    });
  });
});

describe("a group answers", () => {
  const rows: readonly [string, PulseSnapshot["groups"][number] | undefined, boolean][] = [
    ["when pulse has opened the gate", report("active"), true],
    [
      "also between two reports, when the lease that was told of has run out and been renewed",
      report("active", undefined, { leaseUntil: instant(1) }),
      true,
    ],
    ["not when the lease has lapsed", report("active", undefined, { lapsed: true }), false],
    ["not when the gate is shut", report("yielded"), false],
    ["not before pulse has said so", undefined, false],
  ];
  test.each(rows)("%s", (_, group, answering) => {
    const state = group === undefined ? { snapshot: undefined } : { snapshot: snapshot(group) };
    expect(pairStatus(view(state)).groups[0]?.answering).toBe(answering);
  });
});

describe("alarms", () => {
  const lost = (id: number, second: number) =>
    snapshot(report("active", peerIn("standby"))).paths.map((path) =>
      path.id === id ? { ...path, alive: false, heardAt: ago(second) } : path,
    );

  test("a peer that fell silent, since then", () => {
    expect(
      alarmsOf({ snapshot: snapshot(report("active", peerIn("standby")), { ...SILENT, heardAt: ago(5) }) }),
    ).toEqual([
      "00:01:35.000 peer-lost: the peer is not heard on any path; look at its power and at the cables of the heartbeat",
    ]);
  });

  test("a peer that never came, since this box is there", () => {
    expect(alarmsOf({ snapshot: snapshot(report("active"), { ...LONELY, paths: [] }) })).toEqual([
      "00:00:10.000 peer-lost: the peer is not heard on any path; start it, or look at the cables of the heartbeat",
    ]);
    expect(alarmsOf({ booting: true, snapshot: snapshot(report("initialize"), { ...LONELY, paths: [] }) })).toEqual([]);
  });

  test("a key that is another, and boxes of the same letter, since the first of their heartbeats", () => {
    const runs = {
      "bad-mac": { since: ago(3), last: ago(0) },
      "own-box": { since: ago(2), last: ago(1) },
      unproven: { since: ago(4), last: ago(2) },
    };
    expect(alarmsOf({}, { strangeBeats: { counters: {}, runs } })).toEqual([
      "00:01:37.000 wrong-key: heartbeats arrive that are signed with another key; give both boxes the same pair key, or pair them anew: `futago pair invite --replace` on the one that is to stay, `futago pair join --replace CODE` on the other",
      "00:01:38.000 same-box: the other box was started as a, too; start one of them with --box b; where they were paired or restored, `futago pair unpair` one of them and pair it anew",
      "00:01:36.000 same-box: two boxes say that they are b; switch off the one that does not belong",
    ]);
  });

  test("a peer that is heard and hears nothing, since it last answered", () => {
    const deaf = { peerHears: false, ackedSentAt: ago(3) };
    expect(alarmsOf({ snapshot: snapshot(report("active", peerIn("standby")), deaf) })).toEqual([
      "00:01:37.000 one-way: the peer is heard but does not hear this box; look at the cables and at filters between the boxes",
    ]);
  });

  test("a path that is silent for more than four seconds, by the interface's name", () => {
    const only = (second: number) => ({
      snapshot: snapshot(report("active", peerIn("standby")), { paths: lost(WAN_PATH, second) }),
    });
    expect(alarmsOf(only(4))).toEqual([]);
    expect(alarmsOf(only(5))).toEqual(["00:01:35.000 path-lost: the peer is not heard over wan; look at that cable"]);
    // Never heard: since this box is there.
    expect(alarmsOf(only(100))).toEqual(["00:00:10.000 path-lost: the peer is not heard over wan; look at that cable"]);
  });

  test("a widened dead time, since it was widened", () => {
    const { timing } = initialPair(config, NOW, false);
    const wide = { ...timing, dead: millis(150), widenedSince: ago(20) };
    expect(alarmsOf({ timing: wide })).toEqual([
      "00:01:20.000 widened: this box or its peer runs late, so the dead time is 150 ms instead of 75 ms",
    ]);
  });

  test("two actives, since then", () => {
    expect(alarmsOf({ conflictSince: ago(1) })).toEqual([
      "00:01:39.000 two-actives: both boxes hold a group; one lets go as soon as they hear each other",
    ]);
  });

  test("a hold-down, since it began, with what is left of it", () => {
    const held = { heldDownUntil: instant(NOW + 12_300_000), holdDownMicros: seconds(60) };
    expect(alarmsOf({ groups: { edge: memoryOf("active", ago(70), held) } })).toEqual([
      "00:00:52.300 held-down: edge changed hands three times within a minute; moves for preference or fitness wait 13 s more",
    ]);
    expect(alarmsOf({ groups: { edge: memoryOf("active", ago(70), { ...held, heldDownUntil: NOW }) } })).toEqual([]);
  });

  test("what makes this box less fit, since then, and its priority is less by that", () => {
    const fitness = noteCarrier(noteCarrier(initialFitness, ETH0, true, ago(60)), ETH0, false, ago(7));
    const causes = new Map([["edge", causesFor(fitness, { name: "edge", devices: [ETH0] }, NOW)]]);
    expect(alarmsOf({}, { causes })).toEqual(["00:01:33.000 unfit: edge: eth0 has no carrier"]);
    expect(pairStatus(view({}, { causes })).groups[0]?.priority).toBe(100);
  });

  test("what the watch has seen", () => {
    const seen = { kind: "vrid-conflict", since: "2030-01-01T00:01:00.000Z", sentence: "somebody" };
    expect(pairStatus(view({}, { watchAlarms: [seen] })).alarms).toEqual([seen]);
  });
});
