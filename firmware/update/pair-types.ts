/** What an update of a pair is made of: its stages, what is seen, and what follows. Types only. */
import type { Instant, Micros } from "@futago/hal/units/time.ts";
import type { Sample, Sight, Watch } from "./pair-compare.ts";

export type Box = "a" | "b";

export type PairStage =
  | "checking"
  | "sending"
  | "installing"
  | "starting"
  | "proving"
  | "handingOver"
  | "watching"
  | "handingBack"
  | "goingBack"
  | "over";

export type Proof = "off" | "waiting" | "soaking" | "good" | "givenUp";

/** What the other box does with the bundle, as it tells itself. */
export interface Work {
  readonly update: string;
  readonly doing: "installing" | "installed" | "starting" | "goingBack" | "failed";
  readonly percent: number | null;
  /** Why it failed. */
  readonly failure: string | null;
}

/** What a box tells of itself. */
export interface Told {
  /** What runs; null where there are no slots. Two builds may have one version, and are told apart by `build`. */
  readonly version: string | null;
  readonly build: string | null;
  readonly proof: Proof;
  readonly findings: readonly string[];
  readonly secondsLeft: number | null;
  /** Null when it does nothing for an update of the pair. */
  readonly work: Work | null;
  readonly sight: Sight;
}

export interface PairTimes {
  /** For so long the new version is watched while it serves. */
  readonly watch: Micros;
  /** From the order to start anew until it runs; three tries of the loader, and a slow disk. */
  readonly start: Micros;
  /** And until it is found good. */
  readonly prove: Micros;
  /** A link that was down comes back within that, or the update ends. */
  readonly away: Micros;
}

export interface PairUpdate {
  readonly version: string;
  readonly build: string;
  readonly id: string;
  readonly leader: Box;
  readonly stage: PairStage;
  /** The box that the stage is about. */
  readonly box: Box;
  /** When the stage began, and when the other box was heard last. */
  readonly since: Instant;
  readonly heardAt: Instant;
  /** It was away since the stage began. */
  readonly wasAway: boolean;
  readonly percent: number | null;
  readonly secondsLeft: number | null;
  readonly findings: readonly string[];
  /** Of the traffic before the new version serves. */
  readonly samples: readonly Sample[];
  readonly watch: Watch | undefined;
  readonly outcome: "running" | "done" | "cameBack" | "halfway";
  /** Why it goes back, or ended. */
  readonly failure: string | null;
}

export type PairInput =
  /** Each second or so. `told`: undefined while the link between the cores is down. */
  | { readonly kind: "look"; readonly told: Told | undefined; readonly own: Sight }
  | { readonly kind: "sending"; readonly percent: number }
  | { readonly kind: "sent" }
  | { readonly kind: "notSent"; readonly why: string }
  | { readonly kind: "handedOver"; readonly trouble: string | undefined }
  | { readonly kind: "handedBack"; readonly trouble: string | undefined }
  /** Into the leader's own slot. */
  | { readonly kind: "writing"; readonly percent: number }
  | { readonly kind: "written"; readonly trouble: string | undefined }
  /** The leader could not start anew. */
  | { readonly kind: "notStarted"; readonly why: string }
  | { readonly kind: "stop"; readonly author: string };

export type PairOrder =
  | { readonly kind: "say"; readonly sentence: string }
  /** To the other box. */
  | { readonly kind: "tell"; readonly order: "install" | "start" | "goBack" }
  | { readonly kind: "send" }
  | { readonly kind: "stopSending" }
  | { readonly kind: "handOver" }
  | { readonly kind: "handBack" }
  /** The leader itself. */
  | { readonly kind: "install" }
  | { readonly kind: "start" };

export interface PairStep {
  readonly state: PairUpdate;
  readonly orders: readonly PairOrder[];
}
