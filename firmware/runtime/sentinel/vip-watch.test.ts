import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Ifindex, type Ipv4, type Ipv6, type Mac, parseMac } from "@futago/hal/units/address.ts";
import { after, type Instant, instant, millis } from "@futago/hal/units/time.ts";
import { encodeGratuitousArp } from "../../announce/arp.ts";
import { encodeUnsolicitedAdvertisement } from "../../announce/nd.ts";
import { advertisementFrame } from "./advertisement.ts";
import {
  BOX_MAC,
  cidr,
  ETH0,
  groupOf,
  ip,
  PairMachine,
  pairOrders,
  PEER_MAC,
  pass,
  routerOf,
} from "./pair-machine.suite.ts";
import { VipWatch } from "./vip-watch.ts";

const STRANGER = parseMac("02:00:00:00:00:99")!;
const OTHER_PORT = 99 as Ifindex;
const V6 = routerOf(["fe80::1/64", "fd00::1/64"], { family: "ipv6" });

let machine: PairMachine;
let watch: VipWatch;
let defended: string[];
let changes: number;

beforeEach(async () => {
  vi.useFakeTimers();
  machine = await new PairMachine().ready();
  machine.frames.plug(OTHER_PORT, machine.wan);
  defended = [];
  changes = 0;
  watch = new VipWatch(machine.hal, machine.links, {
    onChange: () => {
      changes += 1;
    },
    onDefend: (group) => defended.push(group),
  });
  watch.configure(pairOrders({ groups: [groupOf([routerOf(["10.1.0.1/24"]), V6])] }));
  watch.setHeld(heldSince(instant(0)), new Set([PEER_MAC]));
});

afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

/** Another port of the wan sends this. */
async function hear(frame: Uint8Array): Promise<void> {
  const socket = machine.frames.open({ ifindex: OTHER_PORT, receive: "none" });
  socket.send(frame);
  socket.close();
  await pass(0);
}

const heldSince = (at: Instant) => new Map([["edge", at]]);
const claim = (address: string, mac: Mac) => encodeGratuitousArp("reply", ip(address) as Ipv4, mac);
const sentences = () => watch.alarms().map(({ kind, sentence }) => `${kind}: ${sentence}`);

describe("an address conflict", () => {
  test("with a VIP that is ours is shown with the other's Ethernet address, and defended", async () => {
    await hear(claim("10.1.0.1", STRANGER));
    expect(sentences()).toEqual([
      "address-conflict: 02:00:00:00:00:99 on wan says that it holds 10.1.0.1, 1 times so far; take the address from that machine",
    ]);
    expect(watch.alarms()[0]?.since).toBe("2030-01-01T00:01:40.000Z");
    expect([defended, changes]).toEqual([["edge"], 1]);
  });

  test("with an own address of the box is shown, whoever holds the VIP", async () => {
    watch.setHeld(new Map(), new Set());
    await hear(claim("10.1.0.2", STRANGER));
    expect(sentences()).toHaveLength(1);
    expect(defended).toEqual([]);
  });

  test("is found in neighbour advertisements as well", async () => {
    await hear(encodeUnsolicitedAdvertisement(ip("fd00::1") as Ipv6, STRANGER));
    expect(sentences()[0]).toContain("02:00:00:00:00:99 on wan says that it holds fd00::1");
  });

  test("is counted once for one claimant, and forgotten a minute after its last word", async () => {
    await hear(claim("10.1.0.1", STRANGER));
    await pass(59_000);
    await hear(claim("10.1.0.1", STRANGER));
    expect(sentences()).toHaveLength(1);
    expect(sentences()[0]).toContain("2 times");
    await pass(59_999);
    expect(sentences()).toHaveLength(1);
    await pass(1);
    expect(sentences()).toEqual([]);
  });

  const innocent: readonly [string, () => Uint8Array, (() => void)?][] = [
    ["the peer's announcement of a VIP", () => claim("10.1.0.1", PEER_MAC)],
    ["our own announcement that a switch sends back", () => claim("10.1.0.1", BOX_MAC)],
    ["a claim of an address that is nobody's here", () => claim("10.1.0.77", STRANGER)],
    ["a claim of an own address of the peer", () => claim("10.1.0.3", STRANGER)],
    [
      "a claim of a VIP while it is not ours alone",
      () => claim("10.1.0.1", STRANGER),
      () => watch.setHeld(new Map(), new Set()),
    ],
    [
      "a claim from before a VIP was ours alone, though it is read after that",
      () => claim("10.1.0.1", STRANGER),
      () => watch.setHeld(heldSince(after(machine.now(), millis(1))), new Set()),
    ],
    ["somebody who asks whether a VIP is free", () => claim("0.0.0.0", STRANGER)],
    ["a frame that is no ARP at all", () => Uint8Array.from({ length: 60 }, () => 0)],
    ["an ARP cut short", () => claim("10.1.0.1", STRANGER).slice(0, 30)],
  ];
  test.each(innocent)("is not %s", async (_, frame, prepare) => {
    prepare?.();
    await hear(frame());
    expect(sentences()).toEqual([]);
  });

  test("is none any more when the claimant turns out to be the peer, while a stranger's stays", async () => {
    watch.setHeld(heldSince(instant(0)), new Set());
    await hear(claim("10.1.0.1", PEER_MAC));
    await hear(claim("10.1.0.1", STRANGER));
    expect(sentences()).toHaveLength(2);
    watch.setHeld(heldSince(instant(0)), new Set([PEER_MAC]));
    expect(sentences()).toEqual([expect.stringContaining("02:00:00:00:00:99 on wan")]);
  });

  test("is not what this box itself sends", async () => {
    const socket = machine.frames.open({ ifindex: machine.eth0, receive: "none" });
    socket.send(claim("10.1.0.1", STRANGER));
    await pass(0);
    expect(sentences()).toEqual([]);
  });
});

