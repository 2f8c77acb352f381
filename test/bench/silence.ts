/** The silence bench: Futago and keepalived, one after the other in every round, so that both see the same machine. */
import { memoryOf } from "./box-cost.ts";
import type { Contender } from "./contender.ts";
import { futagoDefault, futagoFast, readyTimes } from "./futago.ts";
import { keepalivedDefault, keepalivedFast } from "./keepalived.ts";
import { overload } from "./overload.ts";
import { figure, type Measured, markdown, type Series, seriesTable } from "./report.ts";
import { frozenTrial, type FrozenTrial, handOverTrial, powerLossTrial, type SilenceTrial } from "./trials.ts";

export const ROWS = ["power", "fast", "handover", "frozen", "overload", "cost"] as const;
export type Row = (typeof ROWS)[number];

export interface SilenceOptions {
  readonly rows: readonly Row[];
  readonly trials: number;
  readonly minutes: number;
}

export type Print = (line: string) => void;

/** The tables of all rows. A trial that cannot be carried out ends the bench: a number left out would flatter somebody. */
export async function silenceBench(options: SilenceOptions, print: Print): Promise<readonly string[]> {
  const tables: string[] = [];
  for (const row of options.rows) {
    const table = await measureRow(row, options, print);
    for (const line of table) print(line);
    tables.push(...table);
  }
  return tables;
}

function measureRow(row: Row, options: SilenceOptions, print: Print): Promise<readonly string[]> {
  switch (row) {
    case "power":
      return silences(
        "VIP silence after power loss",
        [futagoDefault, keepalivedDefault],
        powerLossTrial,
        options.trials,
        print,
      );
    case "fast":
      return silences(
        "VIP silence after power loss, fast",
        [futagoFast, keepalivedFast],
        powerLossTrial,
        options.trials,
        print,
      );
    case "handover":
      return handOver(options.trials, print);
    case "frozen":
      return frozen(options.trials, print);
    case "overload":
      return overloaded(options.minutes, print);
    case "cost":
      return cost();
  }
}

async function silences(
  title: string,
  contenders: readonly Contender[],
  trial: (contender: Contender) => Promise<SilenceTrial>,
  trials: number,
  print: Print,
): Promise<readonly string[]> {
  const results = await interleaved(contenders, trial, trials, (contender, { silenceMillis, stallMillis }) =>
    print(`${contender.name}: ${figure(silenceMillis)} ms (machine stalled ${figure(stallMillis)} ms)`),
  );
  return seriesTable(
    title,
    results.map(([contender, found]) => series(contender, "ms", found, (one) => one.silenceMillis)),
  );
}

async function handOver(trials: number, print: Print): Promise<readonly string[]> {
  const contenders = [futagoDefault, keepalivedFast, keepalivedDefault];
  const results = await interleaved(contenders, handOverTrial, trials, (contender, { silenceMillis, probesLost }) =>
    print(`${contender.name}: ${probesLost} probes lost, ${figure(silenceMillis)} ms`),
  );
  return [
    ...seriesTable(
      "Planned hand-over, 1 kHz probes lost",
      results.map(([contender, found]) => series(contender, "probes", found, (one) => one.probesLost)),
    ),
    ...seriesTable(
      "Planned hand-over, VIP silence",
      results.map(([contender, found]) => series(contender, "ms", found, (one) => one.silenceMillis)),
    ),
  ];
}

async function frozen(trials: number, print: Print): Promise<readonly string[]> {
  const results = await interleaved(
    [futagoDefault, futagoFast, keepalivedFast],
    frozenTrial,
    trials,
    (contender, one) =>
      print(
        `${contender.name}: frozen box silent after ${one.silentAfterMillis === undefined ? "never" : `${figure(one.silentAfterMillis)} ms`}, ${one.answeredByBoth} requests answered by both`,
      ),
  );
  const rows = results.map(([contender, found]) => frozenRow(contender, found));
  const head = ["", "trials", "fell silent", "after ms: median", "worst", "ARP answered by both, all trials"];
  return ["### Frozen active box (SIGSTOP to all its processes, watched for 5 s)", "", ...markdown(head, rows), ""];
}

function frozenRow(contender: Contender, found: readonly FrozenTrial[]): readonly string[] {
  const after = found.flatMap((one) => (one.silentAfterMillis === undefined ? [] : [one.silentAfterMillis]));
  const sorted = after.toSorted((one, other) => one - other);
  const median = sorted[Math.ceil(sorted.length / 2) - 1];
  const worst = sorted.at(-1);
  const both = found.reduce((sum, one) => sum + one.answeredByBoth, 0);
  const shown = (value: number | undefined) => (value === undefined ? "–" : figure(value));
  return [contender.name, String(found.length), String(after.length), shown(median), shown(worst), String(both)];
}

async function overloaded(minutes: number, print: Print): Promise<readonly string[]> {
  print(`both cores busy twice over for ${minutes} minutes …`);
  const results = await overload([futagoDefault, keepalivedFast], minutes);
  const head = [
    "",
    "take-overs",
    "not explained by a stall",
    "leases lapsed",
    "longest silence ms",
    "longest stall ms",
  ];
  const rows = results.map((one) => [
    one.contender,
    String(one.takeOvers),
    String(one.unexplained),
    one.lapses === undefined ? "–" : String(one.lapses),
    figure(one.longestSilenceMillis),
    figure(one.longestStallMillis),
  ]);
  return [`### False take-overs in ${minutes} minutes, both cores busy twice over`, "", ...markdown(head, rows), ""];
}

async function cost(): Promise<readonly string[]> {
  const rows: (readonly string[])[] = [];
  for (const contender of [futagoDefault, keepalivedDefault]) {
    for (const { box, role, processes, pssMegabytes } of await memoryOf(contender)) {
      rows.push([contender.name, `${box}, ${role}`, String(processes), figure(pssMegabytes)]);
    }
  }
  const head = ["", "box", "processes", "summed PSS MB"];
  const ready: Series = {
    contender: "Futago, both boxes at once",
    unit: "ms",
    stallMax: Infinity,
    trials: readyTimes.map((value) => ({ value, stall: 0 })),
  };
  return ["### Memory of a box", "", ...markdown(head, rows), "", ...seriesTable("Box ready", [ready])];
}

async function interleaved<T>(
  contenders: readonly Contender[],
  trial: (contender: Contender) => Promise<T>,
  trials: number,
  tell: (contender: Contender, result: T) => void,
): Promise<readonly (readonly [Contender, readonly T[]])[]> {
  const results = contenders.map((contender) => [contender, [] as T[]] as const);
  for (let round = 0; round < trials; round++) {
    for (const [contender, found] of results) {
      const result = await trial(contender);
      found.push(result);
      tell(contender, result);
    }
  }
  return results;
}

function series(
  contender: Contender,
  unit: string,
  found: readonly SilenceTrial[],
  value: (one: SilenceTrial) => number,
): Series {
  const trials = found.map((one): Measured => ({ value: value(one), stall: one.stallMillis }));
  return { contender: contender.name, unit, stallMax: contender.deadMillis / 3, trials };
}
