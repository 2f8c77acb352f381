/**
 * The difference between what the configuration wants of the kernel's network and what is there, as an ordered list
 * of actions. Decides what is ours to remove; touches neither virtual addresses, nor addresses that somebody leases
 * or the kernel makes by itself, nor routes of others. Pure.
 */
import {
  addressBits,
  addressBytes,
  addressFromBytes,
  formatInterfaceAddress,
  type Ifindex,
  type Ifname,
  type InterfaceAddress,
  type IpAddress,
} from "@futago/hal/units/address.ts";
import {
  type AddressEntry,
  type Link,
  type NeighbourEntry,
  type RouteEntry,
  RTPROT_FUTAGO,
} from "@futago/hal/contract/network.ts";
import type { RouteOrders } from "../../../config/compile-system.ts";
import type { DesiredNetwork } from "./desired.ts";

export interface ActualNetwork {
  readonly links: readonly Link[];
  readonly addresses: readonly AddressEntry[];
  readonly routes: readonly RouteEntry[];
  readonly neighbours: readonly NeighbourEntry[];
}

type Route = Omit<RouteEntry, "protocol">;

export type NetworkAction =
  | { readonly kind: "setLinkUp" | "setLinkDown"; readonly device: Ifname; readonly ifindex: Ifindex }
  | {
      readonly kind: "addAddress" | "deleteAddress";
      readonly device: Ifname;
      readonly ifindex: Ifindex;
      readonly address: InterfaceAddress;
    }
  | { readonly kind: "replaceRoute" | "deleteRoute"; readonly route: Route }
  | {
      readonly kind: "addNeighbour" | "deleteNeighbour";
      readonly device: Ifname;
      readonly ifindex: Ifindex;
      readonly address: IpAddress;
    };

export interface NetworkDiff {
  readonly actions: readonly NetworkAction[];
  /** Devices that the configuration names and the box does not have. */
  readonly missingDevices: readonly Ifname[];
}

/** IFA_F_PERMANENT of linux/if_addr.h: no lease or advertisement stands behind the address. */
const IFA_F_PERMANENT = 0x80;
/** What the kernel stores for an IPv6 route of metric 0. */
const IPV6_METRIC_DEFAULT = 1_024;

/** `previous` is what this process wanted before: what only that named is taken away again. */
export function diffNetwork(
  desired: DesiredNetwork,
  actual: ActualNetwork,
  previous: DesiredNetwork | undefined,
): NetworkDiff {
  const byName = new Map(actual.links.map((link) => [link.ifname, link]));
  const index = (device: Ifname) => byName.get(device)?.ifindex;
  const missingDevices = desired.devices.filter((device) => !byName.has(device));
  // Removals come first, so that an address or a gateway that moved is free before it is put elsewhere.
  const actions = [
    ...staleRoutes(desired, actual, index),
    ...staleAddresses(desired, actual, previous, byName),
    ...staleNeighbours(desired, actual, previous, index),
    ...desired.devices.flatMap((device): NetworkAction[] => {
      const link = byName.get(device);
      const up = !desired.down.includes(device);
      if (link === undefined || link.up === up || desired.untouched.includes(device)) return [];
      return [{ kind: up ? "setLinkUp" : "setLinkDown", device, ifindex: link.ifindex }];
    }),
    ...missingAddresses(desired, actual, index),
    ...missingRoutes(desired, actual, index),
    ...missingNeighbours(desired, actual, index),
  ];
  return { actions, missingDevices };
}

type IndexOf = (device: Ifname) => Ifindex | undefined;

function staleAddresses(
  desired: DesiredNetwork,
  actual: ActualNetwork,
  previous: DesiredNetwork | undefined,
  byName: ReadonlyMap<Ifname, Link>,
): readonly NetworkAction[] {
  const names = new Map([...byName].map(([name, link]) => [link.ifindex, name]));
  const key = (device: Ifname, address: InterfaceAddress) => `${device} ${formatInterfaceAddress(address)}`;
  const wanted = new Set(desired.addresses.map((entry) => key(entry.device, entry.address)));
  const before = new Set(previous?.addresses.map((entry) => key(entry.device, entry.address)));
  return actual.addresses.flatMap((entry): NetworkAction[] => {
    const device = names.get(entry.ifindex);
    if (device === undefined || wanted.has(key(device, entry))) return [];
    if (desired.virtualAddresses.has(entry.address) || entry.scope !== "global") return [];
    const ours = desired.devices.includes(device) && (entry.flags & IFA_F_PERMANENT) !== 0;
    if (!ours && !before.has(key(device, entry))) return [];
    const address = { address: entry.address, prefixLength: entry.prefixLength };
    return [{ kind: "deleteAddress", device, ifindex: entry.ifindex, address }];
  });
}

