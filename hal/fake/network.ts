/**
 * The kernel's network configuration in memory: links that a test plugs in, cuts and unplugs, addresses with their
 * connected routes, refusals in the kernel's words, events, and overruns on demand. Where the kernel is silent (IPv4
 * routes of a link that goes down) so is this.
 */
import { HalError } from "../contract/error.ts";
import type {
  AddressEntry,
  AddressOptions,
  Link,
  LinkStatistics,
  NeighbourEntry,
  Network,
  NetworkEvent,
  RouteEntry,
  Subscription,
} from "../contract/network.ts";
import {
  family,
  type Ifindex,
  type Ifname,
  type InterfaceAddress,
  type IpAddress,
  type Mac,
} from "../units/address.ts";
import { RouteTable } from "./route-table.ts";

const IFA_F_NODAD = 0x02;
const IFA_F_DEPRECATED = 0x20;
const IFA_F_PERMANENT = 0x80;
const IFA_F_NOPREFIXROUTE = 0x200;
const NUD_INCOMPLETE = 0x01;

const CARRIED_NOTHING = { receivedPackets: 0, receivedBytes: 0, sentPackets: 0, sentBytes: 0, troubles: 0 };

export interface FakePort {
  readonly mac?: Mac;
  /** Default 1500. */
  readonly mtu?: number;
  /** Default true. */
  readonly up?: boolean;
  /** Whether a live cable is plugged in; default true. */
  readonly cable?: boolean;
  readonly kind?: string;
}

interface Port {
  readonly link: Link;
  readonly cable: boolean;
  /** The link that a macvlan sits on. */
  readonly lower: Ifindex | undefined;
}

export class FakeNetwork implements Network {
  readonly #ports = new Map<Ifindex, Port>();
  readonly #addresses = new Map<string, AddressEntry>();
  readonly #neighbours = new Map<string, NeighbourEntry>();
  readonly #connections = new Map<IpAddress, number>();
  readonly #counters = new Map<Ifindex, Partial<LinkStatistics>>();
  readonly #speeds = new Map<Ifindex, number>();
  readonly #routes = new RouteTable((event) => this.#emit(event));
  readonly #listeners = new Set<(event: NetworkEvent) => void>();
  readonly #refusals: HalError[] = [];
  #losing = false;
  #closed = false;
  #lastIfindex = 0;

  /** For tests: a port appears. */
  plug(ifname: Ifname, port: FakePort = {}): Ifindex {
    return this.#appear(ifname, port, undefined);
  }

