import { describe, expect, it } from "vitest";
import type { Ifname } from "@futago/hal/units/address.ts";
import { service } from "../../../balancer/services.test-support.ts";
import { blockedPorts, placeServices } from "./placement.ts";

const [eth0, eth1, eth2] = ["eth0", "eth1", "eth2"] as [Ifname, Ifname, Ifname];
const devices = new Map([
  ["s80", { front: eth0, back: [eth1] }],
  ["s81", { front: eth2, back: [eth1] }],
  ["s82", { front: eth0, back: [eth1] }],
]);
const services = [service(80, []), service(81, [], { mode: "one-arm" }), service(82, [], { mode: "direct" })];
const placed = (blocked: readonly Ifname[]) => {
  const { xdp, nftables } = placeServices(services, devices, new Map(blocked.map((device) => [device, "no"])));
  return [xdp.map(({ port }) => port), nftables.map(({ port }) => port)];
};

describe("services", () => {
  it("are XDP's while every port takes it, as the same list", () => {
    expect(placeServices(services, devices, new Map()).xdp).toBe(services);
  });

  it.each([
    ["where clients come in", [eth0], [[81, 82], [80]]],
    ["where backends sit, for their answers must be translated", [eth1], [[82], [80, 81]]],
    ["of others", [eth2], [[80, 82], [81]]],
    ["everywhere", [eth0, eth1, eth2], [[82], [80, 81]]],
  ])("go to nftables when the port is blocked %s; direct never does", (_, blocked, expected) => {
    expect(placed(blocked)).toEqual(expected);
  });

  it("stay the same objects", () => {
    const { xdp, nftables } = placeServices(services, devices, new Map([[eth0, "no"]]));
    expect([nftables[0], xdp[0]]).toEqual([services[0], services[1]]);
    expect(nftables[0]).toBe(services[0]);
  });

  it("need each blocked port once, and direct only the one where clients come in", () => {
    const blocked = new Map([eth0, eth1].map((device) => [device, "no"]));
    expect(blockedPorts({ mode: "nat" }, { front: eth0, back: [eth1, eth0] }, blocked)).toEqual([eth0, eth1]);
    expect(blockedPorts({ mode: "direct" }, { front: eth0, back: [eth1] }, blocked)).toEqual([eth0]);
    expect(blockedPorts({ mode: "nat" }, undefined, blocked)).toEqual([]);
  });
});
