/**
 * The box that joins takes the inviter's clock: it asks once, when both persons have said yes, and knows the difference to
 * within half of the time that the answer took. Pure.
 */
import { between, type Instant, toMillis } from "@futago/hal/units/time.ts";

/** A person notices at two seconds; nothing that the two boxes do together does. */
const WRONG_MILLIS = 2_000;
/** Both clocks are read in whole milliseconds. */
const READING_MILLIS = 1;

export interface ClockDifference {
  /** How far the other box's clock is ahead of this one's. */
  readonly aheadMillis: number;
  readonly withinMillis: number;
}

/**
 * What became of the joining box's clock. "kept": somebody such as an NTP client keeps it, so it was left alone.
 * "refused": the kernel did not let it be set.
 */
export type ClockVerdict = "level" | "set" | "kept" | "refused";

/** As the box sees it that holds it. */
export interface ClockReport extends ClockDifference {
  readonly verdict: ClockVerdict;
}

/** `mine` is this box's clock when the answer came, `theirs` the other one's in between: milliseconds since 1970. */
export function clockDifference(
  { askedAt, answeredAt }: { readonly askedAt: Instant; readonly answeredAt: Instant },
  { mine, theirs }: { readonly mine: number; readonly theirs: number },
): ClockDifference {
  const half = toMillis(between(askedAt, answeredAt)) / 2;
  return { aheadMillis: Math.round(theirs + half - mine), withinMillis: Math.ceil(half) + READING_MILLIS };
}

/** However wrong the measurement may be. */
export function isWrong({ aheadMillis, withinMillis }: ClockDifference): boolean {
  return Math.abs(aheadMillis) - withinMillis > WRONG_MILLIS;
}

/** The same as the other box sees it. */
export function seenFromThere(report: ClockReport): ClockReport {
  // Not -0, which is another number in some comparisons.
  return { ...report, aheadMillis: 0 - report.aheadMillis };
}

export function formatClockReport({ aheadMillis, withinMillis, verdict }: ClockReport): string {
  return `${aheadMillis} ${withinMillis} ${verdict}`;
}

/** Undefined for what is none. */
export function parseClockReport(text: string): ClockReport | undefined {
  const [, ahead, within, verdict] = /^(-?\d{1,17}) (\d{1,9}) (level|set|kept|refused)$/.exec(text) ?? [];
  if (ahead === undefined || within === undefined || verdict === undefined) return undefined;
  return { aheadMillis: Number(ahead), withinMillis: Number(within), verdict: verdict as ClockVerdict };
}

export function formatClock(millis: number): string {
  return String(millis);
}

/** Of Date: 275,760 years. */
const CLOCK_MILLIS_MAX = 8.64e15;

/** Milliseconds since 1970; undefined for what is no time. */
export function parseClock(text: string): number | undefined {
  const millis = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Math.abs(millis) <= CLOCK_MILLIS_MAX ? millis : undefined;
}
