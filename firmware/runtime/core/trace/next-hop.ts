/** Where the kernel would send a packet next, from its routes, addresses and neighbours as they were listed. Pure. */
import type { AddressEntry, Link, NeighbourEntry, RouteEntry } from "@futago/hal/contract/network.ts";
import { family, inSubnet, type IpAddress } from "@futago/hal/units/address.ts";
import type { HopFacts } from "../../../balancer/trace.ts";

export interface NetworkFacts {
  readonly links: readonly Link[];
  readonly addresses: readonly AddressEntry[];
  readonly routes: readonly RouteEntry[];
  readonly neighbours: readonly NeighbourEntry[];
}

/** NUD_INCOMPLETE, NUD_FAILED: asked for, and no answer. */
const UNRESOLVED = 0x01 | 0x20;

/** Undefined: there is no route. The longest prefix wins, then the lowest metric; a route's own subnet may be an address's. */
export function nextHop({ links, addresses, routes, neighbours }: NetworkFacts, to: IpAddress): HopFacts | undefined {
  const onLink = addresses
    .filter((one) => inSubnet(to, one))
    .map(({ ifindex, prefixLength }) => ({ via: undefined, ifindex, length: prefixLength, metric: 0 }));
  const routed = routes
    .filter((one) => (one.destination === undefined ? one.family === family(to) : inSubnet(to, one.destination)))
    .map(({ via, ifindex, destination, metric }) => ({
      via,
      ifindex,
      length: destination?.prefixLength ?? 0,
      metric,
    }));
  const [best] = [...onLink, ...routed].sort((a, b) => b.length - a.length || a.metric - b.metric);
  const link = links.find((one) => one.ifindex === best?.ifindex);
  if (best === undefined || link === undefined) return undefined;
  const via = best.via === to ? undefined : best.via;
  const neighbour = neighbours.find((one) => one.ifindex === link.ifindex && one.address === (via ?? to));
  const isResolved = neighbour !== undefined && (neighbour.state & UNRESOLVED) === 0;
  return { device: link.ifname, via, mac: isResolved ? neighbour.mac : undefined, mtu: link.mtu };
}
