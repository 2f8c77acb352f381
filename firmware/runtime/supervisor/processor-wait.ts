/** How long a process has waited for a processor that others had. */
import { readFileSync } from "node:fs";

/**
 * In milliseconds, since its start, of its first thread, which is where an event loop turns; a wait counts once it is over. 0 where
 * the kernel does not count it or there is no such process. @see proc(5), Documentation/scheduler/sched-stats.rst
 */
export function processorWaitMillis(pid: number): number {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/schedstat`, "utf8");
  } catch {
    return 0;
  }
  // Nanoseconds on a processor, nanoseconds runnable without one, turns.
  const waited = Number(text.split(" ")[1]);
  return Number.isFinite(waited) ? waited / 1e6 : 0;
}
