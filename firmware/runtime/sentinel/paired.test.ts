import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { PulseGroupState } from "@futago/hal/units/pulse.ts";
import { type Ifindex, type Ipv4, parseMac } from "@futago/hal/units/address.ts";
import { encodeGratuitousArp } from "../../announce/arp.ts";
import type { Orders } from "../../config/orders.ts";
import { nameHash } from "../../standby/identity.ts";
import { LONELY, snapshotOf } from "../../standby/pair/view.test-support.ts";
import {
  cidr,
  groupOf,
  ip,
  PairMachine,
  pairOrders,
  pass,
  routerOf,
  SLOTS,
  SYNC_PATH,
  WAN_PATH,
} from "./pair-machine.suite.ts";
import { PairedSentinel } from "./paired.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const SLOT = 3;

let machine: PairMachine;
let sentinel: PairedSentinel;

beforeEach(async () => {
  vi.useFakeTimers();
  machine = await new PairMachine().ready();
  begin(pairOrders());
});

afterEach(async () => {
  machine.pulse.obedient = true;
  const stopped = sentinel.stop();
  await pass(3_000);
  await stopped;
  vi.useRealTimers();
});

function begin(orders: ReturnType<typeof pairOrders>): void {
  const beatKeys = { key: KEY, other: undefined };
  const options = { launcher: machine.pulse.launcher, beatKeys, onStale: () => undefined, cpuTimes: () => undefined };
  sentinel = new PairedSentinel(machine.context, options, orders, SLOTS);
  machine.onLinks = () => sentinel.linksChanged();
}

const heard = (...args: Parameters<PairMachine["heard"]>) => machine.heard(...args);
const executed = (...args: Parameters<PairMachine["executed"]>) => machine.executed(...args);

/** pulse tells every second how things stand, as the program does. */
async function stand(own: PulseGroupState, peer: PulseGroupState | undefined, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 500) {
    machine.pulse.say(heard(own, peer));
    await pass(Math.min(500, milliseconds - passed));
  }
}

/** Meets a standby peer and takes the group over. */
async function becomeActive(): Promise<void> {
  machine.pulse.say(heard("initialize", "standby"));
  // pulse carries the plan out.
  await machine.network.addAddress(machine.eth0, cidr("10.1.0.1/32"));
  machine.pulse.say(executed("takeOver", "order"));
  machine.pulse.say(heard("active", "standby"));
  await pass(0);
  machine.pulse.take("pet");
}

const role = () => sentinel.status().role;
const alarms = () => sentinel.status().alarms.map((alarm) => alarm.kind);

describe("a new pulse", () => {
  test("is told the key, the paths, the plans, the times and the groups, in this order", () => {
    const kinds = machine.pulse.told.map((command) => command.kind);
    expect(kinds.slice(0, 5)).toEqual(["configure", "plan", "plan", "timing", "group"]);
    expect(machine.pulse.told[0]).toEqual({
      kind: "configure",
      key: KEY,
      configId: "abababababababab",
      box: "a",
      safety: false,
      port: 7405,
      paths: [
        { ifindex: machine.eth1, id: SYNC_PATH },
        { ifindex: machine.eth0, id: WAN_PATH },
      ],
    });
    const plans = machine.pulse.take("plan");
    expect(plans.map(({ group, plan }) => [group, plan]).slice(0, 2)).toEqual([
      [SLOT, "takeOver"],
      [SLOT, "release"],
    ]);
  });

  test("is told all that again when the one before has ended, and nothing is held until then", async () => {
    await becomeActive();
    machine.gate.memory.fill(1);
    await pass(20_000);
    machine.pulse.take("pet");
    machine.pulse.die("signal SIGKILL");
    expect(role()).toBe("standby");
    expect(sentinel.status().groups[0]?.state).toBe("initialize");
    expect(machine.gate.memory.every((byte) => byte === 0)).toBe(true);
    await pass(1);
    expect(await machine.addresses()).toEqual([]);
    expect(machine.pulse.told.map((command) => command.kind).slice(0, 5)).toEqual([
      "configure",
      "plan",
      "plan",
      "timing",
      "group",
    ]);
    expect(machine.roles().at(-1)).toBe("active -> initialize: pulse ended");
    expect(sentinel.status().heartbeat?.counters["pulseEnds"]).toBe(1);
  });
});

