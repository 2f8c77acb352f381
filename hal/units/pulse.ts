/**
 * What the sentinel says to pulse and hears from it. pulse is a C program (hal/pulse) that keeps time; the sentinel
 * decides beforehand what it is to do. docs/standby.md tells how the two share the work.
 */
import type { Ifindex } from "./address.ts";
import type { Instant, Micros } from "./time.ts";

/** How a box stands to a failover group, as the heartbeat says it. */
export type PulseGroupState = "initialize" | "standby" | "active" | "offering" | "ready" | "yielded" | "fault";
export type PulsePlan = "takeOver" | "release";
export type PulseReason =
  | "none"
  | "silence"
  | "released"
  | "handover"
  | "order"
  | "refused"
  | "sentinel"
  | "acknowledged"
  | "shutdown"
  | "taken";

export interface PulsePathOrder {
  readonly ifindex: Ifindex;
  /** The same on both boxes: a hash of the interface's name in the configuration. */
  readonly id: number;
}

export type PulseOperation =
  /** Complete netlink messages, end to end. */
  | { readonly kind: "netlink"; readonly bytes: Uint8Array }
  | { readonly kind: "frame"; readonly ifindex: Ifindex; readonly bytes: Uint8Array };

export type PulseCommand =
  | {
      readonly kind: "configure";
      /** 32 bytes. */
      readonly key: Uint8Array;
      /** Believed of the peer, too, while the two change their key; undefined: only `key`. */
      readonly otherKey?: Uint8Array | undefined;
      /** 16 hex digits. */
      readonly configId: string;
      readonly box: "a" | "b";
      readonly safety: boolean;
      readonly port: number;
      /** At most 8. */
      readonly paths: readonly PulsePathOrder[];
    }
  | { readonly kind: "pet" }
  | {
      readonly kind: "plan";
      readonly group: number;
      readonly plan: PulsePlan;
      readonly operations: readonly PulseOperation[];
    }
  | {
      readonly kind: "group";
      readonly group: number;
      /** The same on both boxes: a hash of the group's name. */
      readonly id: number;
      readonly idle: "initialize" | "standby" | "fault";
      /** Take over by itself when the peer falls silent or lets go. */
      readonly armed: boolean;
      /** 0 to 255, more is fitter. */
      readonly health: number;
      readonly preference: number;
      /** Asks the peer, which holds the group, to hand it over. */
      readonly asks: boolean;
    }
  | {
      readonly kind: "act";
      readonly group: number;
      readonly act: "takeOver" | "release" | "offer" | "ready" | "keep";
      readonly reason: PulseReason;
    }
  | {
      readonly kind: "timing";
      readonly dead: Micros;
      readonly lease: Micros;
      readonly beat: Micros;
      readonly wanted: Micros;
    }
  /** The send time of the newest probe that a witness answered. */
  | { readonly kind: "witness"; readonly at: Instant }
  | { readonly kind: "forget"; readonly group: number }
  | { readonly kind: "quit" };

export interface PulsePathReport {
  readonly id: number;
  readonly ifindex: Ifindex;
  readonly rtt: Micros;
  readonly alive: boolean;
  readonly heardAt: Instant;
  /** Heard since the snapshot before, at most 65,535. */
  readonly beats: number;
  /** The longest that a beat ended since the snapshot before. */
  readonly longestPause: Micros;
  /** The peer's link-local address on this path: 16 bytes, zero before it was heard. */
  readonly peerAddress: Uint8Array;
}

/** The newest beat on a path. */
export interface PulseHeard {
  readonly id: number;
  readonly heardAt: Instant;
}

export interface PulseGroupReport {
  readonly group: number;
  readonly id: number;
  readonly state: PulseGroupState;
  readonly lapsed: boolean;
  readonly answering: boolean;
  readonly activeSince: Instant;
  readonly leaseUntil: Instant;
  /** Undefined when the peer does not know the group. */
  readonly peer:
    | {
        readonly state: PulseGroupState;
        readonly health: number;
        readonly preference: number;
        readonly activeFor: Micros;
        readonly asks: boolean;
        /** It holds the group but is silent, because its lease has lapsed. */
        readonly lapsed: boolean;
      }
    | undefined;
}

export interface PulseSnapshot {
  readonly kind: "snapshot";
  readonly at: Instant;
  /** The newest accepted beat, on any path. */
  readonly heardAt: Instant;
  /** The send time of the newest beat that the peer acknowledged; 0 before any. */
  readonly ackedSentAt: Instant;
  /** The peer of this boot was met at least once. */
  readonly peerKnown: boolean;
  readonly peerConfigId: string;
  readonly peerDead: Micros;
  readonly peerLease: Micros;
  readonly peerWanted: Micros;
  readonly peerAlive: boolean;
  /** The peer acknowledged a beat sent within the last dead time. */
  readonly peerHears: boolean;
  readonly lapses: number;
  /** counts[i]: timers that fired less than 2^i microseconds late, and not less than half that. */
  readonly lateness: readonly number[];
  /** Accepted and refused datagrams, by the reason's name. */
  readonly counters: Readonly<Record<string, number>>;
  readonly paths: readonly PulsePathReport[];
  readonly groups: readonly PulseGroupReport[];
}

export type PulseReport =
  | { readonly kind: "hello"; readonly version: number }
  | PulseSnapshot
  | {
      readonly kind: "executed";
      readonly group: number;
      readonly plan: PulsePlan;
      readonly reason: PulseReason;
      readonly heardAt: Instant;
      readonly decidedAt: Instant;
      readonly doneAt: Instant;
      readonly errors: number;
      readonly firstErrno: number;
      /** Those on which the peer was ever heard, as they stood when it decided. */
      readonly paths: readonly PulseHeard[];
    }
  | { readonly kind: "lapsed"; readonly group: number; readonly at: Instant }
  | { readonly kind: "granted"; readonly group: number; readonly at: Instant; readonly reason: PulseReason }
  | { readonly kind: "resumed"; readonly group: number; readonly at: Instant; readonly reason: PulseReason }
  | { readonly kind: "yielded"; readonly group: number; readonly at: Instant }
  /** The peer has been quiet for two beats: a good moment to ask the witnesses. */
  | { readonly kind: "silence"; readonly at: Instant };
