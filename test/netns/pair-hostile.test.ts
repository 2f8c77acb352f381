/** What reaches a pair from a stranger on its switches: forged and replayed heartbeats, and garbage of every kind. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { encodeGratuitousArp } from "@futago/firmware/announce/arp.ts";
import { encodeUnsolicitedAdvertisement } from "@futago/firmware/announce/nd.ts";
import { encodeVrrpFrame } from "@futago/firmware/announce/vrrp-frame.ts";
import { encodeAdvertisement } from "@futago/firmware/standby/vrrp/packet.ts";
import { type Ipv4, type Ipv6, type Mac, macBytes } from "@futago/hal/units/address.ts";
import { seconds } from "@futago/hal/units/time.ts";
import { Prober } from "../lab/prober.ts";
import { processesIn } from "../lab/processes.ts";
import { BOXES, DEVICES, PORTS } from "../lab/topology.ts";
import { Random } from "../sim/random.ts";
import { BEAT_PORT, Pair, VIP } from "./pair-fixture.ts";
import { BEAT_GROUP, datagramFrame, Injector, linkLocal, recordBeats, type SeenBeat } from "./pair-frames.ts";

let pair: Pair;
let wan: Injector;
let prober: Prober;
/** What b and a have said: enough to be replayed. */
let fromB: readonly SeenBeat[];
let fromA: readonly SeenBeat[];
let overLan: readonly SeenBeat[];
let toA: { readonly mac: Mac; readonly address: Ipv6 };
let toB: { readonly mac: Mac; readonly address: Ipv6 };
let before: { readonly moves: unknown; readonly lapses: unknown; readonly lost: number };

beforeAll(async () => {
  pair = await Pair.start();
  await pair.settled("a");
  prober = await Prober.start(pair.client, { address: VIP, ping: true });
  const recordings = await Promise.all([
    recordBeats(pair, "b", "wan"),
    recordBeats(pair, "a", "wan"),
    recordBeats(pair, "b", "lan"),
  ]);
  await vi.waitUntil(() => recordings.every(({ seen }) => seen.length >= 12), { timeout: 10_000 });
  for (const recording of recordings) recording.close();
  [fromB, fromA, overLan] = recordings.map(({ seen }) => seen) as [SeenBeat[], SeenBeat[], SeenBeat[]];
  const port = async (box: "a" | "b") => ({
    mac: (await pair.mac(pair.hosts[box])) as Mac,
    address: await linkLocal(pair.hosts[box], "eth0"),
  });
  [toA, toB] = [await port("a"), await port("b")];
  wan = await Injector.open(pair, "wan");
  before = await standing();
});
afterAll(async () => {
  await prober.stop();
  await pair.destroy();
});

async function standing() {
  const lapses = (await pair.counters("a"))["lapses"];
  // The prober gives an echo half a second, and tells ten times a second.
  return { moves: await pair.moves(), lapses, lost: prober.tick.lost };
}

/** Nothing moved, lapsed or got lost since the start. */
async function expectUntouched(): Promise<void> {
  await pair.settled("a");
  expect(await standing()).toEqual(before);
}