describe("a stranger's VRRP", () => {
  const advert = (source: string, vrid = 10, priority = 250) =>
    advertisementFrame(routerOf(["10.1.0.1/24"], { vrid }), priority, ip(source));
  const advert6 = (source: string) => advertisementFrame(V6, 150, ip(source));

  test("on a VRID of ours is shown with its addresses", async () => {
    await hear(advert("10.1.0.9"));
    await hear(advert("10.1.0.9"));
    expect(sentences()).toEqual([
      "vrid-conflict: 10.1.0.9 (00:00:5e:00:01:0a) advertises VRID 10 on wan with priority 250 and is not of this pair, 2 times so far; give it or this virtual router another VRID",
    ]);
    expect(changes).toBe(1);
  });

  test("over IPv6 is told from the peer's by its link-local address", async () => {
    watch.setPeerLinkLocals(new Set([ip("fe80::b")]));
    await hear(advert6("fe80::b"));
    expect(sentences()).toEqual([]);
    await hear(advert6("fe80::99"));
    await pass(4_000);
    expect(sentences()[0]).toContain("fe80::99");
  });

  test("over IPv6 is not the peer's that its heartbeats name a moment later", async () => {
    await hear(advert6("fe80::b"));
    expect(sentences()).toEqual([]);
    watch.setPeerLinkLocals(new Set([ip("fe80::b")]));
    // The peer restarts: for a moment its heartbeats are not heard.
    watch.setPeerLinkLocals(new Set());
    await pass(4_000);
    expect(sentences()).toEqual([]);
  });

  test("over IPv6 is not told from the peer's where no heartbeat goes", async () => {
    const orders = pairOrders({ groups: [groupOf([V6])] });
    watch.configure({ ...orders, pair: { ...orders.pair, over: [] } });
    await hear(advert6("fe80::99"));
    await pass(4_000);
    expect(sentences()).toEqual([]);
  });

  test("ends a minute after its last word", async () => {
    await hear(advert("10.1.0.9"));
    await pass(60_000);
    expect(sentences()).toEqual([]);
  });

  test.each([
    ["the peer's", advert("10.1.0.3")],
    ["our own", advert("10.1.0.2")],
    ["one on another VRID", advert("10.1.0.9", 77)],
    ["a damaged one", advert("10.1.0.9").map((byte, i) => (i === 40 ? byte ^ 1 : byte))],
  ])("is not %s", async (_, frame) => {
    await hear(frame);
    expect(sentences()).toEqual([]);
  });
});

describe("the links", () => {
  test("are listened on as they come and go", async () => {
    machine.frames.remove(machine.eth0);
    machine.network.unplug(machine.eth0);
    await pass(0);
    watch.configure(pairOrders());
    const again = machine.network.plug(ETH0, { mac: BOX_MAC });
    machine.frames.plug(again, machine.wan);
    await pass(0);
    watch.configure(pairOrders());
    await hear(claim("10.1.0.1", STRANGER));
    expect(sentences()).toHaveLength(1);
  });

  test("that vanished before they could be listened on harm nobody", () => {
    machine.frames.remove(machine.eth0);
    watch.close();
    expect(() => watch.configure(pairOrders())).not.toThrow();
  });

  test("without a VIP are left alone", async () => {
    watch.configure({
      ...pairOrders({ groups: [] }),
      interfaces: [{ name: "wan", device: ETH0, addresses: [cidr("10.1.0.2/24")], peerAddresses: [] }],
    });
    await hear(claim("10.1.0.2", STRANGER));
    expect(sentences()).toEqual([]);
  });
});
