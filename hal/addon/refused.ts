/** Turns an errno thrown by the addon or by node:fs into a HalError. */
import { HalError } from "../contract/error.ts";

/**
 * Runs a call of the addon or of node:fs. What it throws with `code` and `syscall` is thrown as HalError, with `what` was
 * tried in place of the errno's own words; anything else as it is.
 */
export function refused<T>(call: () => T, what?: string): T {
  try {
    return call();
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof HalError) throw cause;
    const { code, syscall } = cause as { readonly code?: unknown; readonly syscall?: unknown };
    if (typeof code !== "string" || typeof syscall !== "string") throw cause;
    throw new HalError(code, syscall, what ?? cause.message, { cause });
  }
}
