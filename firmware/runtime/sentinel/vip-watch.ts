/**
 * Listens on the VIPs' links for others that use what is ours: a stranger that advertises one of our VRIDs, a host
 * that answers for a VIP or for one of the box's own addresses (RFC 5227 §2.4). Nothing is ever probed.
 */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { FrameSocket, Link, ReceivedFrame } from "@futago/hal/contract/network.ts";
import { family, type Ifindex, type IpAddress, type Mac } from "@futago/hal/units/address.ts";
import { between, type Instant, instant, seconds } from "@futago/hal/units/time.ts";
import { type ArpPacket, decodeArp } from "../../announce/arp.ts";
import {
  claimIn,
  conflictSentence,
  type ConflictState,
  forgetConflicts,
  noConflicts,
  observeClaim,
} from "../../announce/conflict.ts";
import { decodeNeighbour, type NeighbourPacket } from "../../announce/nd.ts";
import { decodeVrrpFrame } from "../../announce/vrrp-frame.ts";
import type { Orders, VirtualRouterOrders } from "../../config/orders.ts";
import { decodeAdvertisement } from "../../standby/vrrp/packet.ts";
import {
  forgetStrangers,
  noStrangers,
  observeStranger,
  type StrangerState,
  strangerSentence,
} from "../../standby/vrrp/stranger.ts";
import type { Alarm } from "../messages.ts";
import { wallTime } from "./wall-time.ts";

/**
 * By then the peer's heartbeats have shown its link-local address on a link that was just plugged. Its advertisements
 * may come before: other sockets hear no word while the kernel finds out whether an address is unique.
 */
const LINK_LOCAL_SHOWN = seconds(4);

export interface VipWatchOptions {
  readonly onChange: () => void;
  /** Somebody claimed an address of this group, which is ours alone: the neighbours may believe it. */
  readonly onDefend: (group: string) => void;
}

export class VipWatch {
  readonly #hal: Hal;
  readonly #links: ReadonlyMap<string, Link>;
  readonly #options: VipWatchOptions;
  readonly #sockets = new Map<Ifindex, readonly FrameSocket[]>();
  #conflicts: ConflictState = noConflicts;
  #strangers: StrangerState = noStrangers;
  #orders: Orders | undefined;
  /** The names of groups that only this box may speak for, and since when. */
  #mine: ReadonlyMap<string, Instant> = new Map();
  #peerMacs: ReadonlySet<Mac> = new Set();
  #peerLinkLocals: ReadonlySet<IpAddress> = new Set();

  constructor(hal: Hal, links: ReadonlyMap<string, Link>, options: VipWatchOptions) {
    this.#hal = hal;
    this.#links = links;
    this.#options = options;
  }

