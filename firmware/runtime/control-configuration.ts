/** What can be asked on the control socket about the configuration: its candidate, its commits and its past. */
import type { AUTOMATIC } from "../pair/commit/types.ts";
import type { Wrong } from "./exit-code.ts";
import type { HistoryEntry } from "./store/store.ts";

/** The author of revisions that no person made. */
export type Automatic = typeof AUTOMATIC;

/** One difference between two documents. */
export interface ChangeShown {
  readonly kind: "set" | "remove" | "order";
  /** "pools.web.backends.s1.weight" */
  readonly path: string;
  /** Left out where there was nothing, and with "order". */
  readonly before?: unknown;
  /** Left out where there is nothing left; the items' keys with "order". */
  readonly after?: unknown;
  /** The change as a line for people: "~ pools.web.backends.s1.weight: 1 → 2". */
  readonly text: string;
}

export interface CandidateChanged {
  /** What this change did; nothing where all was so already. */
  readonly changes: readonly ChangeShown[];
  /** Sentences: who else edits, and what was committed meanwhile. */
  readonly remarks: readonly string[];
}

export interface CandidateDiff extends CandidateChanged {
  /** The revision that the candidate was begun from; "" on a box without one. */
  readonly base: string;
  /** Whoever changed it, and when last; nobody where there is no candidate. */
  readonly authors: readonly CandidateAuthor[];
  /** Why it could not be committed as it is. */
  readonly problems: readonly ProblemShown[];
}

export interface CandidateAuthor {
  readonly author: string;
  readonly time: string;
}

export type ProblemShown = Wrong;

export interface ConfigQuery {
  /** How many steps back, or how an id begins; left out, what is in force. */
  readonly revision?: string;
  /** The candidate instead; where nobody edits, what is in force. */
  readonly candidate?: boolean;
}

export interface ConfigShown {
  /** Of a candidate the revision that it was begun from. */
  readonly revision: string;
  readonly document: unknown;
}

export interface Committed {
  readonly revision: string;
  /** False when the document is the one in force already. */
  readonly changed: boolean;
  /** What is accepted and somebody should know all the same. */
  readonly warnings: readonly string[];
  /** Sentences: where it is in force, and what is left to do. */
  readonly remarks: readonly string[];
  /** When it is rolled back unless it is confirmed before, RFC 3339; null: it needs no confirmation. */
  readonly confirmBy: string | null;
}

/** How a commit may be made. */
export interface CommitOptions {
  readonly author: string;
  readonly comment?: string;
  /** Roll back unless confirmed within this time. */
  readonly confirmSeconds?: number;
}

export interface HistoryQuery {
  /** The default is 20. */
  readonly limit?: number;
  /** Only what is older than this revision. */
  readonly before?: string;
}

export type { HistoryEntry } from "./store/store.ts";

export interface ConfigurationMethods {
  config: { params: ConfigQuery; result: ConfigShown };
  /** Puts a whole document into force, past the candidate. */
  apply: { params: CommitOptions & { readonly document: unknown }; result: Committed };
  /** Changes one place of the candidate, see `Edit` in config/edit.ts. */
  set: { params: { readonly path: string; readonly value: string; readonly author: string }; result: CandidateChanged };
  delete: { params: { readonly path: string; readonly author: string }; result: CandidateChanged };
  /**
   * Replaces the candidate by a document that somebody edited, `was` before; what others changed meanwhile stays.
   * `anyway`: also when it cannot be committed as it is.
   */
  edit: {
    params: { readonly document: string; readonly was: string; readonly author: string; readonly anyway: boolean };
    result: CandidateChanged;
  };
  diff: { params: Record<string, never>; result: CandidateDiff };
  /** `force`: also what others changed. */
  discard: { params: { readonly author: string; readonly force: boolean }; result: { readonly message: string } };
  commit: { params: CommitOptions; result: Committed };
  /** `force`: although somebody else committed it. Without `revision`, the one that waits. */
  confirm: {
    params: { readonly revision?: string; readonly author: string; readonly force: boolean };
    result: { readonly message: string };
  };
  /** `to`: how many steps back, or how an id begins. */
  rollback: { params: CommitOptions & { readonly to: string }; result: Committed };
  /** The newest first. */
  history: { params: HistoryQuery; result: readonly HistoryEntry[] };
}