function missingAddresses(desired: DesiredNetwork, actual: ActualNetwork, index: IndexOf): readonly NetworkAction[] {
  const there = new Set(actual.addresses.map((entry) => `${entry.ifindex} ${formatInterfaceAddress(entry)}`));
  return desired.addresses.flatMap(({ device, address }): NetworkAction[] => {
    const ifindex = index(device);
    if (ifindex === undefined || there.has(`${ifindex} ${formatInterfaceAddress(address)}`)) return [];
    return [{ kind: "addAddress", device, ifindex, address }];
  });
}

function staleRoutes(desired: DesiredNetwork, actual: ActualNetwork, index: IndexOf): readonly NetworkAction[] {
  const wanted = new Set(desired.routes.map((route) => routeKey(toRoute(route, index))));
  return actual.routes
    .filter((entry) => entry.protocol === RTPROT_FUTAGO && !wanted.has(routeKey(entry)))
    .map((entry) => ({ kind: "deleteRoute", route: withoutProtocol(entry) }));
}

function missingRoutes(desired: DesiredNetwork, actual: ActualNetwork, index: IndexOf): readonly NetworkAction[] {
  const there = new Set(actual.routes.filter((entry) => entry.protocol === RTPROT_FUTAGO).map(routeKey));
  return desired.routes.flatMap((route): NetworkAction[] => {
    // A route over a device that the box does not have cannot be made; the missing device is reported by itself.
    if (index(route.device) === undefined) return [];
    const made = toRoute(route, index);
    return there.has(routeKey(made)) ? [] : [{ kind: "replaceRoute", route: made }];
  });
}

function staleNeighbours(
  desired: DesiredNetwork,
  actual: ActualNetwork,
  previous: DesiredNetwork | undefined,
  index: IndexOf,
): readonly NetworkAction[] {
  const wanted = new Set(desired.neighbours.map(({ device, address }) => `${device} ${address}`));
  const there = managedNeighbours(actual);
  return (previous?.neighbours ?? []).flatMap(({ device, address }): NetworkAction[] => {
    const ifindex = index(device);
    if (ifindex === undefined || wanted.has(`${device} ${address}`)) return [];
    return there.has(`${ifindex} ${address}`) ? [{ kind: "deleteNeighbour", device, ifindex, address }] : [];
  });
}

function missingNeighbours(desired: DesiredNetwork, actual: ActualNetwork, index: IndexOf): readonly NetworkAction[] {
  const there = managedNeighbours(actual);
  return desired.neighbours.flatMap(({ device, address }): NetworkAction[] => {
    const ifindex = index(device);
    if (ifindex === undefined || there.has(`${ifindex} ${address}`)) return [];
    return [{ kind: "addNeighbour", device, ifindex, address }];
  });
}

function managedNeighbours(actual: ActualNetwork): ReadonlySet<string> {
  const managed = actual.neighbours.filter((entry) => entry.managed);
  return new Set(managed.map((entry) => `${entry.ifindex} ${entry.address}`));
}

function toRoute(route: RouteOrders, index: IndexOf): Route {
  const { family, destination, via, device, metric } = route;
  return { family, destination, via, ifindex: index(device), metric };
}

function withoutProtocol({ family, destination, via, ifindex, metric }: RouteEntry): Route {
  return { family, destination, via, ifindex, metric };
}

/** Equal for the route that was asked for and the one that the kernel shows for it. */
function routeKey(route: Route): string {
  const metric = route.family === "ipv6" && route.metric === 0 ? IPV6_METRIC_DEFAULT : route.metric;
  const destination = route.destination === undefined ? "default" : subnetText(route.destination);
  return `${route.family} ${destination} via ${route.via ?? "-"} metric ${metric} dev ${route.ifindex ?? 0}`;
}

/** The subnet without host bits, as the kernel shows it. */
function subnetText(subnet: InterfaceAddress): string {
  const bytes = addressBytes(subnet.address);
  for (let bit = subnet.prefixLength; bit < addressBits(subnet.address); bit++) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) & ~(0x80 >> (bit & 7));
  }
  return `${addressFromBytes(bytes)}/${subnet.prefixLength}`;
}
