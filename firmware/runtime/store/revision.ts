/** A committed configuration, and its id. */
import { createHash } from "node:crypto";
import type { Document } from "../../config/schema.ts";

export interface NewRevision {
  readonly document: Document;
  /** The revision it was made from; must be the head. Undefined when the store is empty. */
  readonly parent: string | undefined;
  readonly author: string;
  readonly comment: string;
  /** RFC 3339 with milliseconds. */
  readonly time: string;
}

export interface Revision extends NewRevision {
  /** 64 hex digits, see {@link revisionId}. */
  readonly id: string;
}

/** A revision without its document, for lists. */
export type RevisionSummary = Omit<Revision, "document">;

export type Appended =
  | { readonly ok: true; readonly revision: Revision }
  /** Somebody committed in between: `head` is not the `parent` that was given. */
  | { readonly ok: false; readonly reason: "conflict"; readonly head: string | undefined };

/** SHA-256 in hex of the parent's id (nothing for the first) followed by the canonical document, so equal imports agree. */
export function revisionId(parent: string | undefined, canonical: string): string {
  return createHash("sha256")
    .update(parent ?? "")
    .update(canonical, "utf8")
    .digest("hex");
}