describe("a box that waits for its peer", () => {
  test("holds nothing for three seconds, then takes the group", async () => {
    machine.pulse.take("pet");
    await stand("initialize", undefined, 0);
    for (let i = 0; i < 6; i++) {
      machine.pulse.say(heard("initialize", undefined, LONELY));
      await pass(499);
    }
    expect(machine.pulse.take("act")).toEqual([]);
    await pass(7);
    machine.pulse.say(heard("standby", undefined, LONELY));
    expect(machine.pulse.take("act")).toEqual([{ kind: "act", group: SLOT, act: "takeOver", reason: "order" }]);
  });
});

describe("fitness", () => {
  const healths = () => machine.pulse.take("group").map((command) => command.health);

  test("falls at once when the carrier is lost", async () => {
    await becomeActive();
    machine.network.setCable(machine.eth0, false);
    await pass(0);
    expect(healths()).toEqual([155]);
    expect(sentinel.status().groups[0]?.priority).toBe(100);
    expect(alarms()).toContain("unfit");
  });

  test("is whole again two seconds after the carrier came back, though reports come all the while", async () => {
    await becomeActive();
    machine.network.setCable(machine.eth0, false);
    await pass(0);
    machine.network.setCable(machine.eth0, true);
    await pass(0);
    machine.pulse.take("pet");
    await stand("active", "standby", 1_999);
    expect(healths()).toEqual([]);
    await stand("active", "standby", 2);
    expect(healths()).toEqual([255]);
  });

  test("is whole again even when a report is taken between that moment and the timer's ring", async () => {
    await becomeActive();
    machine.network.setCable(machine.eth0, false);
    await pass(0);
    machine.network.setCable(machine.eth0, true);
    await pass(0);
    await stand("active", "standby", 1_999);
    machine.pulse.take("pet");
    // The clock goes on while the event loop is busy.
    vi.setSystemTime(Date.now() + 2);
    machine.pulse.say(heard("active", "standby"));
    await stand("active", "standby", 1_000);
    expect(healths()).toEqual([255]);
  });

  test("falls ten seconds after core went away, though reports come all the while", async () => {
    await becomeActive();
    sentinel.setCoreConnected(false);
    await stand("active", "standby", 9_000);
    // Told again by a second line that breaks: it is the same absence.
    sentinel.setCoreConnected(false);
    machine.pulse.take("pet");
    await stand("active", "standby", 999);
    expect(healths()).toEqual([]);
    await stand("active", "standby", 2);
    expect(healths()).toEqual([195]);
    sentinel.setCoreConnected(true);
    expect(healths()).toEqual([255]);
  });

  test("carries core's penalties, and its alarm keeps its beginning", async () => {
    await becomeActive();
    const penalty = { group: "edge", cause: "check", weight: 50, sentence: "check http 127.0.0.1:80 failed" } as const;
    sentinel.setPenalties([penalty]);
    const since = () => sentinel.status().alarms.find((alarm) => alarm.kind === "unfit")?.since;
    const first = since();
    await stand("active", "standby", 5_000);
    sentinel.setPenalties([{ ...penalty }]);
    expect(since()).toBe(first);
    expect(healths()).toEqual([205]);
  });
});

