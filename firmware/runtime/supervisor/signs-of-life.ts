/**
 * What is done about children that do not answer, where whoever started the box expects a sign of life: systemd with
 * WatchdogSec. Core and the web process are started again alone. The sentinel is not: it feeds the hardware's watchdog,
 * which resets the machine before this comes to it; where there is none, no sign of life is given any more.
 */
import type { ChildReport } from "../control.ts";

export interface Silence {
  readonly name: ChildReport["name"];
  /** Since it answered, without what it waited for a processor; 0 while it does not run, and for a minute after its start. */
  readonly millis: number;
}

export interface Verdict {
  readonly kill: readonly ChildReport["name"][];
  /** Whose silence keeps the supervisor from saying that all is well. */
  readonly missed: ChildReport["name"] | undefined;
}

/** `expectedMillis` is how often a sign of life is expected at least. */
export function judgeSilence(children: readonly Silence[], expectedMillis: number): Verdict {
  const silentFor = (part: number) => children.filter(({ millis }) => millis > expectedMillis * part);
  const hung = silentFor(1 / 2).filter(({ name }) => name !== "sentinel");
  // One that was killed is started again and answers; a core that cannot even be killed is the machine's trouble.
  const [missed] = [
    ...silentFor(1 / 4).filter(({ name }) => name === "sentinel"),
    ...silentFor(3 / 4).filter(({ name }) => name === "core"),
  ];
  return { kill: hung.map(({ name }) => name), missed: missed?.name };
}
