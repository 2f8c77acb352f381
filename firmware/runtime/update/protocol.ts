/**
 * What core asks of the updater, one JSON object a line: a request {id, method, params} is answered by {id, result} or {id, error},
 * an installation by {id, progress} in between. Only root may connect; changes are made one after the other.
 */
import type { BootState, Slot } from "../../update/boot-state.ts";
import type { BundleFacts } from "../../update/bundle.ts";
import type { Build } from "../../update/version.ts";

export const UPDATER_LINE_BYTES_MAX = 64 << 10;

/** The image that runs, from its image.json. */
export interface ImageFacts extends Build {
  readonly architecture: string;
}

export interface UpdaterState {
  readonly image: ImageFacts;
  /** Undefined where no loader of ours booted the box: it has no slots. */
  readonly running: Slot | null;
  readonly bootState: BootState;
  /** Both copies count and say the same. */
  readonly isWhole: boolean;
  /** What was installed into a slot since the disk was written. */
  readonly installed: Readonly<Partial<Record<Slot, Build>>>;
}

/** What only a process that starts programs can tell of the machine. */
export interface MachineHealth {
  /** "unknown" where no verified root is mounted. */
  readonly verity: "good" | "corrupt" | "unknown";
  readonly failedUnits: readonly string[];
}

export interface Progress {
  readonly percent: number;
  readonly doing: string;
}

export interface UpdaterMethods {
  state: { params: Record<string, never>; result: UpdaterState };
  health: { params: Record<string, never>; result: MachineHealth };
  /** Refused unless it may go onto this box. */
  inspect: { params: { readonly file: string }; result: BundleFacts };
  /** Into the slot that does not run, which no boot takes until a trial begins. */
  install: { params: { readonly file: string }; result: BundleFacts };
  /** The next boots take the other slot first. */
  beginTrial: { params: Record<string, never>; result: UpdaterState };
  /** The next boots take the slot that runs. */
  endTrial: { params: Record<string, never>; result: UpdaterState };
  /** The slot that runs was found good. */
  markGood: { params: Record<string, never>; result: UpdaterState };
  /** The slot that runs was found bad: the next boot takes the other one. */
  markBad: { params: Record<string, never>; result: UpdaterState };
  /** Puts down that a trial ended in the slot that runs. `slot` is the one that failed; null: none did. */
  settle: { params: Record<string, never>; result: { readonly failed: Slot | null } };
}
export type UpdaterMethod = keyof UpdaterMethods;

export interface UpdaterRequest {
  readonly id: number;
  readonly method: UpdaterMethod;
  readonly params: unknown;
}

/** What is wrong and how to mend it, and a word for programs. */
export interface UpdaterRefusal {
  readonly reason: string;
  readonly what: string;
  readonly mend: string;
}

export type UpdaterReply =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: UpdaterRefusal };
