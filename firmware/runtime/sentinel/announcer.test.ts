import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Ifindex } from "@futago/hal/units/address.ts";
import { decodeArp } from "../../announce/arp.ts";
import { decodeNeighbour } from "../../announce/nd.ts";
import { decodeVrrpFrame } from "../../announce/vrrp-frame.ts";
import { decodeAdvertisement } from "../../standby/vrrp/packet.ts";
import { Announcer } from "./announcer.ts";
import { BOX_MAC, cidr, ETH0, groupOf, PairMachine, pairOrders, pass, routerOf } from "./pair-machine.suite.ts";

const MAC_OF_LISTENER = 99 as Ifindex;
const START = 100_000;

let machine: PairMachine;
let announcer: Announcer;
/** What a host on the wan hears: milliseconds since the start, and what. */
let heard: string[];

beforeEach(async () => {
  vi.useFakeTimers();
  machine = await new PairMachine().ready();
  announcer = new Announcer(machine.hal, machine.links);
  heard = [];
  machine.frames.plug(MAC_OF_LISTENER, machine.wan);
  const note = (what: string) => heard.push(`${machine.now() / 1_000 - START} ${what}`);
  machine.frames.open({
    ifindex: MAC_OF_LISTENER,
    receive: "arp",
    onFrame: ({ bytes }) => {
      const arp = decodeArp(bytes)!;
      note(`${arp.operation} ${arp.senderAddress} at ${arp.senderMac}`);
    },
  });
  machine.frames.open({
    ifindex: MAC_OF_LISTENER,
    receive: "nd",
    onFrame: ({ bytes }) => {
      const packet = decodeNeighbour(bytes)!;
      note(`${packet.kind} ${packet.target} at ${packet.linkLayer}`);
    },
  });
  machine.frames.open({
    ifindex: MAC_OF_LISTENER,
    receive: "vrrp",
    onFrame: ({ bytes }) => {
      const frame = decodeVrrpFrame(bytes);
      if (!frame.ok) throw new Error(frame.reason);
      const packet = decodeAdvertisement(frame.value.message, frame.value);
      if (!packet.ok) throw new Error(packet.reason);
      note(`vrrp ${packet.value.vrid} priority ${packet.value.priority} from ${packet.value.source}`);
    },
  });
});

afterEach(() => {
  announcer.close();
  vi.useRealTimers();
});

function start(orders = pairOrders()): void {
  announcer.start(3, orders.groups[0]!, orders.interfaces);
}

const arps = () => heard.filter((line) => line.includes("request")).map((line) => Number(line.split(" ")[0]));
const adverts = () => heard.filter((line) => line.includes("vrrp")).map((line) => Number(line.split(" ")[0]));

describe("the announcer", () => {
  test("tells the neighbours at once and after 10, 50, 200 ms, 1 s and 5 s, then every minute", async () => {
    start();
    await pass(130_000);
    expect(arps()).toEqual([0, 10, 50, 200, 1_000, 5_000, 65_000, 125_000]);
    expect(heard.slice(0, 2)).toEqual([`0 request 10.1.0.1 at ${BOX_MAC}`, `0 reply 10.1.0.1 at ${BOX_MAC}`]);
  });

  test("advertises the VRID once a second from the box's own address", async () => {
    start();
    await pass(2_500);
    expect(adverts()).toEqual([0, 1_000, 2_000]);
    expect(heard).toContain("1000 vrrp 10 priority 200 from 10.1.0.2");
  });

  test("advertises from the address that the box has now", async () => {
    start();
    await pass(500);
    announcer.setInterfaces([{ name: "wan", device: ETH0, addresses: [cidr("10.1.0.66/24")], peerAddresses: [] }]);
    await pass(1_000);
    expect(heard).toContain("1000 vrrp 10 priority 200 from 10.1.0.66");
  });

  test("advertises an IPv6 virtual router from the link-local address, never from a virtual one", async () => {
    await machine.network.addAddress(machine.eth0, cidr("fe80::1/64"));
    await machine.network.addAddress(machine.eth0, cidr("fe80::a/64"));
    start(pairOrders({ groups: [groupOf([routerOf(["fe80::1/64", "fd00::1/64"], { family: "ipv6" })])] }));
    await pass(0);
    expect(heard).toEqual([
      `0 advertisement fe80::1 at ${BOX_MAC}`,
      `0 advertisement fd00::1 at ${BOX_MAC}`,
      "0 vrrp 10 priority 200 from fe80::a",
    ]);
  });

  test("does not advertise from an interface without an address of the family", async () => {
    start(pairOrders({ groups: [groupOf([routerOf(["fd00::1/64"], { family: "ipv6" })])] }));
    await pass(3_000);
    expect(adverts()).toEqual([]);
  });

  test("begins anew when it is started again", async () => {
    start();
    await pass(30);
    start();
    await pass(200);
    expect(arps()).toEqual([0, 10, 30, 40, 80, 230]);
  });

  test("is silent once it was stopped, also while it was still looking up its addresses", async () => {
    start();
    announcer.stop(3);
    await pass(70_000);
    expect(arps()).toEqual([0]);
    expect(adverts()).toEqual([]);
    start();
    await pass(0);
    heard.length = 0;
    announcer.stopAll();
    await pass(70_000);
    expect(heard).toEqual([]);
  });

  test("goes on when the link refuses a frame, and with a new socket", async () => {
    const open = machine.hal.frames.open.bind(machine.frames);
    let refusing = true;
    let opened = 0;
    vi.spyOn(machine.frames, "open").mockImplementation((options) => {
      opened += 1;
      const socket = open(options);
      const send = (frame: Uint8Array) => {
        if (refusing) throw new HalError("ENETDOWN", "send(AF_PACKET)", "Network is down");
        socket.send(frame);
      };
      return { send, close: () => socket.close() };
    });
    start();
    await pass(40);
    expect(heard).toEqual([]);
    refusing = false;
    await pass(170);
    expect(arps()).toEqual([50, 200]);
    expect(opened).toBeGreaterThan(1);
  });

  test("says nothing on a link that is not there", async () => {
    machine.links.clear();
    start();
    await pass(2_000);
    expect(heard).toEqual([]);
  });
});
