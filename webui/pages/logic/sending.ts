/** A bundle on its way to the box: how far it is, and what is wrong with it before anything is sent. */

/** As much as the box takes. */
export const bundleBytesMax = 512 * 2 ** 20;
/** Every bundle begins as the file system that it is. */
const MAGIC = [0x68, 0x73, 0x71, 0x73];
export const magicLength = MAGIC.length;
/** A rate of less time than that says nothing. */
const RATE_MILLIS_MIN = 2_000;

export interface Sending {
  readonly kind: "sending";
  readonly name: string;
  readonly sent: number;
  readonly length: number;
  readonly sinceMillis: number;
  readonly atMillis: number;
}

export type Upload =
  | { readonly kind: "none" }
  | Sending
  /** It is there whole, and its answer is awaited. */
  | { readonly kind: "checking"; readonly name: string }
  | { readonly kind: "cutOff"; readonly sent: number; readonly length: number }
  /** The answer did not come, so whether the update goes on is seen elsewhere. */
  | { readonly kind: "cutAfter" }
  | { readonly kind: "refused"; readonly error: unknown };

export type Unfit = "emptyFile" | "tooLarge" | "notABundle";

/** `head`: its first {@link magicLength} bytes. Undefined: it may be sent, and the box will judge it. */
export function unfitBundle(length: number, head: Uint8Array): Unfit | undefined {
  if (length === 0) return "emptyFile";
  if (MAGIC.some((byte, index) => head[index] !== byte)) return "notABundle";
  return length > bundleBytesMax ? "tooLarge" : undefined;
}

export function progressed(before: Upload, sent: number, nowMillis: number): Upload {
  if (before.kind !== "sending") return before;
  if (sent >= before.length) return { kind: "checking", name: before.name };
  return { ...before, sent, atMillis: nowMillis };
}

/** The line broke, wherever that was. */
export function broken(before: Upload): Upload {
  if (before.kind !== "sending") return { kind: "cutAfter" };
  return { kind: "cutOff", sent: before.sent, length: before.length };
}

/** Since it began; undefined while too little was sent to tell. */
export function bytesPerSecond({ sent, sinceMillis, atMillis }: Sending): number | undefined {
  const millis = atMillis - sinceMillis;
  return millis < RATE_MILLIS_MIN || sent === 0 ? undefined : (sent * 1_000) / millis;
}

export function secondsToSend(sending: Sending): number | undefined {
  const rate = bytesPerSecond(sending);
  return rate === undefined ? undefined : Math.ceil((sending.length - sending.sent) / rate);
}