/** The counters of box a that rise while something is sent, by how much at least. */
async function expectCounted(send: () => void, wanted: Readonly<Record<string, number>>): Promise<void> {
  const start = await pair.counters("a");
  send();
  const risen = (now: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.keys(wanted).map((name) => [name, (now[name] ?? 0) - (start[name] ?? 0)]));
  await expect.poll(async () => risen(await pair.counters("a")), { timeout: 5_000 }).toEqual(wanted);
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

describe("heartbeats that the peer did not send now", () => {
  it("are refused as replayed, wherever they seem to come from, and the box's own go to the peer as before", async () => {
    const recording = await recordBeats(pair, "a", "wan");
    const stranger = await linkLocal(pair.stranger, "eth0");
    const old = fromB.slice(-10);
    await expectCounted(
      () => {
        for (const { source, payload } of old) wan.datagram({ source, payload, to: toA });
        for (const { payload } of old) wan.datagram({ source: stranger, payload, to: toA });
        for (const { payload } of old) wan.datagram({ source: stranger, payload });
      },
      { replayed: 30, accepted: expect.any(Number) },
    );
    const length = recording.seen.length;
    await expect.poll(() => recording.seen.length, { timeout: 5_000 }).toBeGreaterThan(length + 5);
    recording.close();
    const unicast = recording.seen.map(({ destination }) => destination).filter((to) => to !== BEAT_GROUP);
    expect(new Set(unicast)).toEqual(new Set([toB.address]));
    await expectUntouched();
  });

  it("are refused when they are the box's own, or were sent on another path", async () => {
    const [own] = fromA;
    await expectCounted(() => wan.datagram({ ...own!, to: toA }), { "own-box": 1 });
    await expectCounted(() => wan.datagram({ ...overLan.at(-1)!, source: fromB[0]!.source, to: toA }), {
      "other-path": 1,
    });
    await expectUntouched();
  });

  it("are refused when they come from beyond the link", async () => {
    const { payload, source } = fromB[0]!;
    await expectCounted(() => wan.datagram({ payload, source, to: toA, hopLimit: 254 }), { "hop-limit": 1 });
    await expectCounted(() => wan.datagram({ payload, source: "fd00::66" as Ipv6, to: toA }), { "not-link-local": 1 });
    await expectUntouched();
  });

  it("are refused when any part of them was changed", async () => {
    const { payload, source } = fromB.at(-1)!;
    const changes: readonly (readonly [what: string, at: number, change: (byte: number) => number])[] = [
      ["the first letter", 0, (byte) => byte ^ 1],
      ["the version", 2, (byte) => byte + 1],
      ["the type", 3, () => 9],
      ["the length", 5, (byte) => byte ^ 4],
      ["the count of groups", 6, () => 200],
      ["the box", 7, (byte) => byte ^ 1],
      ["the dead time", 12, () => 0xff],
      ["the nonce", 24, (byte) => byte ^ 0x80],
      ["the sequence", 47, (byte) => byte + 3],
      ["the state of the group", 84, () => 2],
      ["the last byte of the MAC", payload.length - 1, (byte) => byte ^ 1],
    ];
    const send = () => {
      for (const [, at, change] of changes)
        wan.datagram({ payload: changed(payload, at, change(payload[at]!)), source, to: toA });
    };
    const once = { "bad-magic": 1, "bad-version": 1, "bad-type": 1, "bad-length": 1, "bad-group-count": 1 };
    await expectCounted(send, { ...once, "bad-mac": 6 });
    await expectUntouched();
  });

  it("are refused when they are cut off at any length, or longer than any", async () => {
    const { payload, source } = fromB.at(-1)!;
    const send = (bytes: Uint8Array) => wan.datagram({ payload: bytes, source, to: toA });
    await expectCounted(
      () => {
        for (let length = 0; length < payload.length; length++) send(payload.subarray(0, length));
        for (const length of [payload.length + 1, 289, 1_400]) {
          const long = new Uint8Array(length);
          long.set(payload);
          send(long);
        }
      },
      { "too-short": 96, "bad-length": payload.length - 96 + 3 },
    );
    // As fragments, by an ordinary socket.
    const script = `const s = require("node:dgram").createSocket("udp6"), to = "${toA.address}%eth0";
      s.bind(0, () => { s.setTTL(255); s.send(Buffer.alloc(60000, "FT"), ${BEAT_PORT}, to, () => s.close()); })`;
    const start = await pair.counters("a");
    await pair.stranger.run([process.execPath, "-e", script]);
    await expect
      .poll(async () => (await pair.counters("a"))["bad-version"], { timeout: 5_000 })
      .toBe((start["bad-version"] ?? 0) + 1);
    await expectUntouched();
  });

  it("do no harm by their number", async () => {
    const { payload, source } = fromB.at(-1)!;
    const stranger = await linkLocal(pair.stranger, "eth0");
    const start = (await pair.counters("a"))["replayed"] ?? 0;
    for (let i = 0; i < 20_000; i++) {
      wan.datagram({ payload, source: i % 2 === 0 ? source : stranger, to: i % 3 === 0 ? toB : toA });
      if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await expect
      .poll(async () => (await pair.counters("a"))["replayed"] ?? 0, { timeout: 5_000 })
      .toBeGreaterThan(start + 1_000);
    await expectUntouched();
  });
});

describe("garbage of every protocol that a box reads", () => {
  const someone = { mac: "02:00:00:00:00:77" as Mac, v4: "10.1.0.77" as Ipv4, v6: "fe80::77" as Ipv6 };
  const advertisement = { vrid: 99, priority: 200, maxAdvertiseInterval: seconds(1) };
  const vrrp4 = encodeAdvertisement({ ...advertisement, addresses: [someone.v4] }, someone.v4, "rfc5798");
  const vrrp6 = encodeAdvertisement({ ...advertisement, addresses: [someone.v6] }, someone.v6, "rfc5798");
  const templates: readonly [string, () => Uint8Array][] = [
    ["ARP request", () => encodeGratuitousArp("request", someone.v4, someone.mac)],
    ["ARP reply", () => encodeGratuitousArp("reply", someone.v4, someone.mac)],
    ["Neighbour Advertisement", () => encodeUnsolicitedAdvertisement(someone.v6, someone.mac)],
    ["VRRP for IPv4", () => encodeVrrpFrame(99, someone.v4, vrrp4)],
    ["VRRP for IPv6", () => encodeVrrpFrame(99, someone.v6, vrrp6)],
    ["heartbeat", () => datagramFrame(someone.mac, { source: someone.v6, payload: fromB.at(-1)!.payload, to: toA })],
  ];

  it.each(templates)("ends no process and moves nothing: %s", async (name, template) => {
    const pids = ourPids();
    const random = new Random(name.length);
    for (const port of PORTS) {
      const injector = await Injector.open(pair, port);
      for (const box of BOXES) {
        const whole = template().slice();
        // To the box alone: what else stands on the switch is not to be confused.
        whole.set(macBytes((await pair.mac(pair.hosts[box], DEVICES[port])) as Mac), 0);
        for (let length = 14; length <= whole.length; length++) injector.frame(whole.subarray(0, length));
        for (let i = 0; i < 300; i++) injector.frame(mutated(whole, random));
      }
      injector.close();
    }
    await expectUntouched();
    expect(ourPids()).toEqual(pids);
  });
});

function ourPids(): readonly (readonly number[])[] {
  const ours = /runtime\/(core|sentinel)\/main|build\/pulse/;
  return BOXES.map((box) =>
    processesIn(pair.hosts[box].path).flatMap(({ pid, command }) => (ours.test(command) ? [pid] : [])),
  );
}

/** Some bytes behind the Ethernet header are others, and now and then the length is. */
function mutated(whole: Uint8Array, random: Random): Uint8Array {
  const copy = whole.slice();
  for (let n = random.whole(1, 6); n > 0; n--) copy[random.whole(14, copy.length - 1)] = random.whole(0, 255);
  return random.chance(0.2) ? copy.subarray(0, random.whole(14, copy.length)) : copy;
}