describe("a commit", () => {
  const two = ["10.1.0.1/24", "10.1.0.7/24"];

  test("brings a new VIP to the active box without a change of role", async () => {
    await becomeActive();
    sentinel.setOrders(pairOrders({ vips: two }), SLOTS);
    await pass(0);
    expect(await machine.addresses()).toEqual(["10.1.0.1/32", "10.1.0.7/32"]);
    expect(machine.roles()).toHaveLength(2);
    expect(machine.pulse.take("act")).toEqual([]);
  });

  test("only prepares the standby", async () => {
    machine.pulse.say(heard("initialize", "active"));
    machine.pulse.take("pet");
    sentinel.setOrders(pairOrders({ vips: two }), SLOTS);
    await pass(0);
    expect(await machine.addresses()).toEqual([]);
    expect(machine.pulse.take("plan")).not.toEqual([]);
  });

  test("that ends a group makes pulse forget it, and nobody announces it any more", async () => {
    await becomeActive();
    machine.pulse.take("pet");
    const frames: Uint8Array[] = [];
    machine.frames.plug(99 as Ifindex, machine.wan);
    machine.frames.open({ ifindex: 99 as Ifindex, receive: "arp", onFrame: ({ bytes }) => frames.push(bytes) });
    machine.frames.open({ ifindex: 99 as Ifindex, receive: "vrrp", onFrame: ({ bytes }) => frames.push(bytes) });
    sentinel.setOrders(pairOrders({ groups: [] }), new Map());
    machine.pulse.say(executed("release", "order"));
    await pass(0);
    expect(machine.pulse.take("forget")).toEqual([{ kind: "forget", group: SLOT }]);
    expect(await machine.addresses()).toEqual([]);
    await pass(120_000);
    expect(frames).toEqual([]);
  });

  test("that puts a new group in the old one's place tells pulse of the end first", async () => {
    await becomeActive();
    machine.pulse.take("pet");
    const orders = pairOrders({ groups: [groupOf([routerOf(["10.1.0.9/24"])], "fresh")] });
    sentinel.setOrders(orders, new Map([["fresh", SLOT]]));
    const kinds = machine.pulse.told.map((command) => command.kind);
    expect(kinds.indexOf("forget")).toBe(0);
    const group = machine.pulse.take("group");
    expect(group).toEqual([expect.objectContaining({ group: SLOT, id: nameHash("fresh"), idle: "standby" })]);
  });
});

describe("others on the wire", () => {
  const claim = encodeGratuitousArp("reply", ip("10.1.0.1") as Ipv4, parseMac("02:00:00:00:00:99")!);

  async function hear(): Promise<void> {
    machine.frames.plug(99 as Ifindex, machine.wan);
    const socket = machine.frames.open({ ifindex: 99 as Ifindex, receive: "none" });
    socket.send(claim);
    socket.close();
    await pass(0);
  }

  test("that claim a VIP are an alarm once this box has held it alone for two seconds", async () => {
    await becomeActive();
    await stand("active", "standby", 1_900);
    await hear();
    expect(alarms()).not.toContain("address-conflict");
    await stand("active", "standby", 1_000);
    await hear();
    expect(alarms()).toContain("address-conflict");
  });

  test("are no alarm while the group is handed over: it may be the peer, whose address is not known", async () => {
    await becomeActive();
    await stand("active", "standby", 5_000);
    machine.pulse.say(heard("offering", "ready"));
    await hear();
    machine.pulse.say(heard("yielded", "active"));
    await hear();
    machine.pulse.say(executed("release", "handover"));
    machine.pulse.say(heard("standby", "active"));
    await hear();
    expect(alarms()).not.toContain("address-conflict");
  });

  test("are no alarm when they are the peer, known by its heartbeats", async () => {
    const { mac } = { mac: parseMac("02:00:00:00:00:99")! };
    const peer = snapshotOf(machine.now(), []).paths[0]!;
    const paths = [{ ...peer, id: WAN_PATH, ifindex: machine.eth0 }];
    machine.network.setNeighbour({ ifindex: machine.eth0, address: ip("fe80::2"), mac, state: 2, managed: false });
    await becomeActive();
    for (let i = 0; i < 6; i++) {
      machine.pulse.say(heard("active", "standby", { paths }));
      await pass(500);
    }
    await hear();
    expect(alarms()).not.toContain("address-conflict");
    // A peer that is cut off and answers all the same is one.
    machine.pulse.say(heard("active", "active", { paths, peerAlive: false, peerHears: false }));
    await hear();
    expect(alarms()).toContain("address-conflict");
  });
});

