import { describe, expect, test } from "vitest";
import { parseIpAddress, parseMac, type Ipv4 } from "@futago/hal/units/address.ts";
import { instant, type Instant } from "@futago/hal/units/time.ts";
import { decodeArp, encodeGratuitousArp, type ArpPacket } from "./arp.ts";
import {
  claimIn,
  conflictSentence,
  CONFLICTS_MAX,
  type ConflictState,
  forgetConflicts,
  noConflicts,
  observeClaim,
} from "./conflict.ts";
import type { NeighbourPacket } from "./nd.ts";
import { nextTimeout, notAnnouncing, step } from "./schedule.ts";
import {
  forgetStaleHosts,
  noStaleHosts,
  observeSighting,
  sightingIn,
  staleHostSentence,
  type Sighting,
} from "./stale-hosts.ts";

const ip = (text: string) => parseIpAddress(text)!;
const mac = (text: string) => parseMac(text)!;
const at = (value: number): Instant => instant(Math.round(value * 1_000_000));

const VIP = ip("10.1.0.1");
const OURS = mac("02:00:00:00:00:01");
const THEIRS = mac("02:00:00:00:00:02");
const HOST = { mac: mac("02:00:00:00:00:99"), address: ip("10.1.0.99") };

const solicitation = (source: string, to: string): NeighbourPacket => ({
  kind: "solicitation",
  source: parseIpAddress(source) as NeighbourPacket["source"],
  target: parseIpAddress("fd00::1") as NeighbourPacket["target"],
  linkLayer: HOST.mac,
  router: false,
  solicited: false,
  override: false,
  ethernetSource: HOST.mac,
  ethernetDestination: mac(to),
});

const request = (senderAddress: string, ethernetDestination: string): ArpPacket => ({
  kind: "arp",
  operation: "request",
  senderMac: HOST.mac,
  senderAddress: parseIpAddress(senderAddress) as Ipv4,
  targetMac: mac("00:00:00:00:00:00"),
  targetAddress: VIP as Ipv4,
  ethernetSource: HOST.mac,
  ethernetDestination: mac(ethernetDestination),
});

describe("row 23: the announcing schedule", () => {
  test("at once, after 10, 50 and 200 ms, 1 s and 5 s, then every 60 s", () => {
    const started = step(notAnnouncing, { kind: "start" }, at(100));
    expect(started.announce).toBe(true);
    const times: number[] = [];
    let { state } = started;
    for (let round = 0; round < 7; round++) {
      const next = nextTimeout(state)!;
      const result = step(state, { kind: "timeout" }, next);
      expect(result.announce).toBe(true);
      times.push(next);
      state = result.state;
    }
    expect(times).toEqual([100_010_000, 100_050_000, 100_200_000, 101e6, 105e6, 165e6, 225e6]);
  });
  test("a late timeout announces once and does not make up for what it missed", () => {
    const { state } = step(notAnnouncing, { kind: "start" }, at(0));
    const late = step(state, { kind: "timeout" }, at(0.9));
    expect([late.announce, nextTimeout(late.state)]).toEqual([true, 1_000_000]);
  });
  test("an early timeout does nothing; a stop ends it; a new start begins anew", () => {
    const { state } = step(notAnnouncing, { kind: "start" }, at(0));
    expect(step(state, { kind: "timeout" }, at(0.009)).announce).toBe(false);
    expect(nextTimeout(step(state, { kind: "stop" }, at(1)).state)).toBeUndefined();
    expect(nextTimeout(step(state, { kind: "start" }, at(30)).state)).toBe(30_010_000);
    expect(step(notAnnouncing, { kind: "timeout" }, at(1)).announce).toBe(false);
  });
});

describe("address conflicts (RFC 5227)", () => {
  const held = { interface: "wan", address: VIP, macs: [OURS], since: at(10) };
  const claim = { address: VIP, mac: THEIRS };

  test("what a packet claims", () => {
    const gratuitous = decodeArp(encodeGratuitousArp("reply", VIP as Ipv4, THEIRS))!;
    expect(claimIn(gratuitous)).toEqual(claim);
    expect(claimIn(request("10.1.0.99", "ff:ff:ff:ff:ff:ff"))).toEqual({ address: HOST.address, mac: HOST.mac });
    expect(claimIn(request("0.0.0.0", "ff:ff:ff:ff:ff:ff")), "a probe asks").toBeUndefined();
    expect(claimIn(solicitation("::", "33:33:ff:00:00:01")), "so does DAD").toBeUndefined();
    expect(claimIn(solicitation("fd00::9", "33:33:ff:00:00:01"))).toEqual({ address: ip("fd00::9"), mac: HOST.mac });
    expect(
      claimIn({ ...solicitation("fd00::9", "33:33:00:00:00:01"), kind: "advertisement", linkLayer: undefined }),
    ).toEqual({
      address: ip("fd00::1"),
      mac: HOST.mac,
    });
  });
  test("another's claim is a conflict, defended at once and then every ten seconds at most", () => {
    let state: ConflictState = noConflicts;
    const defended: number[] = [];
    for (const second of [12, 13, 21.9, 22, 23, 32]) {
      const result = observeClaim(state, held, claim, at(second));
      state = result.state;
      if (result.defend) defended.push(second);
    }
    expect(defended).toEqual([12, 22, 32]);
    expect(state.conflicts).toMatchObject([{ mac: THEIRS, count: 6, firstAt: 12e6, lastAt: 32e6 }]);
    expect(conflictSentence(state.conflicts[0]!)).toBe(
      "02:00:00:00:00:02 on wan says that it holds 10.1.0.1, 6 times so far; take the address from that machine",
    );
  });
  test("our own MAC, another address and the previous holder's last words are none", () => {
    expect(observeClaim(noConflicts, held, { ...claim, mac: OURS }, at(12)).state).toBe(noConflicts);
    expect(observeClaim(noConflicts, held, { ...claim, address: ip("10.1.0.7") }, at(12)).state).toBe(noConflicts);
    expect(observeClaim(noConflicts, held, claim, at(10.999999)).state).toBe(noConflicts);
  });
  test("a silent claimant is forgotten after a minute, and the list is bounded", () => {
    let state: ConflictState = noConflicts;
    for (let i = 0; i < 40; i++) {
      const one = { ...claim, mac: mac(`02:00:00:00:01:${i.toString(16).padStart(2, "0")}`) };
      state = observeClaim(state, held, one, at(12)).state;
    }
    expect(state.conflicts).toHaveLength(CONFLICTS_MAX);
    expect(forgetConflicts(state, at(71))).toBe(state);
    expect(forgetConflicts(state, at(72)).conflicts).toHaveLength(0);
  });
});

