/**
 * Goes on telling the neighbours who holds a group after pulse told them first: gratuitous ARP and unsolicited
 * advertisements on the schedule of firmware/announce, and a VRRP advertisement a second, which tells other routers
 * that the VRID is taken.
 */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { FrameSocket, Link } from "@futago/hal/contract/network.ts";
import { family, type Ifindex, type IpAddress, isLinkLocal, type Mac } from "@futago/hal/units/address.ts";
import { announcementFrames, tellAgainFrame } from "../../announce/announcement.ts";
import { type AnnouncingState, nextTimeout, notAnnouncing, step } from "../../announce/schedule.ts";
import type { GroupOrders, InterfaceOrders } from "../../config/orders.ts";
import { advertisementFrame } from "./advertisement.ts";

const ADVERTISE_MILLIS = 1_000;

interface Announced {
  readonly group: GroupOrders;
  interfaces: readonly InterfaceOrders[];
  /** This box's link-local address on each link, once listed. */
  linkLocals: ReadonlyMap<Ifindex, IpAddress>;
  state: AnnouncingState;
  timer: NodeJS.Timeout | undefined;
  advertising: NodeJS.Timeout;
}

export class Announcer {
  readonly #hal: Hal;
  readonly #links: ReadonlyMap<string, Link>;
  readonly #groups = new Map<number, Announced>();
  readonly #sockets = new Map<Ifindex, FrameSocket>();

  constructor(hal: Hal, links: ReadonlyMap<string, Link>) {
    this.#hal = hal;
    this.#links = links;
  }

  start(slot: number, group: GroupOrders, interfaces: readonly InterfaceOrders[]): void {
    this.stop(slot);
    const advertising = setInterval(() => this.#advertise(announced), ADVERTISE_MILLIS);
    const linkLocals = new Map<Ifindex, IpAddress>();
    const announced: Announced = { group, interfaces, linkLocals, state: notAnnouncing, timer: undefined, advertising };
    this.#groups.set(slot, announced);
    this.#step(announced, "start");
    this.#listLinkLocals(announced).then(
      () => this.#advertise(announced),
      // Without the list the IPv6 routers stay unadvertised; the group itself does not depend on it.
      () => this.#advertise(announced),
    );
  }

  /** The box's own addresses, from which it advertises, are others. */
  setInterfaces(interfaces: readonly InterfaceOrders[]): void {
    for (const announced of this.#groups.values()) announced.interfaces = interfaces;
  }

  stop(slot: number): void {
    const announced = this.#groups.get(slot);
    if (announced === undefined) return;
    clearTimeout(announced.timer);
    clearInterval(announced.advertising);
    this.#groups.delete(slot);
  }

  stopAll(): void {
    for (const slot of this.#groups.keys()) this.stop(slot);
  }

  /** Tells one host again, which missed what everybody was told. */
  tellAgain(link: Link, address: IpAddress, host: { readonly mac: Mac; readonly address: IpAddress }): void {
    if (link.mac !== undefined) this.#send(link, tellAgainFrame(address, link.mac, host));
  }

  close(): void {
    this.stopAll();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #step(announced: Announced, kind: "start" | "timeout"): void {
    const now = this.#hal.clock.now();
    const result = step(announced.state, { kind }, now);
    announced.state = result.state;
    if (result.announce) this.#announce(announced);
    const next = nextTimeout(result.state);
    if (next === undefined) return;
    announced.timer = setTimeout(() => this.#step(announced, "timeout"), Math.max(1, Math.ceil((next - now) / 1_000)));
  }

  #announce(announced: Announced): void {
    for (const router of announced.group.virtualRouters) {
      const link = this.#links.get(router.device);
      if (link?.mac === undefined) continue;
      const addresses = router.addresses.map((vip) => vip.address);
      for (const frame of announcementFrames(addresses, link.mac)) this.#send(link, frame);
    }
  }

  async #listLinkLocals(announced: Announced): Promise<void> {
    const virtual = new Set(
      announced.group.virtualRouters.flatMap((router) => router.addresses.map((vip) => vip.address)),
    );
    const entries = await this.#hal.network.addresses();
    const own = entries.filter((entry) => isLinkLocal(entry.address) && !virtual.has(entry.address));
    announced.linkLocals = new Map(own.map((entry) => [entry.ifindex, entry.address]));
  }

  #advertise(announced: Announced): void {
    // The group may have gone while its links' addresses were being listed.
    if (![...this.#groups.values()].includes(announced)) return;
    for (const router of announced.group.virtualRouters) {
      const link = this.#links.get(router.device);
      if (link === undefined) continue;
      const own = announced.interfaces.find((entry) => entry.device === router.device)?.addresses ?? [];
      const ipv4 = own.find((address) => family(address.address) === "ipv4")?.address;
      const source = router.family === "ipv4" ? ipv4 : announced.linkLocals.get(link.ifindex);
      // An interface without an address of the family cannot advertise (RFC 9568 §5.1.1.1).
      if (source !== undefined) this.#send(link, advertisementFrame(router, announced.group.priority, source));
    }
  }

  #send(link: Link, frame: Uint8Array): void {
    try {
      this.#socket(link.ifindex).send(frame);
    } catch {
      // The link is down or gone: the carrier event says so, and the next round comes by itself.
      this.#sockets.get(link.ifindex)?.close();
      this.#sockets.delete(link.ifindex);
    }
  }

  #socket(ifindex: Ifindex): FrameSocket {
    const known = this.#sockets.get(ifindex);
    if (known !== undefined) return known;
    const socket = this.#hal.frames.open({ ifindex, receive: "none", onError: () => this.#sockets.delete(ifindex) });
    this.#sockets.set(ifindex, socket);
    return socket;
  }
}
