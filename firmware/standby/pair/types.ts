/**
 * What the election of a pair reads and says. One box's view: the other box appears only as pulse heard it.
 */
import type { PulseCommand, PulseReason, PulseReport, PulseSnapshot } from "@futago/hal/units/pulse.ts";
import type { Instant, Micros } from "@futago/hal/units/time.ts";

export type Box = "a" | "b";

export interface PairConfig {
  readonly box: Box;
  /** 16 hex digits: the beginning of the revision. */
  readonly configId: string;
  /** `partition: "safety"`: serving needs the peer or a witness. */
  readonly safety: boolean;
  /** The profile's dead time. */
  readonly deadTime: Micros;
  /** Widening is forbidden. */
  readonly fixed: boolean;
  /** How long a booted box waits for its peer before it may hold a role. */
  readonly bootWait: Micros;
  /** The spare of a cold pair: it holds nothing and takes nothing over, until it is configured otherwise. */
  readonly spare: boolean;
  readonly groups: readonly PairGroupConfig[];
}

export interface PairGroupConfig {
  /** The index of the group in the gate's map; stays the same while the group lives. */
  readonly slot: number;
  readonly name: string;
  /** The same on both boxes. */
  readonly id: number;
  /** 1 to 254; from `preferred` unless configured. */
  readonly preference: number;
  readonly preempt: boolean;
}

export type RoleState = "initialize" | "standby" | "active" | "fault" | "maintenance" | "spare";

/** How fit this box is to hold a group: 255 less what carrier, core, gateway and checks cost. */
export interface Fitness {
  readonly health: number;
  /** The heaviest cause in words; empty while nothing is wrong. */
  readonly sentence: string;
}

export interface GroupMemory {
  readonly state: RoleState;
  readonly since: Instant;
  readonly reason: string;
  /** Why an offer is under way, and since when; undefined while none is. */
  readonly offer: { readonly since: Instant; readonly why: OfferReason; readonly made: boolean } | undefined;
  /** Not offered again before this moment, after an offer that failed. */
  readonly offerNotBefore: Instant;
  /** The peer was asked to hand over to us. */
  readonly wish: { readonly until: Instant } | undefined;
  /** Moves of the last while that nobody ordered, for the flap guard. */
  readonly changes: readonly Instant[];
  readonly heldDownUntil: Instant;
  readonly holdDownMicros: Micros;
  /** Why the change that pulse was told to make is made; undefined when none was ordered. */
  readonly ordered: string | undefined;
}

export type OfferReason = "switchover" | "maintenance" | "health" | "preempt" | "wish";

export interface PairState {
  /** When the boot time began: pulse was started, and then its first word came. */
  readonly bootedAt: Instant;
  readonly booting: boolean;
  readonly maintenance: boolean;
  readonly snapshot: PulseSnapshot | undefined;
  readonly fitness: Readonly<Record<string, Fitness>>;
  readonly groups: Readonly<Record<string, GroupMemory>>;
  readonly timing: TimingState;
  /** Since when both boxes claimed one group; undefined while none does. */
  readonly conflictSince: Instant | undefined;
  /** The send time of the newest probe that a witness answered. */
  readonly witnessAt: Instant;
  /**
   * Until then this box does not hand over of its own will, because the peer lacks connections that it serves;
   * undefined while the peer has them all.
   */
  readonly untoldUntil: Instant | undefined;
}

export interface TimingState {
  /** The configured dead time that `wanted` is a multiple of. */
  readonly profile: Micros;
  readonly dead: Micros;
  readonly lease: Micros;
  readonly beat: Micros;
  readonly wanted: Micros;
  /** One lateness histogram a second, oldest first, of the last minute. */
  readonly history: readonly { readonly at: Instant; readonly counts: readonly number[] }[];
  readonly latenessP999: Micros;
  /** Since when a narrower dead time would do. */
  readonly narrowSince: Instant | undefined;
  /** The shortest dead time that has been enough since then, while it is not in force yet. */
  readonly shorter: { readonly since: Instant; readonly dead: Micros } | undefined;
  /** The longest lease that has been right since then, while it is not in force yet. */
  readonly longer: { readonly since: Instant; readonly lease: Micros } | undefined;
  /** Since when the dead time has been longer than the profile's. */
  readonly widenedSince: Instant | undefined;
}

export type PairInput =
  /** New orders: pulse is told everything again. */
  | { readonly kind: "configured" }
  /** pulse ended: this box holds nothing any more. */
  | { readonly kind: "pulseEnded" }
  /** A pulse that was just started knows nothing of the peer: this box begins anew. */
  | { readonly kind: "pulseStarted" }
  | { readonly kind: "witness"; readonly at: Instant }
  | { readonly kind: "report"; readonly report: PulseReport }
  | { readonly kind: "fitness"; readonly fitness: Readonly<Record<string, Fitness>> }
  /** Whether the peer has the connections that this box serves. */
  | { readonly kind: "connections"; readonly told: boolean }
  | { readonly kind: "switchover"; readonly group: string | undefined }
  | { readonly kind: "maintenance"; readonly on: boolean }
  | { readonly kind: "timeout" };

export type PairAction =
  | { readonly kind: "pulse"; readonly command: PulseCommand }
  | {
      readonly kind: "transition";
      readonly group: string;
      readonly slot: number;
      readonly from: RoleState;
      readonly to: RoleState;
      readonly reason: string;
      readonly evidence: Readonly<Record<string, number | string>>;
    }
  /** A thing worth an operator's line that is not a role change: a lapse, a grant, a failed offer. */
  | {
      readonly kind: "note";
      readonly event: NoteEvent;
      readonly group: string | undefined;
      readonly reason: string;
      readonly evidence: Readonly<Record<string, number | string>>;
    }
  /** Neighbours should be told again who holds the group's addresses. */
  | { readonly kind: "announce"; readonly slot: number }
  | { readonly kind: "askWitnesses" };

export type NoteEvent =
  | "lease-lapsed"
  | "lease-granted"
  | "yielded"
  | "resumed"
  | "offer"
  | "offer-failed"
  | "conflict"
  | "conflict-over"
  | "peer-back"
  | "held-down"
  | "widened"
  | "narrowed"
  | "plan-failed";

export interface PairStep {
  readonly state: PairState;
  readonly actions: readonly PairAction[];
}

/** The reason of an automatic change in an operator's words. */
export const PULSE_REASON_SENTENCES: Readonly<Record<PulseReason, string>> = {
  none: "",
  silence: "the peer was silent on every path for the dead time",
  released: "the peer let go",
  handover: "planned hand-over",
  order: "ordered",
  refused: "the peer did not take over what was offered",
  sentinel: "the sentinel stopped",
  acknowledged: "the peer hears this box again",
  shutdown: "this box shuts down",
  taken: "both boxes held it and this one let go",
};
