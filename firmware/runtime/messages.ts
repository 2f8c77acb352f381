/**
 * What core and sentinel say to each other over `DIR/sentinel.sock`: one JSON object per line, either direction.
 * Core connects; sentinel listens. Each orders message is complete, so a restart of either side needs no history.
 */
import type { Ifname, IpAddress, Mac } from "@futago/hal/units/address.ts";
import type { Orders, Profile } from "../config/orders.ts";
import type { Light } from "../panel/light.ts";

export type {
  Box,
  GroupOrders,
  InterfaceOrders,
  Orders,
  PairOrders,
  Profile,
  VirtualRouterOrders,
} from "../config/orders.ts";

/** A reason why this box is less fit to hold a group. */
export interface Penalty {
  /** Undefined: every group. */
  readonly group: string | undefined;
  readonly cause: "carrier" | "core" | "gateway" | "check" | "version";
  /** 1 to 254; summed per group. */
  readonly weight: number;
  /** For people: "check http 127.0.0.1:80 failed: connection refused". */
  readonly sentence: string;
}

export type SentinelCommand =
  /** Hands every group (or one) to the peer, or takes it from the peer, whichever way it lies. */
  | { readonly kind: "switchover"; readonly group: string | undefined }
  | { readonly kind: "maintenance"; readonly on: boolean }
  /** Whether it holds a group: answered "active" or "nothing". */
  | { readonly kind: "holds" };

/** A host that missed a take-over: it sends to a box that does not hold the VIP. The other box tells it again. */
export interface StaleSighting {
  /** The configuration's name of the interface that the host is on. */
  readonly interface: string;
  /** The VIP whose Ethernet address the host has wrong: the packets' destination, or their gateway. */
  readonly virtualAddress: IpAddress;
  /** Behind a router the address is not the host's own. */
  readonly host: { readonly mac: Mac; readonly address: IpAddress };
  readonly sentTo: Mac;
  readonly frames: number;
}

export type CoreToSentinel =
  | { readonly kind: "orders"; readonly orders: Orders }
  /** The whole list each time it changes. Carrier is watched by sentinel itself. */
  | { readonly kind: "health"; readonly penalties: readonly Penalty[] }
  /** Whether the peer has the connections that this box serves: a hand-over that nobody ordered waits for it. */
  | { readonly kind: "connections"; readonly told: boolean }
  /** Answers each status: a core that hangs keeps its socket, and says nothing. */
  | { readonly kind: "alive" }
  /** What the role light is to show instead of the role; null: the role. Forgotten when core is gone. */
  | { readonly kind: "light"; readonly light: Light | null }
  | { readonly kind: "command"; readonly id: number; readonly command: SentinelCommand }
  /** What the peer's sentinel saw. */
  | { readonly kind: "stale"; readonly hosts: readonly StaleSighting[] };

export type GroupState = "initialize" | "standby" | "active" | "fault" | "maintenance" | "spare";

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
  /**
   * The revision the peer runs, empty while unknown: the first 16 hex digits, as heartbeats carry it; `futago status`
   * completes it when it is this box's own.
   */
  readonly revision: string;
  readonly paths: readonly PathStatus[];
  /**
   * Where the peer's core can be dialled: the peer's link-local addresses on paths that are alive; first where no virtual
   * router is, then in the order of `heartbeat.over`.
   */
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
  /** Of a role change and of a lapse in a pair: what was recorded before it. */
  readonly record?: Recorded | undefined;
}

/** What a box recorded before an event. */
export interface Recorded {
  /** All of it, a minute at most. */
  readonly whole: RecordedTime;
  /** The newest seconds of it piece by piece, oldest first. */
  readonly cells: readonly RecordedTime[];
}

export interface RecordedTime {
  /** So long before the event. */
  readonly endedMicros: number;
  readonly lastedMicros: number;
  readonly paths: readonly RecordedPath[];
  /** No timer of pulse fired later than that, or so late. */
  readonly latenessMicros: number;
  /** Of the time of all processors, what a hypervisor gave to others; null: not known. */
  readonly stealPercent: number | null;
  /** Devices that had no carrier at some time of it. */
  readonly down: readonly string[];
}

export interface RecordedPath {
  /** The configuration's name. */
  readonly interface: string;
  /** Of the peer, answers to this box's own among them. */
  readonly beats: number;
  /** Between two beats. */
  readonly longestPauseMicros: number;
}

export interface WatchdogShown {
  /** Of /dev. */
  readonly device: string;
  /**
   * "armed" and fed; "none": there is no such device; "refused": it is there and cannot be used; "starving": it is not fed,
   * because this box shows no sign of life, and will reset the machine.
   */
  readonly state: "armed" | "none" | "refused" | "starving";
  /** As the driver calls itself. */
  readonly identity: string | null;
  /** So long after its last meal it resets the machine. */
  readonly seconds: number | null;
  /** Whatever is written to it: "nowayout". */
  readonly neverStops: boolean;
  /** Of "refused" and "starving". */
  readonly reason: string | null;
}

/** What the sentinel has of the machine, with `futago run --board`. */
export interface HardwareReport {
  /** Null where the board's description names none. */
  readonly watchdog: WatchdogShown | null;
  /** Why the role light shows nothing; null where it does, and where there is none. */
  readonly roleLight: string | null;
}

export type SentinelToCore =
  /** On every change and once a second. */
  | { readonly kind: "status"; readonly status: SentinelStatus }
  | { readonly kind: "event"; readonly event: SentinelEvent }
  /** For the peer's sentinel, by way of the two cores. */
  | { readonly kind: "stale"; readonly hosts: readonly StaleSighting[] }
  /** First thing, and on every change. */
  | { readonly kind: "hardware"; readonly report: HardwareReport }
  | {
      readonly kind: "result";
      readonly id: number;
      readonly ok: boolean;
      /** A refusal in words, with what to do. */
      readonly message: string;
      /** The CLI's exit code when not ok: 1 failed, 5 peer needed, 6 conflict. */
      readonly exitCode: number;
      /** Of a message that tells what becomes of the order, too: why it was refused, alone. */
      readonly cause?: string;
    };
