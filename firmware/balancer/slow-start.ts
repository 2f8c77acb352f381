/**
 * How much of its weight a backend that returned gets: the ring changes in at most {@link SLOW_START_STEPS} steps, so
 * that few flows without an entry move more often than that. Decides nothing about who returned.
 */
import { after, between, type Instant, type Micros, seconds } from "@futago/hal/units/time.ts";
import { SLOW_START_STEPS } from "./service.ts";

export interface SlowStart {
  /** 1 to {@link SLOW_START_STEPS}. */
  readonly step: number;
  /** When the next step is due; undefined when the whole weight counts. */
  readonly nextAt: Instant | undefined;
}

/** The first step is taken at once, the last when the time is over. */
const WAITS = SLOW_START_STEPS - 1;

const WHOLE: SlowStart = { step: SLOW_START_STEPS, nextAt: undefined };

/** `returnedAt` undefined: it was there from the start. */
export function slowStart(returnedAt: Instant | undefined, slowStartSeconds: number, now: Instant): SlowStart {
  if (returnedAt === undefined || slowStartSeconds === 0) return WHOLE;
  const whole = seconds(slowStartSeconds);
  const elapsed = Math.max(0, between(returnedAt, now));
  const step = 1 + Math.floor((elapsed * WAITS) / whole);
  if (step >= SLOW_START_STEPS) return WHOLE;
  const due = Math.ceil((step * whole) / WAITS) as Micros;
  return { step, nextAt: after(returnedAt, due) };
}
