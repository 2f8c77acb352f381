/** A committed configuration, and its id. */
import { createHash } from "node:crypto";

export interface NewRevision {
  /** The document as canonical JSON: text goes from thread to thread at once, a large tree of objects does not. */
  readonly text: string;
  /** The revision it was made from; must be the head. Undefined when the store is empty. */
  readonly parent: string | undefined;
  readonly author: string;
  readonly comment: string;
  /** RFC 3339 with milliseconds. */
  readonly time: string;
  /** It is rolled back unless it is confirmed within this time; undefined: it needs no confirmation. */
  readonly confirmSeconds?: number | undefined;
  /** Who confirmed it; with `confirmSeconds` and without this it is unconfirmed. */
  readonly confirmedBy?: string | undefined;
}

export interface Revision extends NewRevision {
  /** 64 hex digits, see {@link revisionId}. */
  readonly id: string;
}

/** A revision without its document, for lists. */
export type RevisionSummary = Omit<Revision, "text">;

export interface HistoryEntry extends RevisionSummary {
  /** Steps from the head along its lineage; -1 for one that is not in the lineage. */
  readonly age: number;
  /** Its document is there, so that it can be brought back. */
  readonly whole: boolean;
}

export type Appended =
  | { readonly ok: true; readonly revision: Revision }
  /** Somebody committed in between: `head` is not the `parent` that was given. */
  | { readonly ok: false; readonly reason: "conflict"; readonly head: string | undefined };

/** SHA-256 in hex of the parent's id (nothing for the first) followed by the canonical document, so equal imports agree. */
export function revisionId(parent: string | undefined, text: string): string {
  return createHash("sha256")
    .update(parent ?? "")
    .update(text, "utf8")
    .digest("hex");
}
