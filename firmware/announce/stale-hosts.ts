/**
 * Hosts that missed the announcements: they still ask for a VIP at the Ethernet address where it used to live. Keeps
 * the list for `status` and decides when to tell one again. Sends nothing.
 */
import type { IpAddress, Mac } from "@futago/hal/units/address.ts";
import { between, micros, seconds, type Instant, type Micros } from "@futago/hal/units/time.ts";
import type { ArpPacket } from "./arp.ts";
import { isStationMac } from "./ethernet.ts";
import type { NeighbourPacket } from "./nd.ts";

/** At most this often is one host told again, and half as often each time that it did not help. */
export const TELL_INTERVAL = seconds(1);
const TELL_INTERVAL_MAX = seconds(32);
/** So many are told again within {@link TELL_INTERVAL}; the others have their turn when they are seen again. */
export const TELLS_MAX = 32;
/** A host that was not seen sending wrongly for this long is forgotten. */
export const STALE_FORGET = seconds(60);
export const STALE_HOSTS_MAX = 256;

export interface Sighting {
  readonly virtualAddress: IpAddress;
  readonly host: { readonly mac: Mac; readonly address: IpAddress };
  /** The Ethernet address the host sent to. */
  readonly sentTo: Mac;
  /** How many frames were seen; one unless said. */
  readonly frames?: number;
}

export interface StaleHost extends Omit<Sighting, "frames"> {
  readonly count: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  /** How often it was told again. */
  readonly told: number;
  readonly toldAt: Instant | undefined;
}

export interface StaleHosts {
  readonly hosts: readonly StaleHost[];
}

export const noStaleHosts: StaleHosts = { hosts: [] };

/**
 * The sighting in a request for one address that went to a single station: the sender believes that the address
 * lives there. Undefined for broadcasts and multicasts, which show no belief, and for probes without a sender.
 */
export function sightingIn(packet: ArpPacket | NeighbourPacket): Sighting | undefined {
  if (!isStationMac(packet.ethernetDestination)) return undefined;
  switch (packet.kind) {
    case "arp":
      if (packet.operation !== "request" || packet.senderAddress === "0.0.0.0") return undefined;
      return {
        virtualAddress: packet.targetAddress,
        host: { mac: packet.senderMac, address: packet.senderAddress },
        sentTo: packet.ethernetDestination,
      };
    case "solicitation":
      if (packet.source === "::") return undefined;
      return {
        virtualAddress: packet.target,
        host: { mac: packet.linkLayer ?? packet.ethernetSource, address: packet.source },
        sentTo: packet.ethernetDestination,
      };
    case "advertisement":
      return undefined;
  }
}

/** Notes a sighting of a VIP that lives at `mac`. One that went there takes the host off the list. */
export function observeSighting(
  state: StaleHosts,
  sighting: Sighting,
  mac: Mac,
  now: Instant,
): { readonly state: StaleHosts; readonly tellAgain: boolean } {
  const known = state.hosts.find((host) => sameHost(host, sighting));
  if (sighting.sentTo === mac) {
    return { state: known === undefined ? state : { hosts: without(state, known) }, tellAgain: false };
  }
  if (known === undefined && state.hosts.length >= STALE_HOSTS_MAX) return { state, tellAgain: false };
  const lately = state.hosts.filter((host) => toldWithin(host, TELL_INTERVAL, now)).length;
  const tellAgain = lately < TELLS_MAX && (known === undefined || !toldWithin(known, tellInterval(known), now));
  const { frames = 1, ...seen } = sighting;
  const told = known?.told ?? 0;
  const next: StaleHost = {
    ...seen,
    count: (known?.count ?? 0) + frames,
    firstAt: known?.firstAt ?? now,
    lastAt: now,
    told: tellAgain ? told + 1 : told,
    toldAt: tellAgain ? now : known?.toldAt,
  };
  return { state: { hosts: [...without(state, known), next] }, tellAgain };
}

/** Without those not seen for {@link STALE_FORGET}. */
export function forgetStaleHosts(state: StaleHosts, now: Instant): StaleHosts {
  const hosts = state.hosts.filter((host) => between(host.lastAt, now) < STALE_FORGET);
  return hosts.length === state.hosts.length ? state : { hosts };
}

/** For people: who, what, how often, and what to do when telling does not help. */
export function staleHostSentence(stale: StaleHost, interfaceName: string): string {
  const { host, virtualAddress, sentTo, count, told } = stale;
  const packets = count === 1 ? "1 packet" : `${count} packets`;
  const times = told === 1 ? "once" : `${told} times`;
  return (
    `${host.mac} on ${interfaceName} (packets from ${host.address}) still sends to ${sentTo}, where ${virtualAddress} was before: ` +
    `${packets} so far; told again ${times}; if that does not help, look for a fixed entry in its neighbour table`
  );
}

function toldWithin(host: StaleHost, interval: Micros, now: Instant): boolean {
  return host.toldAt !== undefined && between(host.toldAt, now) < interval;
}

function tellInterval(host: StaleHost): Micros {
  return micros(Math.min(TELL_INTERVAL * 2 ** Math.max(0, host.told - 1), TELL_INTERVAL_MAX));
}

function without(state: StaleHosts, gone: StaleHost | undefined): readonly StaleHost[] {
  return state.hosts.filter((host) => host !== gone);
}

function sameHost(a: Sighting, b: Sighting): boolean {
  return a.virtualAddress === b.virtualAddress && a.host.mac === b.host.mac;
}
