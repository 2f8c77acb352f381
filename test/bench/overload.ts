/**
 * False take-overs: two contenders side by side on the same overloaded machine, nothing wrong with any box. Whoever
 * announces an address that another box announced before has taken over for nothing.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import { longestStall, monotonicMicros } from "../lab/prober.ts";
import type { Contender } from "./contender.ts";
import { Pair } from "./pair.ts";

const BURNER = fileURLToPath(new URL("burner.ts", import.meta.url));
const BURNERS_PER_CPU = 2;
const COMMIT_PAUSE_MILLIS = 2_000;

export interface OverloadResult {
  readonly contender: string;
  readonly minutes: number;
  readonly takeOvers: number;
  /** Of those: the control threads saw no stall longer than a third of the dead time in the two dead times before. */
  readonly unexplained: number;
  /** Leases that lapsed, as the contender counts them; undefined when it has none. */
  readonly lapses: number | undefined;
  readonly longestSilenceMillis: number;
  readonly longestStallMillis: number;
}

export async function overload(contenders: readonly Contender[], minutes: number): Promise<readonly OverloadResult[]> {
  const pairs: Pair[] = [];
  const burners: ChildProcess[] = [];
  try {
    for (const contender of contenders) pairs.push(await Pair.start(contender));
    const since = monotonicMicros();
    const lapsesBefore = await Promise.all(pairs.map(lapses));
    for (let i = 0; i < BURNERS_PER_CPU * cpus().length; i++) {
      burners.push(spawn(process.execPath, [BURNER, String(minutes * 60)], { stdio: "ignore" }));
    }
    await Promise.all(pairs.map((pair) => commitUntil(pair, since + minutes * 60_000_000)));
    const lapsesAfter = await Promise.all(pairs.map(lapses));
    return pairs.map((pair, index) => {
      const [before, now] = [lapsesBefore[index], lapsesAfter[index]];
      const lapsed = before === undefined || now === undefined ? undefined : now - before;
      return { ...judge(pair, since), minutes, lapses: lapsed };
    });
  } finally {
    for (const burner of burners) burner.kill("SIGKILL");
    for (const pair of pairs) await pair.destroy();
  }
}

/** Busy with configuration too, as far as the contender has any to commit. */
async function commitUntil(pair: Pair, end: number): Promise<void> {
  for (let round = 0; monotonicMicros() < end; round++) {
    await wait(Math.min(COMMIT_PAUSE_MILLIS, (end - monotonicMicros()) / 1_000));
    await pair.contender.commit?.(pair.directory, round);
  }
}

function lapses(pair: Pair): Promise<number | undefined> {
  return pair.contender.lapses?.(pair.directory) ?? Promise.resolve(undefined);
}

function judge(pair: Pair, since: number): Omit<OverloadResult, "minutes" | "lapses"> {
  const deadMicros = pair.contender.deadMillis * 1_000;
  const announcements = pair.prober.linesOf("announce", 0);
  const takeOvers = announcements.filter(
    (line, index) => line.at >= since && index > 0 && announcements[index - 1]?.mac !== line.mac,
  );
  const unexplained = takeOvers.filter(
    ({ at }) => longestStall(pair.prober, at - 2 * deadMicros, at) <= deadMicros / 3,
  );
  const silences = pair.prober.linesOf("gap", since).map((gap) => (gap.end - gap.start) / 1_000);
  return {
    contender: pair.contender.name,
    takeOvers: takeOvers.length,
    unexplained: unexplained.length,
    longestSilenceMillis: Math.max(0, ...silences),
    longestStallMillis: longestStall(pair.prober, since, monotonicMicros()) / 1_000,
  };
}
