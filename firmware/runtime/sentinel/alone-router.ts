/**
 * One virtual router of a box alone, as far as it touches the machine: its advertisements, its addresses (on the
 * link, or on a macvlan with the Virtual Router MAC) and its announcements. The group decides when.
 */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { FrameSocket, Link } from "@futago/hal/contract/network.ts";
import {
  type Ifindex,
  type Ifname,
  type InterfaceAddress,
  type IpAddress,
  type Mac,
} from "@futago/hal/units/address.ts";
import { type Instant, millis } from "@futago/hal/units/time.ts";
import { announcementFrames, tellAgainFrame } from "../../announce/announcement.ts";
import { virtualRouterMac } from "../../announce/ethernet.ts";
import {
  type AnnouncingInput,
  type AnnouncingState,
  nextTimeout,
  notAnnouncing,
  step,
} from "../../announce/schedule.ts";
import { encodeVrrpFrame } from "../../announce/vrrp-frame.ts";
import type { VirtualRouterOrders } from "../../config/orders.ts";
import { virtualRouterId, type VirtualRouterId } from "../../standby/vrrp/group-state.ts";
import { encodeAdvertisement } from "../../standby/vrrp/packet.ts";
import { vipAddress } from "./vip-address.ts";
import { waitMillis } from "./wait.ts";

export interface AloneRouterContext {
  readonly hal: Hal;
  readonly links: ReadonlyMap<string, Link>;
  /** The socket that sends on a link; undefined while there is none. */
  readonly socket: (device: Ifname) => FrameSocket | undefined;
  /** The kernel refused to install the addresses. */
  readonly onRefused: (router: AloneRouter, error: Error) => void;
}

