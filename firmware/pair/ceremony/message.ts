/**
 * What the two ends of a ceremony say to each other: one JSON object per line. Whoever answers is a stranger until the
 * people have compared digits, so every field is checked for type and length, and an unknown one is refused. Pure; the
 * decoder never throws. docs/wire/pairing.md tells the order.
 */
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { isTag } from "./code.ts";
import type { Version } from "./version.ts";

/** Both boxes must speak the same. */
export const CEREMONY_PROTOCOL = 1;
export const CEREMONY_LINE_BYTES_MAX = 8 << 10;
export const SEARCH_BYTES_MAX = 256;
const RELEASE_LENGTH_MAX = 32;
/** DER in hexadecimal; our own have some 300 bytes. */
const CERTIFICATE_DIGITS_MAX = 4_096;
const SEALED_DIGITS_MAX = 1_024;

/** What each end says of itself openly. */
interface Introduction {
  /** X25519, 64 hex digits. */
  readonly share: string;
  /** 64 hex digits. */
  readonly nonce: string;
  /** DER in hexadecimal. */
  readonly certificate: string;
}

/** The box that joins, first: what it will say is settled, and nobody can see what it is. */
export interface Hello {
  readonly kind: "hello";
  readonly protocol: number;
  readonly release: string;
  readonly tag: string;
  /** The hash of the coming `open`: 64 hex digits. */
  readonly commitment: string;
}

export interface Offer extends Introduction {
  readonly kind: "offer";
  readonly protocol: number;
  readonly release: string;
  /** The inviter's; the box that joins gets the other one. */
  readonly letter: "a" | "b";
}

export interface Open extends Introduction {
  readonly kind: "open";
}

/** That the sender knows the code; the box that joins goes first. 64 hex digits. */
export interface Proof {
  readonly kind: "proof";
  readonly proof: string;
}

/** The sender's person says that the digits are the same. */
export interface Agreed {
  readonly kind: "agreed";
  /** What only the pair may know. */
  readonly sealed: string;
}

/** The box that joins asks for the time, and the inviter says it. */
export interface Clock {
  readonly kind: "clock";
  readonly sealed: string;
}

/** The sender has the pairing on its disk. */
export interface Kept {
  readonly kind: "kept";
  /** Of the box that joins: what became of its clock. */
  readonly sealed: string;
}

/** The other end speaks another protocol, so it is over. The same in every protocol. */
export interface OtherVersion extends Version {
  readonly kind: "version";
}

/** What is read of a first word in another protocol; only its fields `protocol` and `release` are the same in all. */
export interface Foreign extends Version {
  readonly kind: "foreign";
}

export interface Refused {
  readonly kind: "refused";
  readonly refusal: CeremonyRefusal;
}

/** A datagram to all on the cable: who invites? */
export interface Seek {
  readonly kind: "seek";
  readonly protocol: number;
}

/** The answer to it. */
export interface Here {
  readonly kind: "here";
  readonly protocol: number;
  readonly tag: string;
}

export type SearchMessage = Seek | Here;

/** A paired box wishes to change the keys, or agrees to; its next share and certificate. */
export interface RotationIntroduction {
  readonly kind: "offer" | "answer";
  readonly share: string;
  readonly nonce: string;
  readonly certificate: string;
}

/** Which keys the sender holds, by their names: 16 hex digits. At most one of `next` and `former` is there. */
export interface RotationState {
  readonly kind: "state";
  readonly current: string;
  readonly next: string | null;
  readonly former: string | null;
}

export type RotationMessage = RotationIntroduction | RotationState;

export type CeremonyMessage = Hello | Offer | Open | Proof | Agreed | Clock | Kept | OtherVersion | Refused;

/** Why a ceremony came to nothing; the word goes over the wire. */
export type CeremonyRefusal =
  | "wrong-code"
  | "late-code"
  | "used-code"
  | "too-many-tries"
  | "busy"
  | "other-version"
  | "bad-message"
  | "not-the-inviter"
  | "broken-commitment"
  | "digits-differ"
  | "not-answered"
  | "cancelled"
  | "not-kept"
  | "went-away";

const REFUSALS: Readonly<Record<CeremonyRefusal, true>> = {
  "wrong-code": true,
  "late-code": true,
  "used-code": true,
  "too-many-tries": true,
  busy: true,
  "other-version": true,
  "bad-message": true,
  "not-the-inviter": true,
  "broken-commitment": true,
  "digits-differ": true,
  "not-answered": true,
  cancelled: true,
  "not-kept": true,
  "went-away": true,
};

type Raw = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const digits = (length: number) => (value: unknown) =>
  typeof value === "string" && value.length === length && /^[0-9a-f]*$/.test(value);
