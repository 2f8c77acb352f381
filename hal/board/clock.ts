import type { Clock } from "../contract/machine.ts";
import { instant } from "../units/time.ts";
import { calls } from "./calls.ts";

/** The clock that goes on while the machine sleeps and that nobody can set: CLOCK_BOOTTIME. */
export function openClock(): Clock {
  return { now: () => instant(calls.machineNow()) };
}