export class AloneRouter {
  readonly id: VirtualRouterId;
  readonly #context: AloneRouterContext;
  #orders: VirtualRouterOrders;
  /** The box's own addresses on the link: they bring the route, and the owner's stay when the role goes. */
  #own: readonly InterfaceAddress[];
  /** The source of the advertisements. */
  primaryAddress: IpAddress | undefined;
  #wanted = false;
  /** What was asked for last and done; undefined before the first time: an earlier run may have left addresses. */
  #done: boolean | undefined;
  #working: Promise<void> = Promise.resolve();
  #announceWhenInstalled = false;
  #announcing: AnnouncingState = notAnnouncing;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: AloneRouterContext, orders: VirtualRouterOrders, own: readonly InterfaceAddress[]) {
    this.#context = context;
    this.#orders = orders;
    this.#own = own;
    this.id = virtualRouterId(orders.device, orders.family, orders.vrid);
  }

  get orders(): VirtualRouterOrders {
    return this.#orders;
  }

  /** The Ethernet address at which the VIPs live while they are here; undefined while the link is missing. */
  get mac(): Mac | undefined {
    if (this.#orders.virtualMac) return virtualRouterMac(this.#orders.family, this.#orders.vrid);
    return this.#context.links.get(this.#orders.device)?.mac;
  }

  get addresses(): readonly IpAddress[] {
    return this.#orders.addresses.map((vip) => vip.address);
  }

  /** New orders for the same virtual router. Addresses that are gone are removed, new ones installed while active. */
  configure(orders: VirtualRouterOrders, own: readonly InterfaceAddress[]): void {
    const before = this.#orders;
    if (JSON.stringify([before, this.#own]) === JSON.stringify([orders, own])) return;
    const moves = before.virtualMac !== orders.virtualMac;
    const there = before.addresses.map((vip) => vipAddress(this.#own, vip).value);
    const stays = moves ? [] : orders.addresses.map((vip) => vipAddress(own, vip).value);
    const gone = there.filter((vip) => !stays.some((next) => sameAddress(vip, next)));
    this.#enqueue(async () => {
      await this.#remove(gone, before);
      this.#orders = orders;
      this.#own = own;
      this.#done = undefined;
      await this.#reconcile();
    });
    if (this.#wanted) this.#announceWhenInstalled = true;
  }

  /** Throws HalError when the kernel refuses; false when there is nothing to send it with. */
  advertise(priority: number): boolean {
    const { device, vrid, advertisementIntervalMs, checksum } = this.#orders;
    const socket = this.#context.socket(device);
    const source = this.primaryAddress;
    if (socket === undefined || source === undefined) return false;
    const maxAdvertiseInterval = millis(advertisementIntervalMs);
    const message = encodeAdvertisement(
      { vrid, priority, maxAdvertiseInterval, addresses: this.addresses },
      source,
      checksum,
    );
    socket.send(encodeVrrpFrame(vrid, source, message));
    return true;
  }

  install(): void {
    this.#want(true);
  }

  remove(): void {
    this.#announceWhenInstalled = false;
    this.#announce({ kind: "stop" });
    this.#want(false);
  }

  /** Starts the announcing schedule, once the addresses are in place: the order matters to the neighbours. */
  announce(): void {
    this.#announceWhenInstalled = true;
    this.#enqueue(async () => this.#announceIfInstalled());
  }

  /** One round, out of schedule. */
  announceOnce(): void {
    if (this.#done === true && this.#wanted) this.#sendAnnouncements();
  }

  /** Tells one host again where a VIP lives. */
  tellAgain(address: IpAddress, host: { mac: Mac; address: IpAddress }): void {
    const { mac } = this;
    if (mac !== undefined && this.#wanted) this.#sendFrames([tellAgainFrame(address, mac, host)]);
  }

  /** Puts back what somebody took away: a person, or the kernel, which removes secondary addresses with their primary. */
  addressGone(address: IpAddress): void {
    if (!this.#wanted || this.#done !== true || !this.addresses.includes(address)) return;
    this.#done = undefined;
    this.#announceWhenInstalled = true;
    this.#enqueue(() => this.#reconcile());
  }

  /** Resolves when everything asked for is done. */
  settled(): Promise<void> {
    return this.#working;
  }

  /** Removes the addresses and the macvlan, and ends. */
  async close(): Promise<void> {
    this.remove();
    await this.#working;
    await this.#deleteMacvlan();
  }

  #want(installed: boolean): void {
    this.#wanted = installed;
    this.#enqueue(() => this.#reconcile());
  }

  /** Requests go to the kernel one after the other: what was asked for last is what stays. */
  #enqueue(work: () => Promise<void>): void {
    this.#working = this.#working.then(work).catch((error: unknown) => {
      this.#context.onRefused(this, error instanceof Error ? error : new Error(String(error)));
    });
  }

  async #reconcile(): Promise<void> {
    const wanted = this.#wanted;
    if (this.#done === wanted) return;
    this.#done = undefined;
    if (wanted) await this.#add();
    else await this.#remove(this.#standing, this.#orders);
    this.#done = wanted;
    this.#announceIfInstalled();
  }

  /** The VIPs as they stand on the device. */
  get #standing(): readonly InterfaceAddress[] {
    return this.#orders.addresses.map((vip) => vipAddress(this.#own, vip).value);
  }

  async #add(): Promise<void> {
    const { network } = this.#context.hal;
    const ifindex = await this.#addressDevice();
    for (const vip of this.#orders.addresses) {
      const { value, options } = vipAddress(this.#own, vip);
      await network.addAddress(ifindex, value, options);
    }
  }

  /** Addresses that are the box's own stay: only an address owner has such. */
  async #remove(addresses: readonly InterfaceAddress[], orders: VirtualRouterOrders): Promise<void> {
    const { hal, links } = this.#context;
    const link = links.get(orders.virtualMac ? macvlanName(orders, links) : orders.device);
    if (link === undefined) return;
    for (const vip of addresses) {
      if (this.#own.some((own) => own.address === vip.address)) continue;
      await hal.network.deleteAddress(link.ifindex, vip);
    }
    // A backup router takes no frame for the Virtual Router MAC (RFC 9568 §6.4.2).
    if (orders.virtualMac) await hal.network.setLinkUp(link.ifindex, false);
  }

  async #addressDevice(): Promise<Ifindex> {
    const { hal, links } = this.#context;
    const lower = links.get(this.#orders.device);
    if (lower === undefined) throw new Error(`there is no device ${this.#orders.device}`);
    if (!this.#orders.virtualMac) return lower.ifindex;
    const ifname = macvlanName(this.#orders, links);
    const known = links.get(ifname);
    if (known === undefined) {
      await hal.network.addMacvlan(lower.ifindex, ifname, virtualRouterMac(this.#orders.family, this.#orders.vrid));
    }
    const link = known ?? (await hal.network.links()).find((each) => each.ifname === ifname);
    if (link === undefined) throw new Error(`${ifname} vanished as soon as it was made`);
    this.#prepare(ifname);
    await hal.network.setLinkUp(link.ifindex, true);
    return link.ifindex;
  }

  #prepare(macvlan: Ifname): void {
    const { sysctl } = this.#context.hal;
    // The Virtual Router MAC must not become part of an address of the link's own (RFC 9568 §7.4).
    try {
      sysctl.write(`net.ipv6.conf.${macvlan}.addr_gen_mode`, "1");
    } catch (error) {
      // A kernel without IPv6 makes no such address; then only an IPv4 virtual router gets this far.
      if (!(error instanceof HalError) || this.#orders.family === "ipv6") throw error;
    }
    sysctl.write(`net.ipv4.conf.${macvlan}.arp_ignore`, "1");
    sysctl.write(`net.ipv4.conf.${macvlan}.arp_announce`, "2");
  }

  async #deleteMacvlan(): Promise<void> {
    const { hal, links } = this.#context;
    const link = this.#orders.virtualMac ? links.get(macvlanName(this.#orders, links)) : undefined;
    if (link !== undefined) this.#enqueue(() => hal.network.deleteLink(link.ifindex));
    await this.#working;
  }

  #announceIfInstalled(): void {
    if (!this.#announceWhenInstalled || this.#done !== true || !this.#wanted) return;
    this.#announceWhenInstalled = false;
    this.#announce({ kind: "start" });
  }

  #announce(input: AnnouncingInput): void {
    const now = this.#context.hal.clock.now();
    const result = step(this.#announcing, input, now);
    this.#announcing = result.state;
    if (result.announce) this.#sendAnnouncements();
    this.#schedule(now);
  }

  #schedule(now: Instant): void {
    clearTimeout(this.#timer);
    const at = nextTimeout(this.#announcing);
    if (at !== undefined) this.#timer = setTimeout(() => this.#announce({ kind: "timeout" }), waitMillis(now, at));
  }

  #sendAnnouncements(): void {
    const { mac } = this;
    if (mac !== undefined) this.#sendFrames(announcementFrames(this.addresses, mac));
  }

  #sendFrames(frames: readonly Uint8Array[]): void {
    const socket = this.#context.socket(this.#orders.device);
    try {
      for (const frame of frames) socket?.send(frame);
    } catch {
      // A link that is going down; the schedule sends again, and the link's own event says what happened.
    }
  }
}

/** At most 15 bytes: "fvr6-255-123456". */
function macvlanName(orders: VirtualRouterOrders, links: ReadonlyMap<string, Link>): Ifname {
  const version = orders.family === "ipv4" ? 4 : 6;
  return `fvr${version}-${orders.vrid}-${links.get(orders.device)?.ifindex ?? 0}` as Ifname;
}

function sameAddress(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength;
}
