/**
 * What hal offers of the kernel's network configuration: links, addresses, routes, neighbours, and frames.
 * Implemented by `hal/netlink` and `hal/packet` on the real kernel and by `hal/fake` in memory.
 */
import type { Family, Ifindex, Ifname, InterfaceAddress, IpAddress, Mac } from "../units/address.ts";
import type { Instant } from "../units/time.ts";

export type Operstate = "unknown" | "notpresent" | "down" | "lowerlayerdown" | "testing" | "dormant" | "up";

export interface Link {
  readonly ifindex: Ifindex;
  readonly ifname: Ifname;
  /** Undefined for a link without an Ethernet address, such as a tunnel. */
  readonly mac: Mac | undefined;
  readonly mtu: number;
  /** IFF_UP: somebody set the link up. */
  readonly up: boolean;
  /** IFLA_CARRIER: a cable with a live other end is plugged in. */
  readonly carrier: boolean;
  readonly operstate: Operstate;
  /** IFLA_INFO_KIND: "veth", "macvlan", "bridge", …; undefined for a physical port. */
  readonly kind: string | undefined;
  /** IFLA_MASTER: the bridge or bond the link belongs to. */
  readonly upper: Ifindex | undefined;
}

/** What a link carried and lost since it was made; of the kernel's 64 bit counters. */
export interface LinkStatistics {
  readonly ifindex: Ifindex;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
  /** Either way: broken, dropped, or never taken from the device. */
  readonly troubles: number;
}

export interface AddressEntry extends InterfaceAddress {
  readonly ifindex: Ifindex;
  readonly scope: "global" | "link" | "host" | "other";
  /** IFA_F_* bits of linux/if_addr.h. */
  readonly flags: number;
}

export interface RouteEntry {
  readonly family: Family;
  /** Undefined is the default route. */
  readonly destination: InterfaceAddress | undefined;
  readonly via: IpAddress | undefined;
  readonly ifindex: Ifindex | undefined;
  /** Lower wins; the kernel takes 0 for IPv6 as 1024. */
  readonly metric: number;
  /** RTPROT_* of linux/rtnetlink.h; routes we made carry {@link RTPROT_FUTAGO}. */
  readonly protocol: number;
}

/** The routing protocol number that marks routes made by Futago (unassigned in linux/rtnetlink.h). */
export const RTPROT_FUTAGO = 205;

export interface NeighbourEntry {
  readonly ifindex: Ifindex;
  readonly address: IpAddress;
  readonly mac: Mac | undefined;
  /** NUD_* bits of linux/neighbour.h. */
  readonly state: number;
  /** NTF_EXT_MANAGED: the kernel keeps the entry fresh by itself (Linux 5.16). */
  readonly managed: boolean;
}

export type NetworkEvent =
  | { readonly kind: "link"; readonly link: Link }
  | { readonly kind: "linkGone"; readonly ifindex: Ifindex; readonly ifname: Ifname }
  | { readonly kind: "address"; readonly entry: AddressEntry }
  | { readonly kind: "addressGone"; readonly entry: AddressEntry }
  | { readonly kind: "route"; readonly entry: RouteEntry }
  /** Linux does not tell of the IPv4 routes that vanish because their link went down or away: list them again then. */
  | { readonly kind: "routeGone"; readonly entry: RouteEntry }
  | { readonly kind: "neighbour"; readonly entry: NeighbourEntry }
  /** Also when the link loses its carrier: the kernel then forgets managed neighbours too. */
  | { readonly kind: "neighbourGone"; readonly entry: NeighbourEntry }
  /** Events were lost (ENOBUFS): what the listener believed is void; it must list everything again. */
  | { readonly kind: "overrun" };

export interface Subscription {
  close(): void;
}

export interface AddressOptions {
  /** IFA_F_NODAD: usable at once, without duplicate address detection. */
  readonly skipDuplicateDetection?: boolean;
  /** IFA_F_NOPREFIXROUTE: no on-link route comes with the address. */
  readonly noPrefixRoute?: boolean;
  /**
   * The kernel gives it to nothing of its own as a source while the link has another of its scope: an IPv6 address is
   * added with a preferred lifetime of zero (RFC 6724 §5, rule 3). IPv4 takes the first address of a subnet anyway.
   */
  readonly neverSource?: boolean;
}

/** Every call answers when the kernel has acknowledged it and throws HalError with the kernel's own (extack) text when it refuses. */
export interface Network {
  links(): Promise<readonly Link[]>;
  addresses(): Promise<readonly AddressEntry[]>;
  /** The unicast routes of the main table; one with several next hops is several entries. */
  routes(): Promise<readonly RouteEntry[]>;
  neighbours(): Promise<readonly NeighbourEntry[]>;
  statistics(): Promise<readonly LinkStatistics[]>;
  /** Megabits a second, of the links whose drivers tell. A driver may have to ask its hardware. */
  speeds(): Promise<ReadonlyMap<Ifindex, number>>;

