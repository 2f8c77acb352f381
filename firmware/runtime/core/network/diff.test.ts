import type { AddressEntry, Link, RouteEntry } from "@futago/hal/contract/network.ts";
import {
  type Ifindex,
  type Ifname,
  type InterfaceAddress,
  type IpAddress,
  parseInterfaceAddress,
} from "@futago/hal/units/address.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DesiredNetwork } from "./desired.ts";
import { type ActualNetwork, diffNetwork, type NetworkAction } from "./diff.ts";

const eth0 = "eth0" as Ifname;
const eth1 = "eth1" as Ifname;
const ip = (text: string) => text as IpAddress;
const subnet = (text: string): InterfaceAddress => parseInterfaceAddress(text)!;

const PERMANENT = 0x80;

function link(ifname: Ifname, ifindex: number, up = true): Link {
  const rest = { mac: undefined, mtu: 1500, carrier: true, operstate: "up", kind: "veth", upper: undefined } as const;
  return { ifname, ifindex: ifindex as Ifindex, up, ...rest };
}

function entry(
  ifindex: number,
  text: string,
  flags = PERMANENT,
  scope: AddressEntry["scope"] = "global",
): AddressEntry {
  return { ifindex: ifindex as Ifindex, ...subnet(text), flags, scope };
}

function route(via: string, destination: string | undefined, protocol: number, metric = 0): RouteEntry {
  const family = via.includes(":") ? "ipv6" : "ipv4";
  const to = destination === undefined ? undefined : subnet(destination);
  return { family, destination: to, via: ip(via), ifindex: 2 as Ifindex, metric, protocol };
}

const desired: DesiredNetwork = {
  down: [],
  untouched: [],
  devices: [eth0],
  addresses: [{ device: eth0, address: subnet("10.1.0.2/24") }],
  routes: [{ family: "ipv4", destination: undefined, via: ip("10.1.0.254"), device: eth0, metric: 0 }],
  neighbours: [{ device: eth0, address: ip("10.1.0.254") }],
  sysctls: [],
  virtualAddresses: new Set([ip("10.1.0.1")]),
};
const settled: ActualNetwork = {
  links: [link(eth0, 2), link(eth1, 3)],
  addresses: [entry(2, "10.1.0.2/24")],
  routes: [route("10.1.0.254", undefined, 205)],
  neighbours: [{ ifindex: 2 as Ifindex, address: ip("10.1.0.254"), mac: undefined, state: 2, managed: true }],
};
const bare: ActualNetwork = { links: [link(eth0, 2, false)], addresses: [], routes: [], neighbours: [] };

const kinds = (actions: readonly NetworkAction[]) => actions.map((action) => action.kind);

