/**
 * What two boxes both keep of who may use the web UI and the API: one record per user, token and session, and one
 * certificate. Each box writes its own and tells the other; of two that differ both take the same one, in whatever order
 * they hear of them. Decides which, and no more.
 */
import type { Scope, WebRole } from "./scopes.ts";

/** Half of what can be told apart: a peer must not be able to make every later record of ours an old one. */
export const RECORD_VERSION_MAX = 2 ** 52;

export interface UserRecord {
  readonly kind: "user";
  readonly name: string;
  readonly version: number;
  readonly role: WebRole;
  /** Of the password, as argon2's own text says it. */
  readonly hash: string;
  /** Another one with each change of role or password: sessions that hold the former one have ended. */
  readonly stamp: string;
  readonly createdAt: string;
  readonly passwordChangedAt: string;
}

export interface TokenRecord {
  readonly kind: "token";
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the token in hexadecimal. */
  readonly hash: string;
  readonly createdBy: string;
  readonly createdAt: string;
  /** Null: never. */
  readonly expiresAt: string | null;
}

export interface SessionRecord {
  readonly kind: "session";
  /** SHA-256 of the session in hexadecimal. */
  readonly id: string;
  readonly version: number;
  readonly user: string;
  /** The user's when it began. */
  readonly stamp: string;
  /** SHA-256 of the proof in hexadecimal. */
  readonly proof: string;
  readonly from: string;
  readonly startedAt: string;
  /** To some minutes. */
  readonly lastSeenAt: string;
  /** SHA-256 of tickets that were not used, the newest last. */
  readonly tickets: readonly string[];
}

/** What browsers are shown. */
export interface CertificateRecord {
  readonly kind: "certificate";
  readonly version: number;
  /** PEM, with its chain. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** Made by a box itself, which makes another before it ends. */
  readonly selfSigned: boolean;
}

/** When and from where somebody signed in by a name. */
export interface SeenRecord {
  readonly kind: "seen";
  readonly name: string;
  readonly version: number;
  readonly at: string;
  /** The newest last. */
  readonly sources: readonly string[];
}

/** What was taken away, kept so that the other box hears of it. */
export interface GoneRecord {
  readonly kind: "gone";
  readonly of: "user" | "token" | "session";
  /** The name of a user, the id of the others. */
  readonly key: string;
  readonly version: number;
  readonly at: string;
}

export type AccessRecord = UserRecord | TokenRecord | SessionRecord | CertificateRecord | SeenRecord | GoneRecord;
export type AccessRecords = ReadonlyMap<string, AccessRecord>;

/** Records of one key are of one thing. */
export function recordKey(record: AccessRecord): string {
  switch (record.kind) {
    case "user":
    case "seen":
      return `${record.kind} ${record.name}`;
    case "token":
    case "session":
      return `${record.kind} ${record.id}`;
    case "certificate":
      return "certificate";
    case "gone":
      return `${record.of} ${record.key}`;
  }
}

export function recordsOf(records: Iterable<AccessRecord>): AccessRecords {
  const kept = new Map<string, AccessRecord>();
  for (const record of records) {
    const key = recordKey(record);
    const other = kept.get(key);
    kept.set(key, other === undefined ? record : later(other, record));
  }
  return kept;
}

/** The same whichever is told to whom first, how often, and by which way round. */
export function merge(mine: AccessRecords, theirs: AccessRecords): AccessRecords {
  return recordsOf([...mine.values(), ...theirs.values()]);
}

/** Those of `theirs` that say more than `mine`. */
export function news(mine: AccessRecords, theirs: AccessRecords): readonly AccessRecord[] {
  return [...theirs].flatMap(([key, record]) => {
    const own = mine.get(key);
    return own === undefined || (later(own, record) !== own && text(own) !== text(record)) ? [record] : [];
  });
}

/**
 * The one that counts. A session or token that was ended stays so, whatever else was written of it; a user's name may be
 * given again, so the higher version counts, and between equals the end. What is left is decided by the text.
 */
function later(one: AccessRecord, other: AccessRecord): AccessRecord {
  const isUser = recordKey(one).startsWith("user ");
  const order = isUser ? [versions, ends, texts] : [ends, versions, texts];
  for (const compare of order) {
    const difference = compare(one, other);
    if (difference !== 0) return difference > 0 ? one : other;
  }
  return one;
}

function versions(one: AccessRecord, other: AccessRecord): number {
  return one.version - other.version;
}

function ends(one: AccessRecord, other: AccessRecord): number {
  return Number(one.kind === "gone") - Number(other.kind === "gone");
}

function texts(one: AccessRecord, other: AccessRecord): number {
  const mine = text(one);
  const theirs = text(other);
  return mine === theirs ? 0 : mine > theirs ? 1 : -1;
}

/** In which order its fields came says nothing. */
function text(record: AccessRecord): string {
  return JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
