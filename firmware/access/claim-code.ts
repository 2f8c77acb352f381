/** The code that claims a box: shown on its console, typed into the page. Ten signs, 50 bits. */

/** Crockford's base 32: no I, L, O and U, so that nothing is mistaken when read aloud or written down. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SIGNS = 10;
const TYPED_LENGTH_MAX = 64;
/** A random byte makes each sign. */
export const CLAIM_RANDOM_BYTES = SIGNS;

/** "K7QM3-XRP0T", of {@link CLAIM_RANDOM_BYTES} random bytes. */
export function makeClaimCode(random: Uint8Array): string {
  const signs = Array.from(random.subarray(0, SIGNS), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("");
  return `${signs.slice(0, SIGNS / 2)}-${signs.slice(SIGNS / 2)}`;
}

/** As a person types it: in either case, with any blanks and hyphens, O for 0, I and L for 1. Undefined for what is no code. */
export function readClaimCode(typed: string): string | undefined {
  if (typed.length > TYPED_LENGTH_MAX) return undefined;
  const signs = typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  const isCode = signs.length === SIGNS && Array.from(signs).every((sign) => ALPHABET.includes(sign));
  return isCode ? `${signs.slice(0, SIGNS / 2)}-${signs.slice(SIGNS / 2)}` : undefined;
}
