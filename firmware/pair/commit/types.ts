/**
 * The words of the commit protocol: revisions, what is asked, what the boxes say to each other, what the machine around
 * is told to do and answers. One machine serves a box alone and each box of a pair.
 */
import type { Instant } from "@futago/hal/units/time.ts";

/** 64 hex digits: a hash of the parent's id and the document, so both boxes give the same revision the same id. */
export type RevisionId = string;

/** A revision without its document. */
export interface RevisionSummary {
  readonly id: RevisionId;
  readonly parent: RevisionId | undefined;
  readonly author: string;
  readonly comment: string;
  /** RFC 3339. */
  readonly time: string;
  /** It is rolled back unless somebody confirms it within so many seconds. */
  readonly confirmSeconds?: number | undefined;
  readonly confirmedBy?: string | undefined;
}

export interface Revision extends RevisionSummary {
  /** Canonical JSON. */
  readonly text: string;
}

/** The author of revisions that no person made: roll-backs of what nobody confirmed or what did not work. */
export const AUTOMATIC = "futago";

/** What is wrong, where, and how to mend it; `exitCode` is the command line's. */
export interface CommitRefusal {
  readonly exitCode: number;
  readonly what: string;
  readonly where?: string;
  readonly mend?: string;
  readonly reason?: string;
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly also?: readonly Omit<CommitRefusal, "exitCode" | "also">[];
}

/** A document: as somebody gave it, or that of a revision. */
export type DocumentSource =
  | { readonly kind: "given"; readonly document: unknown }
  | { readonly kind: "revision"; readonly id: RevisionId };

export type Wish =
  | {
      readonly kind: "commit";
      readonly source: DocumentSource;
      /** The head that it was made from; undefined: whatever is in force. */
      readonly base: RevisionId | undefined;
      readonly author: string;
      readonly comment: string;
      readonly confirmSeconds: number | undefined;
    }
  | {
      readonly kind: "confirm";
      /** Undefined: the one that waits. */
      readonly revision: RevisionId | undefined;
      readonly author: string;
      /** Another person than the one who committed it may confirm it. */
      readonly force: boolean;
    };

export interface Request {
  /** Of the box where it was asked, different for each. */
  readonly id: number;
  /** "gone": the peer, over a link that broke since; nobody waits for the answer. */
  readonly origin: "here" | "peer" | "gone";
  readonly wish: Wish;
  /** How often it was begun anew, because the roles moved or the link broke before anything was changed. */
  readonly begunAnew?: number;
}

/**
 * Where a revision is in force, beside the box that coordinated. "late": the peer may have it and has not said so;
 * "behind": it is linked, and at another revision.
 */
export type PeerShare = "none" | "inForce" | "away" | "behind" | "late";

export type Outcome =
  | {
      readonly kind: "done";
      readonly revision: RevisionId;
      readonly changed: boolean;
      readonly peer: PeerShare;
      readonly warnings: readonly string[];
      /** Seconds within which it must be confirmed. */
      readonly confirmSeconds: number | undefined;
    }
  | { readonly kind: "refused"; readonly refusal: CommitRefusal };

/** How a box stands: said when the link comes up, and at each change. */
export interface Standing {
  readonly head: RevisionId | undefined;
  readonly parent: RevisionId | undefined;
  /** It holds a failover group. */
  readonly active: boolean;
  /** The head was made by a box, not by a person. */
  readonly automatic: boolean;
  /** The last revision that the box knows to have needed a confirmation and to have got one; or what the peer rolled back of such. */
  readonly confirmed: Confirmation | undefined;
  /** The peer's head that it could not take. */
  readonly cannot: RevisionId | undefined;
}

export interface Confirmation {
  readonly id: RevisionId;
  readonly by: string;
}

/** What the head of the box that is spoken to is to the speaker's. */
export type Kinship = "ancestor" | "unknown";

export type CommitMessage =
  | { readonly kind: "standing"; readonly standing: Standing }
  | { readonly kind: "kin"; readonly mine: RevisionId; readonly yours: RevisionId; readonly kinship: Kinship }
  | { readonly kind: "fetch"; readonly id: RevisionId; readonly have: RevisionId | undefined }
  | ({ readonly kind: "revision" } & Passage)
  /** A sibling that lost, or an older revision that was wanted: to be kept, and shown. */
  | { readonly kind: "keep"; readonly revision: Revision }
  /** Revisions of the lineage whose documents the other box has not; each is answered by "keep" where it can be. */
  | { readonly kind: "want"; readonly ids: readonly RevisionId[] }
  /** A large document that is about to be prepared: both boxes may judge it at one time. Nothing depends on it. */
  | { readonly kind: "consider"; readonly document: string }
  | { readonly kind: "prepare"; readonly revision: Revision }
  | { readonly kind: "prepared"; readonly id: RevisionId }
  | { readonly kind: "store"; readonly id: RevisionId }
  | { readonly kind: "stored"; readonly id: RevisionId }
  | { readonly kind: "notStored"; readonly id: RevisionId; readonly cause: NotStored; readonly refusal: CommitRefusal }
  | { readonly kind: "forget"; readonly id: RevisionId }
  | { readonly kind: "apply"; readonly id: RevisionId }
  | { readonly kind: "applied"; readonly id: RevisionId; readonly trouble: string | undefined }
  /** Roll it back: it could not be kept or put into force on the other box. */
  | { readonly kind: "withdraw"; readonly id: RevisionId }
  | { readonly kind: "confirm"; readonly id: RevisionId; readonly by: string }
  | { readonly kind: "confirmed"; readonly id: RevisionId }
  | { readonly kind: "forward"; readonly request: number; readonly wish: Wish }
  | { readonly kind: "answer"; readonly request: number; readonly outcome: Outcome };

