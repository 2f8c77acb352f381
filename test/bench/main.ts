/** `./build.sh bench`: the numbers, measured beside the peers. Without a name, all there are. */
import { parseArgs } from "node:util";
import { appendResults, machineDescription } from "./report.ts";
import { type Row, ROWS, silenceBench } from "./silence.ts";

const USAGE = `usage: ./build.sh bench [silence] [--trials N] [--minutes N] [--rows ${ROWS.join(",")}] [--write]

  --trials   of each contender in each row (default 20)
  --minutes  of overload (default 5)
  --write    adds the results to test/bench/RESULTS.md
`;
const WRONG_USAGE = 2;

interface Arguments {
  readonly rows: readonly Row[];
  readonly trials: number;
  readonly minutes: number;
  readonly write: boolean;
}

function readArguments(): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        trials: { type: "string", default: "20" },
        minutes: { type: "string", default: "5" },
        rows: { type: "string", default: ROWS.join() },
        write: { type: "boolean", default: false },
      },
    });
    const rows = values.rows.split(",").filter((row): row is Row => (ROWS as readonly string[]).includes(row));
    const [trials, minutes] = [Number(values.trials), Number(values.minutes)];
    const right = Number.isInteger(trials) && trials > 0 && trials <= 1_000 && minutes > 0 && minutes <= 120;
    const named = positionals.length === 0 || positionals.join() === "silence";
    if (!right || !named || rows.length !== values.rows.split(",").length) return undefined;
    return { rows, trials, minutes, write: values.write };
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    return undefined;
  }
}

const given = readArguments();
if (given === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = WRONG_USAGE;
} else {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  // A signal ends the process; each pair's janitor then takes the pair down.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  print(machineDescription());
  const tables = await silenceBench(given, print);
  if (given.write) appendResults("silence", tables);
}
