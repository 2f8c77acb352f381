/**
 * How a pair changes its keys while it serves, pure. Both boxes keep the next keys before either uses them, and believe
 * the former ones until both use the next: so there is no moment in which one does not know the other, whichever box
 * dies in between. What is said goes over the link, which knows its two ends.
 */
import { concatBytes, fromHex, toHex } from "@futago/hal/units/bytes.ts";
import { encodeRotationMessage, type RotationIntroduction, type RotationState } from "./message.ts";
import type { Primitives } from "./primitives.ts";

const KEY_BYTES = 32;
const ID_BYTES = 8;
const info = "futago pairing rotated key";

/** The pair's next key; undefined when the other end's share leads to no secret. */
export function nextPairKey(
  primitives: Primitives,
  said: { readonly offer: RotationIntroduction; readonly answer: RotationIntroduction },
  mine: { readonly privateKey: Uint8Array; readonly theirShare: string; readonly pairKey: string },
): string | undefined {
  const secret = primitives.agree(mine.privateKey, fromHex(mine.theirShare) ?? new Uint8Array(0));
  const former = fromHex(mine.pairKey);
  if (secret === undefined || former === undefined) return undefined;
  const text = [said.offer, said.answer].map(encodeRotationMessage).join("\n");
  const salt = primitives.hash(new TextEncoder().encode(text));
  return toHex(primitives.derive(concatBytes([secret, former]), salt, info, KEY_BYTES));
}

/** A name of a key that tells nothing of it: 16 hex digits. */
export function keyId(primitives: Primitives, pairKey: string): string {
  const key = fromHex(pairKey) ?? new Uint8Array(0);
  return toHex(primitives.derive(key, new Uint8Array(0), "futago pairing key id", ID_BYTES));
}

/** What a box says of the keys that it holds. */
export type HeldKeys = Omit<RotationState, "kind">;

/** "switch": use the next key. "giveUp": forget it. "finish": forget the former one. */
export type RotationDecision = "switch" | "giveUp" | "finish" | "wait";

export function decideRotation(mine: HeldKeys, theirs: HeldKeys): RotationDecision {
  if (mine.next !== null) {
    const theyHaveIt = theirs.next === mine.next || theirs.current === mine.next;
    return theyHaveIt ? "switch" : "giveUp";
  }
  return mine.former !== null && theirs.current === mine.current ? "finish" : "wait";
}
