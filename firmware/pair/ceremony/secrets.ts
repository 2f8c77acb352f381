/**
 * What both ends work out of what was said: the commitment, the digits, the proofs, and the pair's key. Each value is
 * of everything that was said before, so that whoever changed one bit on the way leads the two ends to other digits.
 */
import { concatBytes, fromHex, toHex } from "@futago/hal/units/bytes.ts";
import type { Code } from "./code.ts";
import { encodeCeremonyMessage, type Hello, type Offer, type Open } from "./message.ts";
import type { Primitives } from "./primitives.ts";

export type Role = "inviter" | "joiner";

const KEY_BYTES = 32;
/** Six digits, made of 48 bits so that none is likelier than another by more than one part in 10^8. */
const DIGITS = 6;
const DIGITS_BYTES = 6;

/** What only the two ends of this conversation know, and what their persons compare. */
export interface Agreement {
  /** The hash of all that was said openly: also the salt of the code's stretching. */
  readonly transcript: Uint8Array;
  readonly secret: Uint8Array;
  /** "041 907". */
  readonly digits: string;
}

/** 64 hex digits. */
export function commitmentTo(primitives: Primitives, open: Open): string {
  return toHex(primitives.hash(bytesOf("commitment", encodeCeremonyMessage(open))));
}

/** Undefined when the other end's share leads to no secret. */
export function agreementOf(
  primitives: Primitives,
  said: { readonly hello: Hello; readonly offer: Offer; readonly open: Open },
  mine: { readonly privateKey: Uint8Array; readonly theirShare: string },
): Agreement | undefined {
  const lines = [said.hello, said.offer, said.open].map(encodeCeremonyMessage);
  const transcript = primitives.hash(bytesOf("transcript", ...lines));
  const secret = primitives.agree(mine.privateKey, fromHex(mine.theirShare) ?? new Uint8Array(0));
  if (secret === undefined) return undefined;
  const bytes = primitives.derive(secret, transcript, info("digits"), DIGITS_BYTES);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0) % 10 ** DIGITS;
  const digits = String(number).padStart(DIGITS, "0");
  return { transcript, secret, digits: `${digits.slice(0, DIGITS / 2)} ${digits.slice(DIGITS / 2)}` };
}

/** What is stretched: the part of the code that is never sent. */
export function stretchedText(code: Code): string {
  return info(`code ${code.secret}`);
}

/** Of two ends that know the code: `stretched` is the code made slow to guess. */
export function talkKeyOf(primitives: Primitives, agreement: Agreement, stretched: Uint8Array): Uint8Array {
  return primitives.derive(
    concatBytes([agreement.secret, stretched]),
    agreement.transcript,
    info("conversation"),
    KEY_BYTES,
  );
}

/** That an end knows the code: 64 hex digits. */
export function proofOf(primitives: Primitives, talkKey: Uint8Array, role: Role): string {
  return toHex(keyFor(primitives, talkKey, `${role} proof`));
}

export function pairKeyOf(primitives: Primitives, talkKey: Uint8Array): Uint8Array {
  return keyFor(primitives, talkKey, "pair key");
}

/** Each end says each thing once. */
type Said = "agreed" | "clock" | "kept";

export function seal(primitives: Primitives, talkKey: Uint8Array, role: Role, said: Said, text: string): string {
  return toHex(primitives.seal(keyFor(primitives, talkKey, `${role} ${said}`), new TextEncoder().encode(text)));
}

/** Undefined when it was not said by that end of this conversation. */
export function unseal(
  primitives: Primitives,
  talkKey: Uint8Array,
  role: Role,
  said: Said,
  sealed: string,
): string | undefined {
  const key = keyFor(primitives, talkKey, `${role} ${said}`);
  const bytes = primitives.unseal(key, fromHex(sealed) ?? new Uint8Array(0));
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

function keyFor(primitives: Primitives, talkKey: Uint8Array, what: string): Uint8Array {
  return primitives.derive(talkKey, new Uint8Array(0), info(what), KEY_BYTES);
}

function info(what: string): string {
  return `futago pairing ${what}`;
}

/** JSON has no line ends of its own, so that the texts cannot be cut otherwise. */
function bytesOf(...texts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(["futago pairing", ...texts].join("\n"));
}
