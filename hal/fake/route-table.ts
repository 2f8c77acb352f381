/** The main routing table in memory: connected routes come and go with addresses; ours and others' are kept apart. */
import { HalError } from "../contract/error.ts";
import { type AddressEntry, type RouteEntry, RTPROT_FUTAGO } from "../contract/network.ts";
import { addressBytes, addressFromBytes, family, type Ifindex, inSubnet, type IpAddress } from "../units/address.ts";

const RTPROT_KERNEL = 2;
const IPV6_METRIC_DEFAULT = 1024;
const IPV6_METRIC_CONNECTED = 256;

export type RouteRequest = Omit<RouteEntry, "protocol">;
export type RouteEvent = { readonly kind: "route" | "routeGone"; readonly entry: RouteEntry };

export class RouteTable {
  #entries: readonly RouteEntry[] = [];
  readonly #emit: (event: RouteEvent) => void;

  constructor(emit: (event: RouteEvent) => void) {
    this.#emit = emit;
  }

  get entries(): readonly RouteEntry[] {
    return this.#entries;
  }

  add(entry: RouteEntry): void {
    this.#entries = [...this.#entries.filter((known) => slot(known) !== slot(entry)), entry];
    this.#emit({ kind: "route", entry });
  }

  /** Adds or replaces one of ours. Refuses a gateway that no connected route reaches. */
  replace(request: RouteRequest): void {
    const { via } = request;
    const near = via === undefined ? undefined : this.#connectedTo(via, request.ifindex);
    if (via !== undefined && near === undefined) throw unreachable(request);
    const ifindex = request.ifindex ?? near?.ifindex;
    const destination = request.destination && { ...request.destination, address: network(request.destination) };
    this.add({ ...request, destination, ifindex, metric: metricOf(request), protocol: RTPROT_FUTAGO });
  }

  /** Deletes one of ours; a field that the request leaves open matches anything. */
  delete(request: RouteRequest): void {
    const wanted = slot({ ...request, metric: metricOf(request) });
    this.#drop((entry) => {
      const same = entry.protocol === RTPROT_FUTAGO && slot(entry) === wanted;
      const hop = [undefined, entry.via].includes(request.via) && [undefined, entry.ifindex].includes(request.ifindex);
      return same && hop;
    });
  }

  /** The connected route of an address on a link that is up. */
  connect(address: AddressEntry): void {
    const route = connectedRoute(address);
    if (route === undefined || this.#entries.some((entry) => sameRoute(entry, route))) return;
    this.add(route);
  }

  /** An address is gone; `others` of its link may still need the same connected route. */
  disconnect(address: AddressEntry, others: readonly AddressEntry[]): void {
    const route = connectedRoute(address);
    if (route === undefined) return;
    const needed = others.some((other) => {
      const its = connectedRoute(other);
      return its !== undefined && sameRoute(its, route);
    });
    if (!needed) this.#drop((entry) => sameRoute(entry, route));
  }

  /** The link went down or away. The kernel tells of the IPv6 routes that vanish, not of the IPv4 ones. */
  linkDown(ifindex: Ifindex): void {
    this.#entries = this.#entries.filter((entry) => entry.ifindex !== ifindex || entry.family === "ipv6");
    this.#drop((entry) => entry.ifindex === ifindex);
  }

  #connectedTo(via: IpAddress, ifindex: Ifindex | undefined): RouteEntry | undefined {
    return this.#entries.find(
      (entry) =>
        entry.via === undefined &&
        entry.destination !== undefined &&
        inSubnet(via, entry.destination) &&
        [undefined, entry.ifindex].includes(ifindex),
    );
  }

  #drop(which: (entry: RouteEntry) => boolean): void {
    const gone = this.#entries.filter(which);
    this.#entries = this.#entries.filter((entry) => !which(entry));
    for (const entry of gone) this.#emit({ kind: "routeGone", entry });
  }
}

/** Routes in the same slot replace each other. */
function slot(route: RouteRequest): string {
  const { destination } = route;
  const to = destination === undefined ? "default" : `${network(destination)}/${destination.prefixLength}`;
  return `${route.family} ${to} ${route.metric}${route.family === "ipv6" && route.via === undefined ? ` ${route.ifindex}` : ""}`;
}

function sameRoute(a: RouteEntry, b: RouteEntry): boolean {
  return slot(a) === slot(b) && a.ifindex === b.ifindex && a.protocol === b.protocol;
}

function metricOf(route: RouteRequest): number {
  return route.family === "ipv6" && route.metric === 0 ? IPV6_METRIC_DEFAULT : route.metric;
}

const IFA_F_NOPREFIXROUTE = 0x200;

function connectedRoute(entry: AddressEntry): RouteEntry | undefined {
  const { address, prefixLength, ifindex, flags } = entry;
  const ours = family(address);
  if ((flags & IFA_F_NOPREFIXROUTE) !== 0 || (ours === "ipv4" && prefixLength === 32)) return undefined;
  const metric = ours === "ipv4" ? 0 : IPV6_METRIC_CONNECTED;
  const destination = { address: network(entry), prefixLength };
  return { family: ours, destination, via: undefined, ifindex, metric, protocol: RTPROT_KERNEL };
}

/** The address without its host bits. */
function network(value: { readonly address: IpAddress; readonly prefixLength: number }): IpAddress {
  const bytes = addressBytes(value.address).map((byte, i) => {
    const bits = Math.min(8, Math.max(0, value.prefixLength - 8 * i));
    return byte & (0xff << (8 - bits));
  });
  return addressFromBytes(bytes) ?? value.address;
}

function unreachable(request: RouteRequest): HalError {
  if (request.family === "ipv4") return new HalError("ENETUNREACH", "RTM_NEWROUTE", "Nexthop has invalid gateway");
  return new HalError("EHOSTUNREACH", "RTM_NEWROUTE", "host is unreachable");
}
