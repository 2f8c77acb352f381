/**
 * What the two ends of a ceremony say to each other: one JSON object per line. Whoever answers is a stranger until the
 * people have compared digits, so every field is checked for type and length, and an unknown one is refused. Pure; the
 * decoder never throws. docs/wire/pairing.md tells the order.
 */
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { isTag } from "./code.ts";

/** Both boxes must speak the same. */
export const CEREMONY_PROTOCOL = 1;
export const CEREMONY_LINE_BYTES_MAX = 8 << 10;
const RELEASE_LENGTH_MAX = 32;
/** DER in hexadecimal; our own have some 300 bytes. */
const CERTIFICATE_DIGITS_MAX = 4_096;
const SEALED_DIGITS_MAX = 1_024;
/** Of Date: 275,760 years. */
const CLOCK_MILLIS_MAX = 8.64e15;

/** What each end says of itself openly. */
interface Introduction {
  /** X25519, 64 hex digits. */
  readonly share: string;
  /** 64 hex digits. */
  readonly nonce: string;
  /** DER in hexadecimal. */
  readonly certificate: string;
  /** Milliseconds since 1970 by the sender's clock. */
  readonly clock: number;
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

/** The sender has the pairing on its disk. */
export interface Kept {
  readonly kind: "kept";
  readonly sealed: string;
}

export interface Refused {
  readonly kind: "refused";
  readonly refusal: CeremonyRefusal;
}

export type CeremonyMessage = Hello | Offer | Open | Proof | Agreed | Kept | Refused;

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
const clock: Check = (value) => Number.isInteger(value) && Math.abs(Number(value)) <= CLOCK_MILLIS_MAX;

const introduction = { share: digits(64), nonce: digits(64), certificate: digitsUpTo(CERTIFICATE_DIGITS_MAX), clock };

/** The fields of each message beside its kind, in their order on the wire, which is hashed. */
const FIELDS: Readonly<Record<CeremonyMessage["kind"], Readonly<Record<string, Check>>>> = {
  hello: { protocol: count, release, tag: isTag, commitment: digits(64) },
  offer: { protocol: count, release, letter: (value) => value === "a" || value === "b", ...introduction },
  open: introduction,
  proof: { proof: digits(64) },
  agreed: { sealed: digitsUpTo(SEALED_DIGITS_MAX) },
  kept: { sealed: digitsUpTo(SEALED_DIGITS_MAX) },
  refused: { refusal: (value) => typeof value === "string" && Object.hasOwn(REFUSALS, value) },
};

/** One line without its end, always the same for the same message. */
export function encodeCeremonyMessage(message: CeremonyMessage): string {
  return JSON.stringify(message, ["kind", ...Object.keys(FIELDS[message.kind])]);
}

export function decodeCeremonyMessage(line: string): Result<CeremonyMessage, "bad-message"> {
  const value = parse(line);
  const kind = value?.["kind"];
  if (value === undefined || typeof kind !== "string" || !Object.hasOwn(FIELDS, kind)) return refuse("bad-message");
  const fields = FIELDS[kind as CeremonyMessage["kind"]];
  const whole = Object.entries(fields).every(([name, holds]) => Object.hasOwn(value, name) && holds(value[name]));
  if (!whole || Object.keys(value).length !== Object.keys(fields).length + 1) return refuse("bad-message");
  return ok(value as unknown as CeremonyMessage);
}

function parse(line: string): Raw | undefined {
  if (line.length > CEREMONY_LINE_BYTES_MAX) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : undefined;
  } catch {
    // Not JSON: refused like any other text that is no message.
    return undefined;
  }
}