describe("the difference between wanted and actual network", () => {
  it("is everything, in an order that the kernel takes, on a bare box", () => {
    const { actions } = diffNetwork(desired, bare, undefined);
    expect(kinds(actions)).toEqual(["setLinkUp", "addAddress", "replaceRoute", "addNeighbour"]);
    expect(actions[2]).toMatchObject({ route: { via: "10.1.0.254", ifindex: 2, destination: undefined } });
  });

  it("is nothing once it is settled", () => {
    expect(diffNetwork(desired, settled, undefined)).toEqual({ actions: [], missingDevices: [] });
  });

  it("sets a port down that shall be, once, after what was on it is gone, and leaves alone what stands on one", () => {
    const shut = {
      ...desired,
      down: [eth0],
      addresses: [],
      routes: [],
      neighbours: [],
      virtualAddresses: new Set<never>(),
    };
    const active = { ...settled, addresses: [...settled.addresses, entry(2, "10.1.0.1/24")] };
    expect(kinds(diffNetwork(shut, active, desired).actions)).toEqual([
      "deleteRoute",
      "deleteAddress",
      "deleteAddress",
      "deleteNeighbour",
      "setLinkDown",
    ]);
    expect(diffNetwork(shut, { ...bare, links: [link(eth0, 2, false)] }, undefined).actions).toEqual([]);
    const onIt = { ...shut, down: [], untouched: [eth0] };
    expect(diffNetwork(onIt, { ...bare, links: [link(eth0, 2, false)] }, undefined).actions).toEqual([]);
  });

  it("leaves virtual addresses to the sentinel, there or not", () => {
    const active = { ...settled, addresses: [...settled.addresses, entry(2, "10.1.0.1/24"), entry(2, "10.1.0.1/32")] };
    expect(diffNetwork(desired, active, undefined).actions).toEqual([]);
  });

  it("removes an address that somebody put on our device, but none that is leased, link-local or elsewhere", () => {
    const addresses = [
      ...settled.addresses,
      entry(2, "10.9.0.9/24"),
      entry(2, "10.8.0.8/24", 0),
      entry(2, "fe80::9/64", PERMANENT, "link"),
      entry(3, "10.7.0.7/24"),
    ];
    const { actions } = diffNetwork(desired, { ...settled, addresses }, undefined);
    expect(actions).toEqual([{ kind: "deleteAddress", device: eth0, ifindex: 2, address: subnet("10.9.0.9/24") }]);
  });

  it("replaces an address whose prefix length changed, the old one first", () => {
    const addresses = [entry(2, "10.1.0.2/16")];
    const { actions } = diffNetwork(desired, { ...settled, addresses }, undefined);
    expect(kinds(actions)).toEqual(["deleteAddress", "addAddress"]);
  });

  it("removes our own stale route and leaves a stranger's alone", () => {
    const routes = [...settled.routes, route("10.1.0.9", "10.5.0.0/16", 205), route("10.1.0.9", "10.6.0.0/16", 4)];
    const { actions } = diffNetwork(desired, { ...settled, routes }, undefined);
    expect(actions).toHaveLength(1);
    expect(actions[0]).toMatchObject({ kind: "deleteRoute", route: { destination: subnet("10.5.0.0/16") } });
  });

  it("takes the kernel's metric 1024 for IPv6's 0, and host bits in a destination for none", () => {
    const wanted = {
      ...desired,
      routes: [
        { family: "ipv6" as const, destination: subnet("fd00:9::1/64"), via: ip("fd00::fe"), device: eth0, metric: 0 },
        {
          family: "ipv4" as const,
          destination: subnet("10.5.1.1/16"),
          via: ip("10.1.0.9"),
          device: eth0,
          metric: 7,
        },
      ],
    };
    const routes = [route("fd00::fe", "fd00:9::/64", 205, 1024), route("10.1.0.9", "10.5.0.0/16", 205, 7)];
    expect(diffNetwork(wanted, { ...settled, routes }, undefined).actions).toEqual([]);
  });

  it("names a missing device and does nothing for it, whatever hangs on it", () => {
    const { actions, missingDevices } = diffNetwork(desired, { ...bare, links: [link(eth1, 3)] }, undefined);
    expect(missingDevices).toEqual([eth0]);
    expect(actions).toEqual([]);
  });

  it("takes away what only the previous configuration wanted, on a device that is no longer ours, too", () => {
    const moved: DesiredNetwork = { ...desired, devices: [eth1], addresses: [], routes: [], neighbours: [] };
    const { actions } = diffNetwork(moved, settled, desired);
    expect(kinds(actions)).toEqual(["deleteRoute", "deleteAddress", "deleteNeighbour"]);
  });

  it("leads to the wanted state in one pass from any mixture, and then to nothing more", () => {
    const address = fc.constantFrom("10.1.0.2/24", "10.1.0.1/24", "10.9.0.9/24", "10.1.0.2/16");
    fc.assert(
      fc.property(fc.uniqueArray(address), fc.boolean(), fc.boolean(), fc.boolean(), (there, up, routed, known) => {
        const actual: ActualNetwork = {
          links: [link(eth0, 2, up)],
          addresses: there.map((text) => entry(2, text)),
          routes: routed ? settled.routes : [],
          neighbours: known ? settled.neighbours : [],
        };
        const after = carryOut(actual, diffNetwork(desired, actual, undefined).actions);
        expect(diffNetwork(desired, after, undefined).actions).toEqual([]);
        const virtual = after.addresses.filter((one) => one.address === ip("10.1.0.1"));
        expect(virtual).toHaveLength(there.includes("10.1.0.1/24") ? 1 : 0);
      }),
    );
  });
});

/** A kernel of a few lines. */
function carryOut(actual: ActualNetwork, actions: readonly NetworkAction[]): ActualNetwork {
  let { links, addresses, routes, neighbours } = actual;
  for (const action of actions) {
    switch (action.kind) {
      case "setLinkUp":
      case "setLinkDown":
        links = links.map((one) => ({ ...one, up: action.kind === "setLinkUp" }));
        break;
      case "addAddress":
        addresses = [...addresses, { ...action.address, ifindex: action.ifindex, flags: PERMANENT, scope: "global" }];
        break;
      case "deleteAddress":
        addresses = addresses.filter(
          (one) => one.address !== action.address.address || one.prefixLength !== action.address.prefixLength,
        );
        break;
      case "replaceRoute":
        routes = [...routes, { ...action.route, protocol: 205 }];
        break;
      case "deleteRoute":
        routes = routes.filter((one) => one.via !== action.route.via);
        break;
      case "addNeighbour":
        neighbours = [...neighbours, { ...action, mac: undefined, state: 0, managed: true }];
        break;
      case "deleteNeighbour":
        neighbours = neighbours.filter((one) => one.address !== action.address);
    }
  }
  return { links, addresses, routes, neighbours };
}
