/**
 * Hosts that missed a take-over. The box that let go sees them at its gate and tells the peer; the box that holds the
 * VIP tells them again, one by one, and shows them until they have been silent for a minute.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import { family, inSubnet, type IpAddress, type Ipv6, isLinkLocal } from "@futago/hal/units/address.ts";
import type { Instant } from "@futago/hal/units/time.ts";
import { isStationMac } from "../../announce/ethernet.ts";
import {
  forgetStaleHosts,
  noStaleHosts,
  observeSighting,
  type StaleHost,
  type StaleHosts,
  staleHostSentence,
} from "../../announce/stale-hosts.ts";
import type { Orders, VirtualRouterOrders } from "../../config/orders.ts";
import type { PairState } from "../../standby/pair/types.ts";
import type { Alarm, StaleSighting } from "../messages.ts";
import type { Announcer } from "./announcer.ts";
import type { ModeContext } from "./mode.ts";
import { staleSightings } from "./stale-sightings.ts";
import { wallTime } from "./wall-time.ts";

const POLL_MILLIS = 1_000;
const HOSTS_NAMED_MAX = 8;
const ALL_NODES = "ff02::1" as Ipv6;

export interface Holding {
  readonly orders: Orders;
  readonly state: PairState;
}

export class StaleNeighbours {
  readonly #context: ModeContext;
  readonly #announcer: Announcer;
  readonly #holding: () => Holding;
  readonly #report: (hosts: readonly StaleSighting[]) => void;
  readonly #polling: NodeJS.Timeout;
  readonly #counters = { staleReported: 0, staleTold: 0, staleRefused: 0 };
  #told: StaleHosts = noStaleHosts;

  /** `report` is for the peer. */
  constructor(
    context: ModeContext,
    announcer: Announcer,
    holding: () => Holding,
    report: (hosts: readonly StaleSighting[]) => void,
  ) {
    this.#context = context;
    this.#announcer = announcer;
    this.#holding = holding;
    this.#report = report;
    this.#polling = setInterval(() => this.#poll(), POLL_MILLIS);
  }

  close(): void {
    clearInterval(this.#polling);
  }

  /** Hosts reported to the peer, hosts told again, and what the peer said that cannot be. */
  get counters(): Readonly<Record<string, number>> {
    return this.#counters;
  }

  /** What the peer's gate saw. The peer may be wrong: only VIPs that this box holds are spoken for. */
  hear(sightings: readonly StaleSighting[]): void {
    for (const sighting of sightings) this.#hear(sighting);
    this.#context.onChange();
  }

  alarms(): readonly Alarm[] {
    const { clock } = this.#context.hal;
    this.#told = forgetStaleHosts(this.#told, clock.now());
    const held = this.#routers().filter((each) => each.held);
    const hosts = this.#told.hosts
      .flatMap((host) => {
        const known = held.find(({ router }) => carries(router, host.virtualAddress));
        return known === undefined ? [] : [{ host, interface: known.router.interface }];
      })
      .toSorted((one, other) => one.host.firstAt - other.host.firstAt);
    const kind = "stale-neighbour";
    const named = hosts.slice(0, HOSTS_NAMED_MAX).map((each) => {
      return { kind, since: this.#since(each.host), sentence: staleHostSentence(each.host, each.interface) };
    });
    const next = hosts[HOSTS_NAMED_MAX];
    if (next === undefined) return named;
    const sentence = `${hosts.length - named.length} more hosts still send to where a VIP was before; look whether the switches lose the announcements`;
    return [...named, { kind, since: this.#since(next.host), sentence }];
  }

  #since(host: StaleHost): string {
    return wallTime(this.#context.hal.clock, host.firstAt);
  }

  #poll(): void {
    const routers = this.#routers().filter((each) => each.held);
    const isHeld = (host: StaleHost) => routers.some(({ router }) => carries(router, host.virtualAddress));
    // Whoever sends to the other box is right as soon as that one holds the VIP.
    this.#told = { hosts: this.#told.hosts.filter(isHeld) };
    const hosts = this.#seen();
    if (hosts.length === 0) return;
    this.#counters.staleReported += hosts.length;
    this.#report(hosts);
  }

  /** Reading also empties, so that what was seen while this box held the VIP is not taken for news later. */
  #seen(): readonly StaleSighting[] {
    const { gate, links } = this.#context;
    const awaySince = (group: string) => this.#awaySince(group);
    try {
      return staleSightings(gate.takeStale(), { orders: this.#holding().orders, links, awaySince });
    } catch (error) {
      // Short of memory, say. Nobody's VIP depends on this, and the next look is a second away.
      if (error instanceof HalError) return [];
      throw error;
    }
  }

  #hear({ interface: name, virtualAddress, host, sentTo, frames }: StaleSighting): void {
    const known = this.#routers().find(({ router }) => router.interface === name && carries(router, virtualAddress));
    if (known === undefined || !isStationMac(host.mac) || family(host.address) !== family(virtualAddress)) {
      this.#counters.staleRefused += 1;
      return;
    }
    const link = this.#context.links.get(known.router.device);
    // Let go meanwhile, or the link is away: whoever holds the VIP next is told anew.
    if (!known.held || link?.mac === undefined || host.mac === link.mac) return;
    const now = this.#context.hal.clock.now();
    const seen = { virtualAddress, host, sentTo, frames };
    const { state, tellAgain } = observeSighting(forgetStaleHosts(this.#told, now), seen, link.mac, now);
    this.#told = state;
    if (!tellAgain) return;
    this.#counters.staleTold += 1;
    const address = this.#isNear(known.router, host.address) ? host.address : ALL_NODES;
    this.#announcer.tellAgain(link, virtualAddress, { mac: host.mac, address });
  }

  /**
   * Whether the address is the host's own, not one behind it. A router's own is not known; it is told as one of all
   * nodes at its Ethernet address, which it must not refuse (RFC 6085).
   */
  #isNear(router: VirtualRouterOrders, address: IpAddress): boolean {
    if (family(address) === "ipv4" || isLinkLocal(address)) return true;
    const own = this.#holding().orders.interfaces.find((each) => each.name === router.interface)?.addresses ?? [];
    return [...own, ...router.addresses].some((subnet) => inSubnet(address, subnet));
  }

  /** Since when this box has not held the group; undefined while it holds it. */
  #awaySince(group: string): Instant | undefined {
    const { state } = this.#holding();
    const memory = state.groups[group];
    return memory?.state === "active" ? undefined : (memory?.since ?? state.bootedAt);
  }

  #routers(): readonly { readonly router: VirtualRouterOrders; readonly held: boolean }[] {
    return this.#holding().orders.groups.flatMap((group) => {
      const held = this.#awaySince(group.name) === undefined;
      return group.virtualRouters.map((router) => ({ router, held }));
    });
  }
}

function carries(router: VirtualRouterOrders, address: IpAddress): boolean {
  return router.addresses.some((vip) => vip.address === address);
}
