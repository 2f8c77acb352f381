/**
 * What core and sentinel say to each other over `DIR/sentinel.sock`: one JSON object per line, either direction.
 * Core connects; sentinel listens. Each orders message is complete, so a restart of either side needs no history.
 */
import type { Ifname, InterfaceAddress, IpAddress } from "@futago/hal/units/address.ts";

export type Box = "a" | "b";
export type Profile = "default" | "fast" | "calm";

/** What the configuration asks of the standby side of one box. */
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

/** A reason why this box is less fit to hold a group. */
export interface Penalty {
  /** Undefined: every group. */
  readonly group: string | undefined;
  readonly cause: "carrier" | "core" | "gateway" | "check";
  /** 1 to 254; summed per group. */
  readonly weight: number;
  /** For people: "check http 127.0.0.1:80 failed: connection refused". */
  readonly sentence: string;
}

export type SentinelCommand =
  /** Hands every group (or one) to the peer, or takes it from the peer, whichever way it lies. */
  | { readonly kind: "switchover"; readonly group: string | undefined }
  | { readonly kind: "maintenance"; readonly on: boolean };

export type CoreToSentinel =
  | { readonly kind: "orders"; readonly orders: Orders }
  /** The whole list each time it changes. Carrier is watched by sentinel itself. */
  | { readonly kind: "health"; readonly penalties: readonly Penalty[] }
  | { readonly kind: "command"; readonly id: number; readonly command: SentinelCommand };

export type GroupState = "initialize" | "standby" | "active" | "fault" | "maintenance";

export interface GroupStatus {
  readonly name: string;
  readonly state: GroupState;
  /** RFC 3339 with milliseconds. */
  readonly since: string;
  readonly reason: string;
  readonly addresses: readonly string[];
  readonly priority: number;
  /** The gate lets the VIPs answer now. */
  readonly answering: boolean;
}

export interface PathStatus {
  readonly interface: string;
  readonly alive: boolean;
  readonly rttMicros: number | null;
}

export interface PeerStatus {
  readonly alive: boolean;
  readonly role: string;
  /** The first 16 hex digits of the revision the peer runs, from its heartbeats; empty while unknown. */
  readonly revision: string;
  readonly paths: readonly PathStatus[];
  /** Where the peer's core can be dialled: the peer's link-local addresses on paths that are alive, best first. */
  readonly addresses: readonly { readonly address: string; readonly device: Ifname; readonly ifindex: number }[];
}

export interface HeartbeatStatus {
  readonly profile: Profile;
  readonly deadMs: number;
  readonly leaseMs: number;
  readonly latenessP999Ms: number;
  readonly counters: Readonly<Record<string, number>>;
}

export interface Alarm {
  /** Stable word for scripts: "peer-lost", "widened", "vrid-conflict", "address-conflict", "revision-differs", … */
  readonly kind: string;
  readonly since: string;
  /** What happened, where, and what to do about it. */
  readonly sentence: string;
}

export interface SentinelStatus {
  readonly role: string;
  readonly groups: readonly GroupStatus[];
  /** Undefined on a box alone. */
  readonly peer: PeerStatus | undefined;
  readonly heartbeat: HeartbeatStatus | undefined;
  readonly alarms: readonly Alarm[];
}

/** One line of the answer to "why": a role change, a take-over with its figures, a lapse. */
export interface SentinelEvent {
  readonly at: string;
  readonly event: string;
  readonly group: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, number | string>>;
}

export type SentinelToCore =
  /** On every change and once a second. */
  | { readonly kind: "status"; readonly status: SentinelStatus }
  | { readonly kind: "event"; readonly event: SentinelEvent }
  | {
      readonly kind: "result";
      readonly id: number;
      readonly ok: boolean;
      /** A refusal in words, with what to do. */
      readonly message: string;
      /** The CLI's exit code when not ok: 1 failed, 5 peer needed, 6 conflict. */
      readonly exitCode: number;
    };