const digitsUpTo = (lengthMax: number) => (value: unknown) =>
  typeof value === "string" && value.length <= lengthMax && /^(?:[0-9a-f]{2})+$/.test(value);
const count: Check = (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 0xffff;
/** Goes onto a terminal. */
const release: Check = (value) =>
  typeof value === "string" && value.length <= RELEASE_LENGTH_MAX && /^[\w.+-]+$/.test(value);

const certificate = digitsUpTo(CERTIFICATE_DIGITS_MAX);
const introduction = { share: digits(64), nonce: digits(64), certificate };
const keyName = digits(16);
const keyNameOrNone: Check = (value) => value === null || keyName(value);

/** Of each message the fields beside its kind, in their order on the wire, which is hashed. */
type Fields<Kind extends string> = Readonly<Record<Kind, Readonly<Record<string, Check>>>>;

const CEREMONY_FIELDS: Fields<CeremonyMessage["kind"]> = {
  hello: { protocol: count, release, tag: isTag, commitment: digits(64) },
  offer: { protocol: count, release, letter: (value) => value === "a" || value === "b", ...introduction },
  open: introduction,
  proof: { proof: digits(64) },
  agreed: { sealed: digitsUpTo(SEALED_DIGITS_MAX) },
  clock: { sealed: digitsUpTo(SEALED_DIGITS_MAX) },
  kept: { sealed: digitsUpTo(SEALED_DIGITS_MAX) },
  version: { protocol: count, release },
  refused: { refusal: (value) => typeof value === "string" && Object.hasOwn(REFUSALS, value) },
};

const SEARCH_FIELDS: Fields<SearchMessage["kind"]> = {
  seek: { protocol: count },
  here: { protocol: count, tag: isTag },
};

const ROTATION_FIELDS: Fields<RotationMessage["kind"]> = {
  offer: { share: digits(64), nonce: digits(64), certificate },
  answer: { share: digits(64), nonce: digits(64), certificate },
  state: { current: keyName, next: keyNameOrNone, former: keyNameOrNone },
};

/** One line without its end, always the same for the same message. */
export function encodeCeremonyMessage(message: CeremonyMessage): string {
  return JSON.stringify(message, ["kind", ...Object.keys(CEREMONY_FIELDS[message.kind])]);
}

export function decodeCeremonyMessage(line: string): Result<CeremonyMessage | Foreign, "bad-message"> {
  if (line.length > CEREMONY_LINE_BYTES_MAX) return refuse("bad-message");
  const foreign = foreignIn(parse(line));
  return foreign === undefined ? decode<CeremonyMessage>(CEREMONY_FIELDS, line) : ok(foreign);
}

function foreignIn(value: Raw | undefined): Foreign | undefined {
  const { kind, protocol, release: said } = value ?? {};
  const opens = kind === "hello" || kind === "offer";
  if (!opens || !count(protocol) || protocol === CEREMONY_PROTOCOL) return undefined;
  return { kind: "foreign", protocol: Number(protocol), release: release(said) ? String(said) : "" };
}

export function encodeRotationMessage(message: RotationMessage): string {
  return JSON.stringify(message, ["kind", ...Object.keys(ROTATION_FIELDS[message.kind])]);
}

export function decodeRotationMessage(text: string): Result<RotationMessage, "bad-message"> {
  return decode<RotationMessage>(ROTATION_FIELDS, text.length > CEREMONY_LINE_BYTES_MAX ? "" : text);
}

/** Undefined for a datagram that is none of ours. */
export function decodeSearchMessage(text: string): SearchMessage | undefined {
  const decoded = decode<SearchMessage>(SEARCH_FIELDS, text.length > SEARCH_BYTES_MAX ? "" : text);
  return decoded.ok ? decoded.value : undefined;
}

function decode<Message extends { readonly kind: string }>(
  fieldsOf: Fields<Message["kind"]>,
  line: string,
): Result<Message, "bad-message"> {
  const value = parse(line);
  const kind = value?.["kind"];
  if (value === undefined || typeof kind !== "string" || !Object.hasOwn(fieldsOf, kind)) return refuse("bad-message");
  const fields = fieldsOf[kind as Message["kind"]];
  const whole = Object.entries<Check>(fields).every(([name, holds]) => holds(value[name]));
  if (!whole || Object.keys(value).length !== Object.keys(fields).length + 1) return refuse("bad-message");
  return ok(value as unknown as Message);
}

function parse(line: string): Raw | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : undefined;
  } catch {
    // Not JSON: refused like any other text that is no message.
    return undefined;
  }
}
