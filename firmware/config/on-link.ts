/** Where addresses lie as seen from one box: on which interface, or behind which gateway. */
import {
  family,
  formatInterfaceAddress,
  type InterfaceAddress,
  type IpAddress,
  isLinkLocal,
  parseIpAddress,
} from "@futago/hal/units/address.ts";
import { longestMatch, subnetOf, type SubnetTable, subnetTable } from "./host-address.ts";
import type { Resolved } from "./resolved.ts";

/** What a box needs to know to find the way to an address. */
export interface Reach {
  /** Subnets on the links, with the name of the interface. */
  readonly links: SubnetTable<string>;
  /** Destinations of routes, with the gateway and the interface that the route names. */
  readonly routes: SubnetTable<{ readonly via: IpAddress; readonly interface: string | undefined }>;
}

/**
 * The subnets of the box's own addresses and its routes; on an interface that has no own address of a family, the
 * subnets of its virtual addresses of that family.
 */
export function reachOf(resolved: Resolved): Reach {
  return {
    links: subnetTable(linkSubnets(resolved)),
    routes: subnetTable(
      resolved.routes.map((route) => [route.destination ?? everything(route.family), route] as const),
    ),
  };
}

/** The subnets on the links alone, to be found by the addresses in them. */
export function subnetsOnLinks(resolved: Resolved): SubnetTable<InterfaceAddress> {
  return subnetTable(linkSubnets(resolved).map(([address]) => [address, subnetOf(address)] as const));
}

function linkSubnets(resolved: Resolved): readonly (readonly [InterfaceAddress, string])[] {
  const own = resolved.interfaces.flatMap((link) => link.addresses.map((address) => [address, link.name] as const));
  const has = new Set(own.map(([subnet, name]) => `${family(subnet.address)} ${name}`));
  const virtual = resolved.groups
    .flatMap((group) => group.virtualRouters)
    .filter((vr) => !has.has(`${vr.family} ${vr.interface}`))
    .flatMap((vr) => vr.addresses.map((address) => [address, vr.interface] as const));
  return [...own, ...virtual].filter(([subnet]) => !isLinkLocal(subnet.address));
}

/** The same text for boxes from which every address lies on the same interface, as those of a pair mostly do. */
export function reachKey(resolved: Resolved): string {
  const links = resolved.interfaces.map(({ name, addresses }) => [name, addresses.map(subnetText)]);
  const routes = resolved.routes.map((route) => [route.destination, route.via, route.interface]);
  return JSON.stringify([links, routes]);
}

function subnetText(address: InterfaceAddress): string {
  return formatInterfaceAddress(subnetOf(address));
}

/** The interface on whose link the address lies; undefined when it lies on none. */
export function interfaceOf(address: IpAddress, reach: Reach): string | undefined {
  return longestMatch(address, reach.links);
}

/** The interface by which packets to the address leave, through a gateway or not; undefined when there is no way. */
export function interfaceTowards(address: IpAddress, reach: Reach): string | undefined {
  const direct = interfaceOf(address, reach);
  if (direct !== undefined) return direct;
  const route = longestMatch(address, reach.routes);
  return route === undefined ? undefined : (route.interface ?? interfaceOf(route.via, reach));
}

function everything(of: "ipv4" | "ipv6"): InterfaceAddress {
  const address = parseIpAddress(of === "ipv4" ? "0.0.0.0" : "::");
  if (address === undefined) throw new Error("the unspecified addresses are addresses");
  return { address, prefixLength: 0 };
}
