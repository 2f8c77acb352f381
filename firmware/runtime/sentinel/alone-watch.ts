/** Listens to the neighbours of a box alone: others that claim our addresses, and hosts that missed a take-over. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifname, IpAddress, Mac } from "@futago/hal/units/address.ts";
import type { ArpPacket } from "../../announce/arp.ts";
import {
  claimIn,
  conflictSentence,
  type ConflictState,
  forgetConflicts,
  type HeldAddress,
  noConflicts,
  observeClaim,
} from "../../announce/conflict.ts";
import type { NeighbourPacket } from "../../announce/nd.ts";
import {
  forgetStaleHosts,
  noStaleHosts,
  observeSighting,
  sightingIn,
  type StaleHosts,
} from "../../announce/stale-hosts.ts";
import type { InterfaceOrders } from "../../config/orders.ts";
import type { Alarm } from "../messages.ts";
import type { AloneGroup } from "./alone-group.ts";
import type { AloneRouter } from "./alone-router.ts";
import { wallTime } from "./wall-time.ts";

const HOSTS_NAMED_MAX = 5;

export interface AloneWatchContext {
  readonly clock: Clock;
  readonly links: ReadonlyMap<string, Link>;
  readonly interfaces: () => readonly InterfaceOrders[];
  readonly groups: () => readonly AloneGroup[];
}

export class AloneWatch {
  readonly #context: AloneWatchContext;
  /** Since when the box has run; its own addresses are held since then. */
  readonly #startedAt;
  #conflicts: ConflictState = noConflicts;
  #staleHosts: StaleHosts = noStaleHosts;

  constructor(context: AloneWatchContext) {
    this.#context = context;
    this.#startedAt = context.clock.now();
  }

  observe(device: Ifname, packet: ArpPacket | NeighbourPacket): void {
    this.#observeClaim(device, packet);
    this.#observeSighting(device, packet);
  }

  alarms(): readonly Alarm[] {
    const { clock } = this.#context;
    const now = clock.now();
    this.#conflicts = forgetConflicts(this.#conflicts, now);
    this.#staleHosts = forgetStaleHosts(this.#staleHosts, now);
    const conflicts = this.#conflicts.conflicts.map((conflict) => ({
      kind: "address-conflict",
      since: wallTime(clock, conflict.firstAt),
      sentence: conflictSentence(conflict),
    }));
    const { hosts } = this.#staleHosts;
    const [first] = hosts;
    if (first === undefined) return conflicts;
    const names = hosts.slice(0, HOSTS_NAMED_MAX).map(({ host }) => `${host.address} (${host.mac})`);
    const more = hosts.length > names.length ? ` and ${hosts.length - names.length} more` : "";
    const sentence = `still sending to the Ethernet address where a VIP was before: ${names.join(", ")}${more}; clear their neighbour tables`;
    return [...conflicts, { kind: "stale-hosts", since: wallTime(clock, first.firstAt), sentence }];
  }

  #observeClaim(device: Ifname, packet: ArpPacket | NeighbourPacket): void {
    const claim = claimIn(packet);
    const mac = this.#context.links.get(device)?.mac;
    if (claim === undefined || mac === undefined) return;
    const holder = this.#holder(device, claim.address);
    const held =
      holder === undefined ? this.#own(device, claim.address, mac) : this.#virtual(holder, claim.address, mac);
    if (held === undefined) return;
    const { state, defend } = observeClaim(this.#conflicts, held, claim, this.#context.clock.now());
    this.#conflicts = state;
    if (defend) holder?.router.announceOnce();
  }

  #observeSighting(device: Ifname, packet: ArpPacket | NeighbourPacket): void {
    const sighting = sightingIn(packet);
    if (sighting === undefined) return;
    const routers = this.#context.groups().flatMap((group) => group.routers);
    const known = routers.find(
      (router) => router.orders.device === device && router.addresses.includes(sighting.virtualAddress),
    );
    if (known === undefined) return;
    const holder = this.#holder(device, sighting.virtualAddress);
    const here = this.#context.links.get(device)?.mac;
    // While another router holds it, only what comes to our own Ethernet address is known to be wrong.
    const right = holder?.router.mac ?? (sighting.sentTo === here ? undefined : sighting.sentTo);
    const { state, tellAgain } = observeSighting(
      this.#staleHosts,
      sighting,
      right ?? ("00:00:00:00:00:00" as Mac),
      this.#context.clock.now(),
    );
    this.#staleHosts = state;
    if (tellAgain) holder?.router.tellAgain(sighting.virtualAddress, sighting.host);
  }

  /** The active group and its virtual router that hold a VIP on a link. */
  #holder(device: Ifname, address: IpAddress): { group: AloneGroup; router: AloneRouter } | undefined {
    for (const group of this.#context.groups()) {
      if (group.state.kind !== "active") continue;
      const router = group.routers.find((one) => one.orders.device === device && one.addresses.includes(address));
      if (router !== undefined) return { group, router };
    }
    return undefined;
  }

  #virtual(holder: { group: AloneGroup; router: AloneRouter }, address: IpAddress, mac: Mac): HeldAddress {
    const { orders, mac: virtualMac } = holder.router;
    const macs = virtualMac === undefined ? [mac] : [mac, virtualMac];
    return { interface: orders.interface, address, macs, since: holder.group.state.since };
  }

  #own(device: Ifname, address: IpAddress, mac: Mac): HeldAddress | undefined {
    const entry = this.#context.interfaces().find((one) => one.device === device);
    if (entry?.addresses.some((own) => own.address === address) !== true) return undefined;
    return { interface: entry.name, address, macs: [mac], since: this.#startedAt };
  }
}
