/** What the configuration asks of the standby side of one box: core compiles it, sentinel carries it out. */
import type { Ifname, InterfaceAddress, IpAddress } from "@futago/hal/units/address.ts";

export type Box = "a" | "b";
export type Profile = "default" | "fast" | "calm";

export interface Orders {
  /** The revision these orders come from: 64 hex digits. */
  readonly revision: string;
  /** Undefined on a box that is alone. */
  readonly box: Box | undefined;
  readonly pair: PairOrders | undefined;
  readonly interfaces: readonly InterfaceOrders[];
  readonly groups: readonly GroupOrders[];
}

export interface PairOrders {
  /**
   * "either": the election decides. In a cold pair people have decided: this box holds all groups, or it is the spare and
   * holds none, however silent the peer is.
   */
  readonly part: "either" | "active" | "spare";
  readonly partition: "availability" | "safety";
  readonly witnesses: readonly IpAddress[];
  readonly profile: Profile;
  /** Forbids widening of the dead time. */
  readonly fixed: boolean;
  /** UDP port of the heartbeats. */
  readonly port: number;
  /** The devices that carry heartbeats, in the order of `heartbeat.over`. */
  readonly over: readonly Ifname[];
}

export interface InterfaceOrders {
  /** The name in the configuration, such as "wan". */
  readonly name: string;
  readonly device: Ifname;
  /** This box's own addresses. */
  readonly addresses: readonly InterfaceAddress[];
  /** The other box's, so that its packets are not taken for a stranger's; empty on a box alone. */
  readonly peerAddresses: readonly InterfaceAddress[];
}

export interface GroupOrders {
  readonly name: string;
  readonly preferred: Box | undefined;
  readonly preempt: boolean;
  /** This box's configured Priority, 1 to 255 (255: address owner, boxes alone only). */
  readonly priority: number;
  readonly virtualRouters: readonly VirtualRouterOrders[];
}

export interface VirtualRouterOrders {
  readonly interface: string;
  readonly device: Ifname;
  readonly vrid: number;
  readonly family: "ipv4" | "ipv6";
  /** For IPv6 the link-local virtual address comes first (RFC 9568 erratum 8300). */
  readonly addresses: readonly InterfaceAddress[];
  readonly advertisementIntervalMs: number;
  readonly checksum: "rfc5798" | "rfc9568";
  readonly virtualMac: boolean;
}
