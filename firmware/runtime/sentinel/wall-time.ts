/** Moments of the boot clock as people read them. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Instant } from "@futago/hal/units/time.ts";

/** The two clocks are read one after the other: a smaller difference than this is that gap, not a clock that was set. */
const NOISE_MILLIS = 20;

/** When the boot clock stood at zero, in wall time. Kept, so that a moment is shown the same each time. */
let bootedAtMillis = Number.NaN;

/** RFC 3339 with milliseconds. Follows the wall clock when somebody sets it. */
export function wallTime(clock: Clock, at: Instant): string {
  const fresh = Date.now() - clock.now() / 1_000;
  if (!(Math.abs(fresh - bootedAtMillis) < NOISE_MILLIS)) bootedAtMillis = fresh;
  return new Date(bootedAtMillis + at / 1_000).toISOString();
}