/** What a box that is behind needs of a revision. */
export interface Passage {
  readonly revision: Revision;
  /** What it would go back to, whole; undefined: it is the first, or that document was dropped. */
  readonly parent: Revision | undefined;
  /** From the revision back to what the other box has, without both; the newest first. */
  readonly lineage: readonly RevisionSummary[];
}

/** Why a box did not take a revision: its document or disk, something else under way, another head. */
export type NotStored = "refused" | "busy" | "behind";

export type CommitInput =
  | { readonly kind: "linkUp" }
  | { readonly kind: "linkDown" }
  | { readonly kind: "message"; readonly message: CommitMessage }
  /** So many UTF-16 units more of a message. */
  | { readonly kind: "arriving"; readonly length: number }
  /** `peerAlive`: heartbeats of the peer are heard. */
  | { readonly kind: "role"; readonly active: boolean; readonly peerAlive: boolean }
  | { readonly kind: "request"; readonly request: Request }
  | { readonly kind: "timeout" }
  | { readonly kind: "judged"; readonly judged: Judged }
  | { readonly kind: "checked"; readonly id: RevisionId; readonly refusal: CommitRefusal | undefined }
  /** A revision is the head on the disk, or is not. */
  | { readonly kind: "landed"; readonly landed: Landed }
  | { readonly kind: "applied"; readonly id: RevisionId; readonly trouble: string | undefined }
  /** `confirmed`: what is undone there is in the lineage here, and somebody confirmed it. */
  | {
      readonly kind: "related";
      readonly mine: RevisionId;
      readonly theirs: RevisionId;
      readonly kinship: Kinship;
      readonly confirmed?: Confirmation | undefined;
    }
  | {
      readonly kind: "confirmed";
      readonly id: RevisionId;
      readonly by: string;
      readonly refusal: CommitRefusal | undefined;
    };

export type Judged =
  | { readonly kind: "revision"; readonly revision: Revision; readonly warnings: readonly string[] }
  | { readonly kind: "unchanged"; readonly warnings: readonly string[] }
  | { readonly kind: "refused"; readonly refusal: CommitRefusal };

export type Landed =
  | { readonly ok: true; readonly head: RevisionSummary }
  /** `noWayBack`: what was to be undone stays, for both boxes cannot be what was before. */
  | { readonly ok: false; readonly refusal: CommitRefusal; readonly noWayBack?: boolean };

/** Each of judge, check, land, adopt, undo, apply, relate and confirm is answered by its input, once. */
export type CommitAction =
  | { readonly kind: "send"; readonly message: CommitMessage }
  /** Judges the document here and makes a revision of it. */
  | {
      readonly kind: "judge";
      readonly wish: Extract<Wish, { kind: "commit" }>;
      readonly parent: RevisionId | undefined;
    }
  /** Whether the peer's revision is what its id says and can be put into force here. */
  | { readonly kind: "check"; readonly revision: Revision }
  /** Judges a document that is likely to be checked soon. Not answered. */
  | { readonly kind: "consider"; readonly document: string }
  /** Stores without making it the head. Not answered. */
  | { readonly kind: "keep"; readonly revision: Revision }
  /** Stores as the head's child and makes it the head. */
  | { readonly kind: "land"; readonly revision: Revision }
  /** Stores it with what lies between and makes it the head, whatever the head was. */
  | ({ readonly kind: "adopt" } & Passage)
  /** Makes the document of the head's parent a revision of its own, by nobody, and the head. */
  | { readonly kind: "undo"; readonly id: RevisionId; readonly comment: string }
  | { readonly kind: "apply"; readonly id: RevisionId }
  /** `undone`: what the peer's head is the roll-back of, made by a box. */
  | {
      readonly kind: "relate";
      readonly mine: RevisionId;
      readonly theirs: RevisionId;
      readonly undone: RevisionId | undefined;
    }
  | { readonly kind: "confirm"; readonly id: RevisionId; readonly by: string }
  /** Reads a revision and what lies between it and `have`, and sends both. Not answered. */
  | { readonly kind: "serve"; readonly id: RevisionId; readonly have: RevisionId | undefined }
  /** Asks the peer for the documents of the lineage that this box has not. Not answered. */
  | { readonly kind: "fillUp" }
  /** Sends a revision to be kept. Not answered. */
  | { readonly kind: "handOver"; readonly id: RevisionId }
  | { readonly kind: "reply"; readonly request: number; readonly outcome: Outcome }
  /** Of two siblings the other one won; or the peer's head cannot be taken, undefined once it can. */
  | { readonly kind: "lost"; readonly sibling: RevisionId; readonly winner: RevisionId }
  | { readonly kind: "cannotTake"; readonly refusal: CommitRefusal | undefined };

