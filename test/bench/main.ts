/** `./build.sh bench`: the numbers, measured beside the peers. Without a name, all there are. */
import { parseArgs } from "node:util";
import { balancerBench } from "./balancer.ts";
import { checksBench } from "./checks.ts";
import { commitsBench } from "./commits.ts";
import { connectionsBench } from "./connections.ts";
import { guestBench } from "./guest.ts";
import { programBench } from "./program.ts";
import { replicationBench } from "./replication.ts";
import { appendResults, machineDescription } from "./report.ts";
import { scaleBench } from "./scale.ts";
import { type Print, type Row, ROWS, silenceBench } from "./silence.ts";
import { socketsBench } from "./sockets.ts";
import { tablesBench } from "./tables.ts";
import { webBench } from "./web.ts";

/** What can be named, in the order of a run without a name. */
const BENCHES = {
  silence: (given: Arguments, print: Print) =>
    silenceBench({ ...given, trials: given.trials ?? TRIALS_DEFAULT }, print),
  checks: checksBench,
  tables: tablesBench,
  program: programBench,
  balancer: balancerBench,
  guest: guestBench,
  sockets: socketsBench,
  connections: connectionsBench,
  replication: replicationBench,
  scale: scaleBench,
  commits: commitsBench,
  web: webBench,
} as const;
type Bench = keyof typeof BENCHES;
const NAMES = Object.keys(BENCHES) as readonly Bench[];

const USAGE = `usage: ./build.sh bench [${NAMES.join("|")}] [--trials N] [--minutes N] [--rows ${ROWS.join(",")}] [--write]

  silence      VIP silence, memory and false take-overs beside keepalived
  checks       what a thousand health checks a second cost
  tables       what a thousand services and a full table of flows cost
  program      what the balancer's program alone takes, up to a million flows
  balancer     what a packet costs the box, beside routing and nftables
  guest        instructions per packet on Debian's kernels, beside IPVS
  sockets      short connections of real sockets, beside routing, nftables and proxies
  connections  ten thousand connections through power loss, beside a proxy
  replication  what telling the standby of connections costs
  scale        what a thousand services with a hundred backends each cost a whole box
  commits      what a commit takes on two whole boxes
  web          what the web port costs a pair, and how soon the first page can be used

  --trials   of each contender in each row (default 20; checks, tables, sockets, replication, scale: 5; program: 9;
             guest: 3; connections: 2; commits: 30;
             web: 15)
  --minutes  of overload (default 5)
  --rows     of silence
  --write    adds the results to test/bench/RESULTS.md
`;
const WRONG_USAGE = 2;
const TRIALS_DEFAULT = 20;

interface Arguments {
  readonly benches: readonly Bench[];
  readonly rows: readonly Row[];
  readonly trials: number | undefined;
  readonly minutes: number;
  readonly write: boolean;
}

function readArguments(): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        trials: { type: "string" },
        minutes: { type: "string", default: "5" },
        rows: { type: "string", default: ROWS.join() },
        write: { type: "boolean", default: false },
      },
    });
    const rows = values.rows.split(",").filter((row): row is Row => (ROWS as readonly string[]).includes(row));
    const named = positionals.filter((name): name is Bench => (NAMES as readonly string[]).includes(name));
    const trials = values.trials === undefined ? undefined : Number(values.trials);
    const minutes = Number(values.minutes);
    const counted = trials === undefined || (Number.isInteger(trials) && trials > 0 && trials <= 1_000);
    const right = counted && minutes > 0 && minutes <= 120 && named.length === positionals.length;
    if (!right || rows.length !== values.rows.split(",").length) return undefined;
    return { benches: named.length === 0 ? NAMES : named, rows, trials, minutes, write: values.write };
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
  for (const name of given.benches) {
    const tables = await BENCHES[name](given, print);
    if (given.write) appendResults(name, tables);
  }
}
