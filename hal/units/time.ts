/**
 * Units of time. Inside Futago a length of time is an integer number of microseconds and a moment is
 * microseconds on CLOCK_BOOTTIME; other units exist only in codecs and in the configuration document.
 */

declare const brand: unique symbol;
/** A primitive that only a checked constructor can make. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A moment on CLOCK_BOOTTIME in microseconds; comparable only within one boot of one box. */
export type Instant = Brand<number, "Instant">;
/** A length of time in microseconds. */
export type Micros = Brand<number, "Micros">;

/** A length of time from whole or fractional microseconds; rounds down. */
export function micros(value: number): Micros {
  return Math.floor(value) as Micros;
}

/** A length of time from milliseconds. */
export function millis(value: number): Micros {
  return Math.floor(value * 1_000) as Micros;
}

/** A length of time from seconds. */
export function seconds(value: number): Micros {
  return Math.floor(value * 1_000_000) as Micros;
}

/** A moment from microseconds on CLOCK_BOOTTIME. */
export function instant(value: number): Instant {
  return Math.floor(value) as Instant;
}

/** The moment `wait` after `start`. */
export function after(start: Instant, wait: Micros): Instant {
  return (start + wait) as Instant;
}

/** The length of time from `start` to `end`; negative when `end` is the earlier one. */
export function between(start: Instant, end: Instant): Micros {
  return (end - start) as Micros;
}

/** The earlier of two moments, either of which may be missing. */
export function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return a < b ? a : b;
}

export function toMillis(value: Micros): number {
  return value / 1_000;
}