export interface CommitConfig {
  /** Undefined: alone. */
  readonly box: "a" | "b" | undefined;
}

export interface Coordinated {
  readonly request: Request;
  readonly revision: Revision;
  readonly warnings: readonly string[];
  readonly peer: PeerShare;
  /** It was to be rolled back, before somebody committed the same again. */
  readonly again: boolean;
}

/** One thing at a time; `until` is when it is given up. */
export type Work =
  | { readonly kind: "idle" }
  | { readonly kind: "judging"; readonly request: Request; readonly peer: PeerShare }
  | ({ readonly kind: "preparing"; readonly until: Instant } & Coordinated)
  | ({ readonly kind: "storing"; readonly until: Instant } & Coordinated)
  | ({ readonly kind: "landing" } & Coordinated)
  | ({
      readonly kind: "applying";
      readonly here: boolean;
      readonly there: boolean;
      readonly until: Instant;
    } & Coordinated)
  /** Rolls back the head; and then says so, where it did not work and somebody waits for the answer. */
  | { readonly kind: "undoing"; readonly told: { readonly request: Request; readonly failure: Failure } | undefined }
  | {
      readonly kind: "confirming";
      readonly request: Request;
      readonly id: RevisionId;
      readonly by: string;
      readonly peer: PeerShare;
      readonly here: boolean;
      readonly there: boolean;
      readonly until: Instant;
    }
  /** For the peer, which coordinates. */
  | { readonly kind: "checking"; readonly revision: Revision }
  | { readonly kind: "prepared"; readonly revision: Revision; readonly until: Instant }
  | { readonly kind: "following"; readonly revision: Revision }
  | { readonly kind: "holding"; readonly id: RevisionId; readonly until: Instant }
  /** `tell`: the peer waits to hear of it. */
  | { readonly kind: "puttingIntoForce"; readonly id: RevisionId; readonly tell: boolean }
  | { readonly kind: "relating" }
  /** `loses`: the head is a sibling that lost, not an ancestor. */
  | {
      readonly kind: "fetching";
      readonly id: RevisionId;
      readonly loses: boolean;
      readonly since: Instant;
      /** UTF-16 units. */
      readonly arrived: number;
      readonly until: Instant;
    }
  | { readonly kind: "examining"; readonly passage: Passage; readonly loses: boolean }
  | { readonly kind: "adopting" };

/** A revision that was not put into force, on which box and why. */
export interface Failure {
  readonly id: RevisionId;
  readonly box: string;
  readonly trouble: string;
}

export interface Link {
  readonly theirs: Standing | undefined;
  /** What the peer's head is to this box's, as found here, and the other way round, as said by the peer. */
  readonly kin: Kin | undefined;
  readonly theirKin: Kin | undefined;
  /** What was said last. */
  readonly said: Standing | undefined;
}

export interface Kin {
  readonly mine: RevisionId;
  readonly theirs: RevisionId;
  readonly kinship: Kinship;
}

export interface CommitState {
  /** On the disk. */
  readonly head: RevisionSummary | undefined;
  /** What kernel and sentinel were brought to. */
  readonly inForce: RevisionId | undefined;
  /** What did not work of it, as a sentence. */
  readonly trouble: string | undefined;
  readonly active: boolean;
  readonly peerAlive: boolean;
  /** Undefined while it is down. */
  readonly link: Link | undefined;
  readonly work: Work;
  readonly waiting: readonly Request[];
  /** When the first of those waits no longer for the peer to be at the same revision. */
  readonly patience: Instant | undefined;
  /** Requests that the peer was asked to carry out. */
  readonly forwarded: readonly Request[];
  /** When an unconfirmed head is rolled back, or one that could not be before. Outlives the process. */
  readonly deadline: Instant | undefined;
  /** What the peer prepares, while this box is in the middle of something that ends soon. */
  readonly offered: Revision | undefined;
  /** The head is to be rolled back, and cannot be. */
  readonly barred: Barred | undefined;
  /** A revision that is to be rolled back as soon as it is the head and there is time. Outlives the process. */
  readonly withdrawn: RevisionId | undefined;
  readonly confirmed: Confirmation | undefined;
  /** A head whose confirmation the peer told of: that is on its way to the disk. */
  readonly noting: RevisionId | undefined;
  /** Not before is it tried once more to bring back what was rolled back by mistake. */
  readonly redoAfter: Instant | undefined;
  /** The peer's head that could not be taken here, and when that is tried again. */
  readonly cannot: { readonly id: RevisionId; readonly until: Instant } | undefined;
}

export interface Barred {
  /** How often in a row that was tried. */
  readonly tries: number;
  /** What the disk or a document said last. */
  readonly refusal: CommitRefusal;
}

export interface CommitStep {
  readonly state: CommitState;
  readonly actions: readonly CommitAction[];
}