describe("hosts that still send to the old Ethernet address", () => {
  const sighting: Sighting = { virtualAddress: VIP, host: HOST, sentTo: THEIRS };

  test("a unicast request shows where its sender believes the VIP to be", () => {
    expect(sightingIn(request("10.1.0.99", THEIRS))).toEqual(sighting);
    expect(sightingIn(solicitation("fd00::99", THEIRS))).toMatchObject({
      virtualAddress: ip("fd00::1"),
      sentTo: THEIRS,
    });
  });
  test("a broadcast, a probe and an answer show nothing", () => {
    expect(sightingIn(request("10.1.0.99", "ff:ff:ff:ff:ff:ff"))).toBeUndefined();
    expect(sightingIn(request("0.0.0.0", THEIRS))).toBeUndefined();
    expect(sightingIn(solicitation("::", THEIRS))).toBeUndefined();
    expect(sightingIn({ ...request("10.1.0.99", THEIRS), operation: "reply" })).toBeUndefined();
    expect(sightingIn({ ...solicitation("fd00::99", THEIRS), kind: "advertisement" })).toBeUndefined();
  });
  test("it is told again, once a second at most, and taken off the list when it has learnt", () => {
    const first = observeSighting(noStaleHosts, sighting, OURS, at(1));
    const again = observeSighting(first.state, sighting, OURS, at(1.5));
    const later = observeSighting(again.state, sighting, OURS, at(2));
    expect([first.tellAgain, again.tellAgain, later.tellAgain]).toEqual([true, false, true]);
    expect(later.state.hosts).toMatchObject([
      { host: HOST, count: 3, firstAt: 1e6, lastAt: 2e6, told: 2, toldAt: 2e6 },
    ]);
    expect(observeSighting(later.state, { ...sighting, sentTo: OURS }, OURS, at(3)).state.hosts).toEqual([]);
  });
  test("one whom telling does not help is told less and less often, down to every 32 seconds", () => {
    let state = noStaleHosts;
    const told: number[] = [];
    for (let second = 1; second <= 130; second++) {
      const result = observeSighting(state, sighting, OURS, at(second));
      state = result.state;
      if (result.tellAgain) told.push(second);
    }
    expect(told).toEqual([1, 2, 4, 8, 16, 32, 64, 96, 128]);
  });
  test("many frames count as many", () => {
    const first = observeSighting(noStaleHosts, { ...sighting, frames: 7 }, OURS, at(1));
    const again = observeSighting(first.state, { ...sighting, frames: 5 }, OURS, at(1.5));
    expect(again.state.hosts).toMatchObject([{ count: 12, told: 1, toldAt: 1e6 }]);
    expect(staleHostSentence(again.state.hosts[0]!, "wan")).toBe(
      "02:00:00:00:00:99 on wan (packets from 10.1.0.99) still sends to 02:00:00:00:00:02, where 10.1.0.1 was before: " +
        "12 packets so far; told again once; if that does not help, look for a fixed entry in its neighbour table",
    );
  });
  test("no more than 32 are told within a second, and those who had to wait come next", () => {
    const hosts = Array.from({ length: 40 }, (_, i) => mac(`02:00:00:00:02:${i.toString(16).padStart(2, "0")}`));
    let state = noStaleHosts;
    const told = (second: number) =>
      hosts.filter((each) => {
        const result = observeSighting(state, { ...sighting, host: { ...HOST, mac: each } }, OURS, at(second));
        state = result.state;
        return result.tellAgain;
      });
    expect(told(1)).toEqual(hosts.slice(0, 32));
    expect(told(1.5)).toEqual([]);
    expect(state.hosts.filter((host) => host.told === 0)).toHaveLength(8);
    expect(told(2)).toEqual(hosts.slice(0, 32));
    expect(told(3)).toEqual(hosts.slice(32));
  });
  test("it is forgotten after a minute, and the list is bounded", () => {
    let state = noStaleHosts;
    for (let i = 0; i < 300; i++) {
      const host = {
        ...HOST,
        mac: mac(`02:00:00:00:${(i >> 8).toString(16).padStart(2, "0")}:${(i & 255).toString(16).padStart(2, "0")}`),
      };
      state = observeSighting(state, { ...sighting, host }, OURS, at(1)).state;
    }
    expect(state.hosts).toHaveLength(256);
    expect(forgetStaleHosts(state, at(60.9)).hosts).toHaveLength(256);
    expect(forgetStaleHosts(state, at(61)).hosts).toHaveLength(0);
  });
});
