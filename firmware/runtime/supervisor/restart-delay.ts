/**
 * When a dead child is started again: at once the first time, then later and later, and at once again after it has
 * lived for a while. Pure.
 */
import { after, between, type Instant, type Micros, millis, seconds } from "@futago/hal/units/time.ts";

const DELAY_FIRST = millis(100);
const DELAY_MAX = seconds(5);
/** A child that lived this long is believed to be well. */
const WELL_AFTER = seconds(30);

export interface RestartState {
  /** Ends in a row, each soon after its start. */
  readonly quickEnds: number;
  readonly startAt: Instant;
}

/** The state after a child that was started at `startedAt` ended at `now`; `startAt` says when to start the next one. */
export function afterEnd(previous: RestartState | undefined, startedAt: Instant, now: Instant): RestartState {
  const well = between(startedAt, now) >= WELL_AFTER;
  const quickEnds = well ? 1 : (previous?.quickEnds ?? 0) + 1;
  return { quickEnds, startAt: after(now, delay(quickEnds)) };
}

function delay(quickEnds: number): Micros {
  if (quickEnds <= 1) return millis(0);
  // The exponent is bounded so that a child that dies for days does not overflow the number.
  const doubled = DELAY_FIRST * 2 ** Math.min(quickEnds - 2, 16);
  return Math.min(doubled, DELAY_MAX) as Micros;
}
