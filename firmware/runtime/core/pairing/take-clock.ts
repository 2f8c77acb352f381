/** Sets this box's clock by the inviter's, when it is wrong and nobody else keeps it. */
import { HalError } from "@futago/hal/contract/error.ts";
import type { WallClock } from "@futago/hal/contract/machine.ts";
import { type ClockDifference, type ClockVerdict, isWrong } from "../../../pair/ceremony/clock.ts";
import type { Log } from "../log.ts";

export function takeClock(clock: WallClock, difference: ClockDifference, log: Log): ClockVerdict {
  if (!isWrong(difference)) return "level";
  if (clock.isKept()) return "kept";
  try {
    clock.step(difference.aheadMillis);
    log.info("clock-set", { ...difference });
    return "set";
  } catch (error) {
    // A box in a container may not; its person is told.
    if (!(error instanceof HalError)) throw error;
    log.warn("clock-not-set", { ...difference, error: error.message });
    return "refused";
  }
}
