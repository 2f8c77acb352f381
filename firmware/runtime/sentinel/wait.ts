/** From moments of the boot clock to the event loop's timers. */
import type { Instant } from "@futago/hal/units/time.ts";

const TIMER_MILLIS_MAX = 2 ** 31 - 1;

/** How long a timer waits so as to ring at `at` or less than a millisecond later, never earlier. */
export function waitMillis(now: Instant, at: Instant): number {
  return Math.min(TIMER_MILLIS_MAX, Math.max(0, Math.ceil((at - now) / 1_000)));
}
