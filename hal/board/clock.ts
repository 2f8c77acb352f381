import { refused } from "../addon/refused.ts";
import type { Clock, WallClock } from "../contract/machine.ts";
import { instant } from "../units/time.ts";
import { calls } from "./calls.ts";

/** The clock that goes on while the machine sleeps and that nobody can set: CLOCK_BOOTTIME. */
export function openClock(): Clock {
  return { now: () => instant(calls.machineNow()) };
}

/** @see adjtimex(2) STA_UNSYNC, ADJ_SETOFFSET */
export function openWallClock(): WallClock {
  return {
    now: Date.now,
    isKept: () => calls.machineClockKept() === 1,
    step: (millis) => refused(() => calls.machineStepClock(millis), `the clock cannot be set by ${millis} ms`),
  };
}
