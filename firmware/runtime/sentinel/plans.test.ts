import { describe, expect, test } from "vitest";
import type { Link } from "@futago/hal/contract/network.ts";
import { requestBuilder } from "@futago/hal/netlink/request-builder.ts";
import { type Ifindex, parseIfname, parseMac } from "@futago/hal/units/address.ts";
import { fromHex, toHex } from "@futago/hal/units/bytes.ts";
import type { PulseOperation } from "@futago/hal/units/pulse.ts";
import { cidr, ETH0, ETH1, groupOf, routerOf } from "./pair-machine.suite.ts";
import { type PlanContext, releaseOperations, takeOverOperations } from "./plans.ts";

function link(ifname: string, ifindex: number, mac: string | undefined): Link {
  const shape = { mtu: 1500, up: true, carrier: true, operstate: "up", kind: undefined, upper: undefined } as const;
  const name = parseIfname(ifname)!;
  return { ...shape, ifname: name, ifindex: ifindex as Ifindex, mac: mac === undefined ? undefined : parseMac(mac)! };
}

const eth0 = link("eth0", 2, "02:00:00:00:00:0a");
const context: PlanContext = {
  requests: requestBuilder,
  links: new Map([
    ["eth0", eth0],
    ["eth1", link("eth1", 3, "02:00:00:00:01:0a")],
  ]),
  interfaces: [{ name: "wan", device: ETH0, addresses: [cidr("10.1.0.2/24")], peerAddresses: [] }],
};

function bytes(text: string): string {
  return toHex(fromHex(text.replaceAll(/\s/g, ""))!);
}

/** "netlink" or "frame on 2", and the bytes. */
function shown(operations: readonly PulseOperation[]): [string, string][] {
  return operations.map((one) => [one.kind === "frame" ? `frame on ${one.ifindex}` : "netlink", toHex(one.bytes)]);
}

/**
 * RTM_NEWADDR (20), NLM_F_REQUEST | CREATE | REPLACE, no acknowledgement, of 10.1.0.1 on link 2, where 10.1.0.0/24 is
 * the own address's: it stands alone there, as /32.
 */
const ADD_IN_OWN_SUBNET = bytes(`
  30000000 1400 0105 00000000 00000000
  02 20 02 00 02000000
  0800 0200 0a010001
  0800 0100 0a010001
  0800 0800 02020000`); // IFA_FLAGS: IFA_F_NODAD | IFA_F_NOPREFIXROUTE
const ADD_ELSEWHERE = bytes(`
  30000000 1400 0105 00000000 00000000
  02 18 02 00 03000000
  0800 0200 0a020001
  0800 0100 0a020001
  0800 0800 02000000`); // IFA_FLAGS: IFA_F_NODAD alone
const DELETE = bytes(`
  28000000 1500 0100 00000000 00000000
  02 20 00 00 02000000
  0800 0200 0a010001
  0800 0100 0a010001`);
const GARP_REQUEST = bytes(`
  ffffffffffff 02000000000a 0806
  0001 0800 06 04 0001
  02000000000a 0a010001
  02000000000a 0a010001`);
const GARP_REPLY = GARP_REQUEST.replace("0604000102", "0604000202");

describe("the take-over plan", () => {
  test("adds the address, then tells the neighbours by a request and by a reply", () => {
    expect(shown(takeOverOperations(context, groupOf([routerOf(["10.1.0.1/24"])])))).toEqual([
      ["netlink", ADD_IN_OWN_SUBNET],
      ["frame on 2", GARP_REQUEST],
      ["frame on 2", GARP_REPLY],
    ]);
  });

  test("adds the addresses of all links before any neighbour is told", () => {
    const lan = routerOf(["10.2.0.1/24"], { interface: "lan", device: ETH1, vrid: 11 });
    const operations = shown(takeOverOperations(context, groupOf([routerOf(["10.1.0.1/24"]), lan])));
    expect(operations[0]).toEqual(["netlink", ADD_IN_OWN_SUBNET + ADD_ELSEWHERE]);
    expect(operations.slice(1).map(([kind]) => kind)).toEqual(["frame on 2", "frame on 2", "frame on 3", "frame on 3"]);
  });

  test.each([
    ["10.1.0.1/24", true, "in the subnet of an own address"],
    ["10.1.0.1/25", false, "with another prefix length"],
    ["10.9.0.1/24", false, "in another subnet"],
    ["10.1.0.1/32", false, "alone"],
  ])("leaves the subnet's route to the own address: %s %s", (vip, left) => {
    const [add] = takeOverOperations(context, groupOf([routerOf([vip])]));
    const flags = new DataView(add!.bytes.buffer, add!.bytes.byteOffset + add!.bytes.length - 4).getUint32(0, true);
    expect(flags).toBe(left ? 0x202 : 0x002);
  });

  test("advertises an IPv6 address unsolicited, with Override, from the address itself to all hosts", () => {
    const router = routerOf(["fe80::1/64", "fd00::1/64"], { family: "ipv6" });
    const operations = shown(takeOverOperations(context, groupOf([router])));
    expect(operations.map(([kind]) => kind)).toEqual(["netlink", "frame on 2", "frame on 2"]);
    const frame = operations[2]![1];
    // Ethernet to 33:33:00:00:00:01; IPv6, ICMPv6, hop limit 255, from fd00::1 to ff02::1.
    expect(frame.slice(0, 28)).toBe(bytes("333300000001 02000000000a 86dd"));
    expect(frame.slice(28 + 8, 28 + 80)).toBe(
      bytes("0020 3a ff fd000000000000000000000000000001 ff020000000000000000000000000001"),
    );
    // Type 136, code 0; Router and Override; the target; its link-layer address.
    const message = frame.slice(108);
    expect(message.slice(0, 4)).toBe("8800");
    expect(message.slice(8)).toBe(bytes("a0000000 fd000000000000000000000000000001 0201 02000000000a"));
  });

  test("leaves out a link that is not there", () => {
    const without = { ...context, links: new Map([["eth0", eth0]]) };
    const lan = routerOf(["10.2.0.1/24"], { device: ETH1 });
    expect(shown(takeOverOperations(without, groupOf([lan, routerOf(["10.1.0.1/24"])])))[0]).toEqual([
      "netlink",
      ADD_IN_OWN_SUBNET,
    ]);
    expect(takeOverOperations(without, groupOf([lan]))).toEqual([]);
  });

  test("has nobody to tell on a link without an Ethernet address", () => {
    const tunnel = { ...context, links: new Map([["eth0", link("eth0", 2, undefined)]]) };
    expect(shown(takeOverOperations(tunnel, groupOf([routerOf(["10.1.0.1/24"])])))).toEqual([
      ["netlink", ADD_IN_OWN_SUBNET],
    ]);
  });
});

describe("the release plan", () => {
  test("removes every address in one go and says nothing", () => {
    const [both, ...more] = shown(releaseOperations(context, groupOf([routerOf(["10.1.0.1/24", "10.1.0.1/24"])])));
    expect(both).toEqual(["netlink", DELETE + DELETE]);
    expect(more).toEqual([]);
  });

  test("is empty when the link is gone", () => {
    expect(releaseOperations({ ...context, links: new Map() }, groupOf([routerOf(["10.1.0.1/24"])]))).toEqual([]);
  });
});