  configure(orders: Orders): void {
    this.#orders = orders;
    const devices = new Set(orders.groups.flatMap((group) => group.virtualRouters.map((router) => router.device)));
    const wanted = new Map(
      [...devices].flatMap((device) => {
        const link = this.#links.get(device);
        return link === undefined ? [] : [[link.ifindex, device] as const];
      }),
    );
    for (const [ifindex, sockets] of this.#sockets) {
      if (wanted.has(ifindex)) continue;
      for (const socket of sockets) socket.close();
      this.#sockets.delete(ifindex);
    }
    for (const [ifindex, device] of wanted) if (!this.#sockets.has(ifindex)) this.#open(ifindex, device);
  }

  /**
   * Groups whose VIPs nobody but this box may answer for, since when, and the Ethernet addresses that are the peer's. A
   * claim of the peer's that was heard before it was known for the peer's is no conflict any more.
   */
  setHeld(mine: ReadonlyMap<string, Instant>, peerMacs: ReadonlySet<Mac>): void {
    this.#mine = mine;
    this.#peerMacs = peerMacs;
    const conflicts = this.#conflicts.conflicts.filter(({ mac }) => !peerMacs.has(mac));
    if (conflicts.length !== this.#conflicts.conflicts.length) this.#conflicts = { conflicts };
  }

  alarms(): readonly Alarm[] {
    const now = this.#hal.clock.now();
    this.#strangers = forgetStrangers(this.#strangers, now);
    this.#conflicts = forgetConflicts(this.#conflicts, now);
    const foreign = this.#strangers.strangers.filter((stranger) => this.#isForeign(stranger, now));
    const strangers = foreign.map((stranger) => ({
      kind: "vrid-conflict",
      since: wallTime(this.#hal.clock, stranger.firstAt),
      sentence: strangerSentence(stranger),
    }));
    const conflicts = this.#conflicts.conflicts.map((conflict) => ({
      kind: "address-conflict",
      since: wallTime(this.#hal.clock, conflict.firstAt),
      sentence: conflictSentence(conflict),
    }));
    return [...strangers, ...conflicts];
  }

  close(): void {
    for (const sockets of this.#sockets.values()) for (const socket of sockets) socket.close();
    this.#sockets.clear();
  }

  #open(ifindex: Ifindex, device: string): void {
    const opened: FrameSocket[] = [];
    const forget = () => {
      for (const socket of opened) socket.close();
      if (this.#sockets.get(ifindex) === opened) this.#sockets.delete(ifindex);
    };
    const { frames } = this.#hal;
    const listen = (receive: "arp" | "nd" | "vrrp", onFrame: (frame: ReceivedFrame) => void) =>
      opened.push(frames.open({ ifindex, receive, onFrame, onError: forget }));
    this.#sockets.set(ifindex, opened);
    try {
      listen("arp", (frame) => this.#onArp(device, frame));
      listen("nd", (frame) => this.#onNeighbour(device, frame));
      listen("vrrp", (frame) => this.#onVrrp(device, frame));
    } catch {
      // The link went away since it was listed: that is told next, and a link that is new is opened then.
      forget();
    }
  }

  #onArp(device: string, frame: ReceivedFrame): void {
    if (!frame.outgoing) this.#judgeClaim(device, decodeArp(frame.bytes), frame.at);
  }

  #onNeighbour(device: string, frame: ReceivedFrame): void {
    if (!frame.outgoing) this.#judgeClaim(device, decodeNeighbour(frame.bytes), frame.at);
  }

  /** Somebody says that it has this address. */
  #judgeClaim(device: string, packet: ArpPacket | NeighbourPacket | undefined, at: Instant): void {
    const claim = packet === undefined ? undefined : claimIn(packet);
    if (claim === undefined) return;
    const link = this.#links.get(device);
    const holder = this.#holderOf(device, claim.address, at);
    if (holder === undefined || link?.mac === undefined) return;
    // A group is ours alone only after a while, so what the former holder said last has been heard.
    const held = { ...holder, address: claim.address, macs: [link.mac, ...this.#peerMacs], since: instant(0) };
    const before = this.#conflicts.conflicts.length;
    const { state, defend } = observeClaim(this.#conflicts, held, claim, at);
    this.#conflicts = state;
    if (state.conflicts.length !== before) this.#options.onChange();
    if (defend && holder.group !== undefined) this.#options.onDefend(holder.group);
  }

  /** Undefined for an address that is not ours; without a group for the box's own. */
  #holderOf(
    device: string,
    address: IpAddress,
    at: Instant,
  ): { interface: string; group: string | undefined } | undefined {
    const entry = this.#orders?.interfaces.find((each) => each.device === device);
    if (entry?.addresses.some((own) => own.address === address) === true)
      return { interface: entry.name, group: undefined };
    for (const group of this.#orders?.groups ?? []) {
      const since = this.#mine.get(group.name);
      // What lay in the socket while this process had no processor was said before.
      if (since === undefined || at < since) continue;
      const router = group.virtualRouters.find(
        (each) => each.device === device && each.addresses.some((vip) => vip.address === address),
      );
      if (router !== undefined) return { interface: router.interface, group: group.name };
    }
    return undefined;
  }

  #onVrrp(device: string, frame: ReceivedFrame): void {
    if (frame.outgoing) return;
    const packet = decodeVrrpFrame(frame.bytes);
    if (!packet.ok) return;
    const advertisement = decodeAdvertisement(packet.value.message, packet.value);
    if (!advertisement.ok) return;
    const { vrid, priority, source } = advertisement.value;
    const router = this.#routerOf(device, vrid, advertisement.value.family);
    if (router === undefined || this.#isPairs(device, source)) return;
    const before = this.#strangers.strangers.length;
    const heard = { interface: router.interface, vrid, mac: packet.value.mac, source, priority };
    this.#strangers = observeStranger(this.#strangers, heard, frame.at);
    if (this.#strangers.strangers.length !== before) this.#options.onChange();
  }

  #routerOf(device: string, vrid: number, version: string): VirtualRouterOrders | undefined {
    const routers = this.#orders?.groups.flatMap((group) => group.virtualRouters) ?? [];
    return routers.find((router) => router.device === device && router.vrid === vrid && router.family === version);
  }

  #isPairs(device: string, source: IpAddress): boolean {
    // Where no heartbeat goes nothing tells the peer's link-local address from a stranger's.
    const shown = this.#orders?.pair?.over.some((each) => each === device) === true;
    if (family(source) === "ipv6" && !shown) return true;
    const entry = this.#orders?.interfaces.find((each) => each.device === device);
    const known = [...(entry?.addresses ?? []), ...(entry?.peerAddresses ?? [])];
    return known.some((each) => each.address === source) || this.#peerLinkLocals.has(source);
  }

  /** Whether it is known by now that this is not the peer. */
  #isForeign({ source, firstAt }: StrangerState["strangers"][number], now: Instant): boolean {
    return family(source) === "ipv4" || between(firstAt, now) >= LINK_LOCAL_SHOWN;
  }

  /** The peer's link-local addresses, as its heartbeats show them: the source of its IPv6 advertisements. */
  setPeerLinkLocals(addresses: ReadonlySet<IpAddress>): void {
    this.#peerLinkLocals = addresses;
    const strangers = this.#strangers.strangers.filter((stranger) => !addresses.has(stranger.source));
    if (strangers.length !== this.#strangers.strangers.length) this.#strangers = { ...this.#strangers, strangers };
  }
}
