/** Random words that open something, and how they are kept: as hashes, for they are too long to be guessed. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const SECRET_BYTES = 32;
const STAMP_BYTES = 8;
export const TOKEN_PREFIX = "futago_";

/** 256 bits, in letters that a header and a URL can hold. */
export function makeSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** Names something and opens nothing. */
export function makeStamp(): string {
  return randomBytes(STAMP_BYTES).toString("hex");
}

export function isSecret(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9_-]{43}$/.test(value);
}

export function isToken(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(TOKEN_PREFIX) && isSecret(value.slice(TOKEN_PREFIX.length));
}

/** SHA-256 in hexadecimal. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

export function isHashOf(hash: string, secret: string): boolean {
  return sameText(hash, hashOf(secret));
}

/** Takes as long wherever they differ. */
export function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
