import { type IpAddress, parseInterfaceAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { describe, expect, it } from "vitest";
import { type NetworkFacts, nextHop } from "./next-hop.ts";

const address = (text: string) => parseIpAddress(text) as IpAddress;
const route = (destination: string | undefined, via: string | undefined, ifindex: number, metric = 0) => ({
  family: destination?.includes(":") === true ? "ipv6" : "ipv4",
  ifindex,
  metric,
  protocol: 205,
  destination: destination === undefined ? undefined : parseInterfaceAddress(destination),
  via: via === undefined ? undefined : address(via),
});
const network = {
  links: [
    { ifindex: 2, ifname: "eth0", mtu: 1500 },
    { ifindex: 3, ifname: "eth1", mtu: 9000 },
  ],
  addresses: [{ ...parseInterfaceAddress("10.2.0.2/24"), ifindex: 3 }],
  routes: [
    route(undefined, "10.1.0.254", 2),
    route("10.9.0.0/16", "10.1.0.253", 2, 20),
    route("10.9.0.0/16", "10.2.0.253", 3, 10),
  ],
  neighbours: [
    { ifindex: 2, address: address("10.1.0.254"), mac: "02:00:00:00:01:fe", state: 0x02 },
    { ifindex: 3, address: address("10.2.0.11"), mac: "02:00:00:00:02:0b", state: 0x04 },
    { ifindex: 3, address: address("10.2.0.12"), mac: undefined, state: 0x20 },
  ],
} as unknown as NetworkFacts;

describe("the next hop", () => {
  it.each([
    ["10.2.0.11", { device: "eth1", via: undefined, mac: "02:00:00:00:02:0b", mtu: 9000 }],
    ["10.2.0.12", { device: "eth1", via: undefined, mac: undefined }],
    ["198.51.100.7", { device: "eth0", via: "10.1.0.254", mac: "02:00:00:00:01:fe", mtu: 1500 }],
    ["10.9.1.1", { device: "eth1", via: "10.2.0.253", mac: undefined }],
  ])("to %s is by link, longest prefix and lowest metric", (to, hop) => {
    expect(nextHop(network, address(to))).toMatchObject(hop);
  });

  it("is nowhere without a route of the family", () => {
    expect(nextHop(network, address("2001:db8::7"))).toBeUndefined();
  });
});
