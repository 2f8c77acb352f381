/** The key of the link between the two cores, derived from the pair's so that neither tells of the other. */
import { hkdfSync } from "node:crypto";

const KEY_BYTES = 32;

/** @see RFC 5869 */
export function linkKey(pairKey: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", pairKey, new Uint8Array(0), "futago core link", KEY_BYTES));
}
