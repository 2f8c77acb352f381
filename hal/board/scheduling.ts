import { constants } from "node:os";
import { refused } from "../addon/refused.ts";
import type { Scheduling } from "../contract/machine.ts";
import { calls } from "./calls.ts";

/**
 * Scheduling of the calling thread: sched(7) SCHED_FIFO with SCHED_RESET_ON_FORK, and prctl(2) PR_SET_PDEATHSIG.
 * The kernel sends that signal when the *thread* that spawned this process ends, so spawn from a main thread.
 */
export function openScheduling(): Scheduling {
  return {
    setRealTime(priority) {
      refused(() => calls.machineSetRealTime(priority), `SCHED_FIFO ${priority} is not allowed here`);
    },
    dieWithParent(signal) {
      refused(() => calls.machineDieWithParent(constants.signals[signal]), `cannot ask for ${signal}`);
    },
  };
}