  /** For tests: a port disappears with all that is on it. */
  unplug(ifindex: Ifindex): void {
    for (const [above, port] of this.#ports) if (port.lower === ifindex) this.unplug(above);
    const { link } = this.#port(ifindex, "unplug");
    this.#lose(ifindex, () => true);
    this.#routes.linkDown(ifindex);
    this.#ports.delete(ifindex);
    this.#emit({ kind: "linkGone", ifindex, ifname: link.ifname });
  }

  /** For tests: the cable is plugged in or pulled. */
  setCable(ifindex: Ifindex, cable: boolean): void {
    this.#put({ ...this.#port(ifindex, "setCable"), cable });
  }

  /** For tests: the next request is refused like this, whatever it is. */
  refuseNext(error: HalError): void {
    this.#refusals.push(error);
  }

  /** For tests: nobody is told what happens in `during`; then the listeners hear of an overrun. */
  overrun(during: () => void = () => {}): void {
    this.#losing = true;
    try {
      during();
    } finally {
      this.#losing = false;
    }
    this.#emit({ kind: "overrun" });
  }

  /** For tests: a route that somebody else made. */
  addForeignRoute(entry: RouteEntry): void {
    this.#routes.add(entry);
  }

  /** For tests: the kernel learned something about a neighbour. */
  setNeighbour(entry: NeighbourEntry): void {
    this.#neighbours.set(`${entry.ifindex} ${entry.address}`, entry);
    this.#emit({ kind: "neighbour", entry });
  }

  /** For tests: as many connections have this local address. */
  setConnections(local: IpAddress, count: number): void {
    this.#connections.set(local, count);
  }

  async links(): Promise<readonly Link[]> {
    this.#admit("RTM_GETLINK");
    return [...this.#ports.values()].map((port) => port.link);
  }

  async addresses(): Promise<readonly AddressEntry[]> {
    this.#admit("RTM_GETADDR");
    return [...this.#addresses.values()];
  }

  async routes(): Promise<readonly RouteEntry[]> {
    this.#admit("RTM_GETROUTE");
    return this.#routes.entries;
  }

  async neighbours(): Promise<readonly NeighbourEntry[]> {
    this.#admit("RTM_GETNEIGH");
    return [...this.#neighbours.values()];
  }

  /** For tests: what a link carried, and how fast it is. */
  setCounters(ifindex: Ifindex, counters: Partial<Omit<LinkStatistics, "ifindex">>, megabits?: number): void {
    this.#counters.set(ifindex, { ...this.#counters.get(ifindex), ...counters });
    if (megabits !== undefined) this.#speeds.set(ifindex, megabits);
  }

  async statistics(): Promise<readonly LinkStatistics[]> {
    this.#admit("RTM_GETSTATS");
    return [...this.#ports.keys()].map((ifindex) => ({ ...CARRIED_NOTHING, ...this.#counters.get(ifindex), ifindex }));
  }

  async speeds(): Promise<ReadonlyMap<Ifindex, number>> {
    this.#admit("ETHTOOL_MSG_LINKMODES_GET");
    return new Map([...this.#speeds].filter(([ifindex]) => this.#ports.get(ifindex)?.link.carrier === true));
  }

  async setLinkUp(ifindex: Ifindex, up: boolean): Promise<void> {
    this.#admit("RTM_NEWLINK");
    const port = this.#port(ifindex, "RTM_NEWLINK");
    if (port.link.up === up) return;
    this.#put({ ...port, link: { ...port.link, up } });
    if (!up) {
      // IPv6 addresses do not survive this, IPv4 ones do.
      this.#lose(ifindex, (entry) => family(entry.address) === "ipv6");
      this.#routes.linkDown(ifindex);
    } else {
      for (const entry of this.#addresses.values()) if (entry.ifindex === ifindex) this.#routes.connect(entry);
    }
  }

  async renameLink(ifindex: Ifindex, ifname: Ifname): Promise<void> {
    this.#admit("RTM_NEWLINK");
    const port = this.#port(ifindex, "RTM_NEWLINK");
    const taken = [...this.#ports.values()].some(({ link }) => link.ifname === ifname && link.ifindex !== ifindex);
    if (taken) throw new HalError("EEXIST", "RTM_NEWLINK", "file already exists");
    this.#put({ ...port, link: { ...port.link, ifname } });
  }

  async addMacvlan(lower: Ifindex, ifname: Ifname, mac: Mac): Promise<void> {
    this.#admit("RTM_NEWLINK");
    const { link } = this.#port(lower, "RTM_NEWLINK");
    const taken = [...this.#ports.values()].some((port) => port.link.ifname === ifname);
    if (taken) throw new HalError("EEXIST", "RTM_NEWLINK", "file already exists");
    this.#appear(ifname, { mac, mtu: link.mtu, up: false, kind: "macvlan" }, lower);
  }

  async deleteLink(ifindex: Ifindex): Promise<void> {
    this.#admit("RTM_DELLINK");
    this.#port(ifindex, "RTM_DELLINK");
    this.unplug(ifindex);
  }

  async addAddress(ifindex: Ifindex, value: InterfaceAddress, options: AddressOptions = {}): Promise<void> {
    this.#admit("RTM_NEWADDR");
    const { link } = this.#port(ifindex, "RTM_NEWADDR");
    const flags =
      IFA_F_PERMANENT |
      (options.skipDuplicateDetection === true ? IFA_F_NODAD : 0) |
      (options.neverSource === true && family(value.address) === "ipv6" ? IFA_F_DEPRECATED : 0) |
      (options.noPrefixRoute === true ? IFA_F_NOPREFIXROUTE : 0);
    const { address, prefixLength } = value;
    const entry: AddressEntry = { ifindex, address, prefixLength, scope: "global", flags };
    this.#addresses.set(addressKey(ifindex, value), entry);
    this.#emit({ kind: "address", entry });
    if (link.up) this.#routes.connect(entry);
  }

  async deleteAddress(ifindex: Ifindex, value: InterfaceAddress): Promise<void> {
    this.#admit("RTM_DELADDR");
    const entry = this.#addresses.get(addressKey(ifindex, value));
    if (entry !== undefined) this.#loseAddress(entry);
  }

  async replaceRoute(route: Omit<RouteEntry, "protocol">): Promise<void> {
    this.#admit("RTM_NEWROUTE");
    if (route.ifindex !== undefined) this.#port(route.ifindex, "RTM_NEWROUTE");
    this.#routes.replace(route);
  }

  async deleteRoute(route: Omit<RouteEntry, "protocol">): Promise<void> {
    this.#admit("RTM_DELROUTE");
    this.#routes.delete(route);
  }

  async addManagedNeighbour(ifindex: Ifindex, address: IpAddress): Promise<void> {
    this.#admit("RTM_NEWNEIGH");
    this.#port(ifindex, "RTM_NEWNEIGH");
    const known = this.#neighbours.get(`${ifindex} ${address}`);
    const state = known?.state ?? NUD_INCOMPLETE;
    // The kernel tells of it only when it has found out more.
    this.#neighbours.set(`${ifindex} ${address}`, { ifindex, address, mac: known?.mac, state, managed: true });
  }

  async deleteNeighbour(ifindex: Ifindex, address: IpAddress): Promise<void> {
    this.#admit("RTM_DELNEIGH");
    const entry = this.#neighbours.get(`${ifindex} ${address}`);
    if (entry !== undefined) this.#loseNeighbour(entry);
  }

  async endConnections(local: IpAddress): Promise<number> {
    this.#admit("SOCK_DESTROY");
    const count = this.#connections.get(local) ?? 0;
    this.#connections.delete(local);
    return count;
  }

  subscribe(listener: (event: NetworkEvent) => void): Subscription {
    const entry = (event: NetworkEvent) => listener(event);
    this.#listeners.add(entry);
    return { close: () => void this.#listeners.delete(entry) };
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
  }

  #admit(request: string): void {
    if (this.#closed) throw new HalError("EBADF", request, "the network is closed");
    const refusal = this.#refusals.shift();
    if (refusal !== undefined) throw refusal;
  }

  #port(ifindex: Ifindex, request: string): Port {
    const port = this.#ports.get(ifindex);
    if (port === undefined) throw new HalError("ENODEV", request, "no such device");
    return port;
  }

  #appear(ifname: Ifname, port: FakePort, lower: Ifindex | undefined): Ifindex {
    const ifindex = ++this.#lastIfindex as Ifindex;
    const ownMac = `02:00:00:00:00:${ifindex.toString(16).padStart(2, "0")}` as Mac;
    const { mac = ownMac, mtu = 1500, up = true, cable = true, kind } = port;
    const link: Link = { ifindex, ifname, mac, mtu, up, carrier: false, operstate: "down", kind, upper: undefined };
    this.#put({ link, cable, lower });
    return ifindex;
  }

  /** Carrier follows from the cable, from the link being up, and from the link below. */
  #put(port: Port): void {
    const { ifindex, up } = port.link;
    const below = port.lower === undefined ? undefined : this.#ports.get(port.lower)?.link;
    const carrier = up && port.cable && below?.carrier !== false;
    const operstate = carrier ? "up" : up && below?.carrier === false ? "lowerlayerdown" : "down";
    const hadCarrier = this.#ports.get(ifindex)?.link.carrier === true;
    const link: Link = { ...port.link, carrier, operstate };
    this.#ports.set(ifindex, { ...port, link });
    this.#emit({ kind: "link", link });
    const lost = hadCarrier && !carrier;
    // The kernel forgets the neighbours of a link that lost its carrier, managed ones too.
    if (lost) this.#loseNeighbours(ifindex);
    for (const upper of this.#ports.values()) if (upper.lower === ifindex) this.#put(upper);
  }

  #lose(ifindex: Ifindex, which: (entry: AddressEntry) => boolean): void {
    const addresses = [...this.#addresses.values()].filter((entry) => entry.ifindex === ifindex && which(entry));
    for (const entry of addresses) this.#loseAddress(entry);
    this.#loseNeighbours(ifindex);
  }

  #loseNeighbours(ifindex: Ifindex): void {
    for (const entry of this.#neighbours.values()) if (entry.ifindex === ifindex) this.#loseNeighbour(entry);
  }

  #loseAddress(entry: AddressEntry): void {
    this.#addresses.delete(addressKey(entry.ifindex, entry));
    this.#emit({ kind: "addressGone", entry });
    const others = [...this.#addresses.values()].filter((other) => other.ifindex === entry.ifindex);
    this.#routes.disconnect(entry, others);
  }

  #loseNeighbour(entry: NeighbourEntry): void {
    this.#neighbours.delete(`${entry.ifindex} ${entry.address}`);
    this.#emit({ kind: "neighbourGone", entry });
  }

  /** As with the kernel, a listener hears of a change only after the code that caused it has gone on. */
  #emit(event: NetworkEvent): void {
    if (this.#losing) return;
    for (const entry of this.#listeners) queueMicrotask(() => this.#listeners.has(entry) && entry(event));
  }
}

function addressKey(ifindex: Ifindex, value: InterfaceAddress): string {
  return `${ifindex} ${value.address}/${value.prefixLength}`;
}