  setLinkUp(ifindex: Ifindex, up: boolean): Promise<void>;
  /** Throws EEXIST where another link has the name, and EBUSY for a link that is up on a kernel before Linux 6.2. */
  renameLink(ifindex: Ifindex, ifname: Ifname): Promise<void>;
  /** Makes a macvlan in bridge mode with the given Ethernet address on top of `lower`. */
  addMacvlan(lower: Ifindex, ifname: Ifname, mac: Mac): Promise<void>;
  deleteLink(ifindex: Ifindex): Promise<void>;

  /** Adds or replaces; an address that is there already is no error. */
  addAddress(ifindex: Ifindex, address: InterfaceAddress, options?: AddressOptions): Promise<void>;
  /** An address that is not there is no error. */
  deleteAddress(ifindex: Ifindex, address: InterfaceAddress): Promise<void>;
  /** Adds or replaces, with protocol {@link RTPROT_FUTAGO}. */
  replaceRoute(route: Omit<RouteEntry, "protocol">): Promise<void>;
  /** Deletes only what {@link replaceRoute} made; a route that is not there is no error. */
  deleteRoute(route: Omit<RouteEntry, "protocol">): Promise<void>;
  /** Asks the kernel to resolve the neighbour and keep it resolved. Throws ENOTSUP where the kernel has no managed neighbours. */
  addManagedNeighbour(ifindex: Ifindex, address: IpAddress): Promise<void>;
  /** A neighbour that is not there is no error. */
  deleteNeighbour(ifindex: Ifindex, address: IpAddress): Promise<void>;

  /**
   * Ends the TCP connections whose local address this is, with a reset to the other side; what listens goes on. Answers
   * how many there were. Throws ENOTSUP where the kernel cannot (CONFIG_INET_DIAG_DESTROY).
   */
  endConnections(local: IpAddress): Promise<number>;

  /** Calls back for every change from now on. The listener lists after it subscribed, so nothing falls between. */
  subscribe(listener: (event: NetworkEvent) => void): Subscription;
  close(): void;
}

/** Netlink requests prepared beforehand, for pulse to send without thinking. Complete messages with header, without NLM_F_ACK. */
export interface RequestBuilder {
  addAddress(ifindex: Ifindex, address: InterfaceAddress, options?: AddressOptions): Uint8Array;
  deleteAddress(ifindex: Ifindex, address: InterfaceAddress): Uint8Array;
}

export interface ReceivedFrame {
  /** The frame from its Ethernet header on, cut at the socket's snapshot length. */
  readonly bytes: Uint8Array;
  readonly ifindex: Ifindex;
  /** PACKET_OUTGOING: our own frame seen on its way out. */
  readonly outgoing: boolean;
  readonly at: Instant;
}

/** A packet(7) socket on one link. */
export interface FrameSocket {
  /**
   * Sends through the link's tc egress. Throws HalError: ENETDOWN while the link is down, ENOBUFS when the queue is full
   * and also when a program on egress, such as the gate, drops the frame.
   */
  send(frame: Uint8Array): void;
  close(): void;
}

export interface FrameSocketOptions {
  readonly ifindex: Ifindex;
  /** The frames to receive; "none" opens a socket that only sends. */
  readonly receive: "none" | "arp" | "nd" | "vrrp";
  readonly onFrame?: (frame: ReceivedFrame) => void;
  /**
   * The link went away or the kernel refused a read. The socket stays closed. A link that is only down keeps its sockets;
   * the removal of a link that was down already is known from `linkGone` alone.
   */
  readonly onError?: (error: Error) => void;
}

export interface Frames {
  /** Joins the multicast groups that `receive` needs (packet(7) PACKET_ADD_MEMBERSHIP). Throws HalError. */
  open(options: FrameSocketOptions): FrameSocket;
}

export interface IcmpReply {
  readonly from: IpAddress;
  readonly id: number;
  readonly sequence: number;
  readonly at: Instant;
}

/** Why somebody on the way did not send an echo request on. */
export type IcmpErrorReason =
  | "time-exceeded"
  | "no-route"
  | "host-unreachable"
  | "port-unreachable"
  | "prohibited"
  | "too-big"
  | "other";

export interface IcmpError {
  /** Whoever says it. */
  readonly from: IpAddress;
  /** Where the request was to go, with its identifier and sequence. */
  readonly to: IpAddress;
  readonly id: number;
  readonly sequence: number;
  readonly reason: IcmpErrorReason;
  readonly at: Instant;
}

/** Raw ICMP and ICMPv6 echo for checks and witnesses. Every socket hears every reply: tell yours by the identifier. */
export interface IcmpSocket {
  /**
   * Sends one echo request; throws HalError when the kernel refuses at once (no route, no buffer). `hops`: so many routers
   * may send it on, less one; left out, as many as the kernel says.
   */
  sendEcho(to: IpAddress, id: number, sequence: number, ifindex?: Ifindex, hops?: number): void;
  close(): void;
}

export interface Icmp {
  /** With `onError` the socket also hears what became of echo requests on the way, those of other programs too. */
  open(family: Family, onReply: (reply: IcmpReply) => void, onError?: (error: IcmpError) => void): IcmpSocket;
}
