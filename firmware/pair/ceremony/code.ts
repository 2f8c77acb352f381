/**
 * The code of an invitation: what one person reads to another. Its first two signs, the tag, are said openly on the
 * cable, so that the box that joins finds the right invitation; the other six are never sent.
 */
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";

/** Crockford's base 32: no I, L, O and U, so that nothing is mistaken when read aloud or written down. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SIGNS = 8;
const TAG_SIGNS = 2;
/** A random byte makes each sign. */
export const CODE_RANDOM_BYTES = SIGNS;

export interface Code {
  /** Two signs. */
  readonly tag: string;
  /** Six signs: 30 bits. */
  readonly secret: string;
}

export type CodeRefusal = "no-code";

/** Of random bytes, {@link CODE_RANDOM_BYTES} of them. */
export function makeCode(random: Uint8Array): Code {
  const signs = Array.from(random.subarray(0, SIGNS), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("");
  return { tag: signs.slice(0, TAG_SIGNS), secret: signs.slice(TAG_SIGNS) };
}

/** As a person types it: in either case, with any blanks and hyphens, O for 0, I and L for 1. */
export function parseCode(text: string): Result<Code, CodeRefusal> {
  const signs = text.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  if (signs.length !== SIGNS || !isSigns(signs)) return refuse("no-code");
  return ok({ tag: signs.slice(0, TAG_SIGNS), secret: signs.slice(TAG_SIGNS) });
}

/** "K7QM-3XRP". */
export function formatCode({ tag, secret }: Code): string {
  const signs = tag + secret;
  return `${signs.slice(0, SIGNS / 2)}-${signs.slice(SIGNS / 2)}`;
}

export function isTag(text: unknown): text is string {
  return typeof text === "string" && text.length === TAG_SIGNS && isSigns(text);
}

function isSigns(text: string): boolean {
  return Array.from(text).every((sign) => ALPHABET.includes(sign));
}