describe("the end of the sentinel", () => {
  /** pulse and the peer carry the hand-over out, 100 ms of forwarding included. */
  async function handOver(): Promise<void> {
    await pass(1);
    machine.pulse.say(heard("offering", "standby"));
    await pass(2);
    machine.pulse.say(heard("yielded", "active"));
    await pass(100);
    await machine.network.deleteAddress(machine.eth0, cidr("10.1.0.1/32"));
    machine.pulse.say(executed("release", "handover"));
  }

  test("hands over first, then ends pulse, and leaves nothing behind", async () => {
    await becomeActive();
    await stand("active", "standby", 1_000);
    machine.pulse.take("pet");
    const stopped = sentinel.stop();
    expect(machine.pulse.take("act")).toEqual([{ kind: "act", group: SLOT, act: "offer", reason: "handover" }]);
    await handOver();
    await pass(0);
    await stopped;
    expect(machine.pulse.take("quit")).toHaveLength(1);
    expect(await machine.addresses()).toEqual([]);
    expect(machine.gate.memory.every((byte) => byte === 0)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("does not wait when there is nobody to take over", async () => {
    await becomeActive();
    machine.pulse.say(heard("active", undefined, LONELY));
    const before = machine.now();
    await sentinel.stop();
    expect(machine.now()).toBe(before);
    expect(await machine.addresses()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("waits a second and a half for a peer that does not take over, and a second for pulse", async () => {
    await becomeActive();
    machine.pulse.obedient = false;
    const before = machine.now();
    const stopped = sentinel.stop();
    await pass(2_500);
    await stopped;
    expect((machine.now() - before) / 1_000).toBeLessThanOrEqual(2_500);
    expect(await machine.addresses()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is not held up by a take-over that comes too late", async () => {
    await becomeActive();
    machine.pulse.obedient = false;
    const stopped = sentinel.stop();
    await pass(1_500);
    machine.pulse.say(executed("takeOver", "silence"));
    await pass(1_000);
    await stopped;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("people's orders", () => {
  test("a switch-over is answered when the group has moved", async () => {
    await becomeActive();
    const answer = sentinel.command({ kind: "switchover", group: undefined });
    expect(machine.pulse.take("act")).toEqual([{ kind: "act", group: SLOT, act: "offer", reason: "handover" }]);
    machine.pulse.say(executed("release", "handover"));
    expect(await answer).toEqual({ ok: true, message: "switched over", exitCode: 0 });
  });

  test("a switch-over that cannot be is refused before anything is done", async () => {
    expect(await sentinel.command({ kind: "switchover", group: "egde" })).toMatchObject({ ok: false, exitCode: 1 });
    expect(machine.pulse.take("act")).toEqual([]);
  });

  test("maintenance of a box that has just started keeps it from every role", async () => {
    expect(await sentinel.command({ kind: "maintenance", on: true })).toMatchObject({ ok: true });
    await stand("fault", undefined, 6_000);
    machine.pulse.say(heard("fault", "standby"));
    expect(role()).toBe("maintenance");
    expect(machine.pulse.take("act")).toEqual([]);
    expect(await sentinel.command({ kind: "maintenance", on: false })).toMatchObject({ ok: true });
    expect(role()).toBe("standby");
  });

  test("orders for a box alone are not this one's", () => {
    const alone: Orders = { ...pairOrders(), pair: undefined };
    machine.pulse.take("pet");
    sentinel.setOrders(alone, SLOTS);
    expect(machine.pulse.told).toEqual([]);
  });
});
