/**
 * What the balancer's tables cost core: a thousand services with a hundred backends each are loaded, one backend of
 * them dies, and a full table of flows is walked. Everything on the kernel, in this process; the tables are nobody's.
 */
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { instant } from "@futago/hal/units/time.ts";
import { balancerSizes } from "@futago/hal/xdp/layout.ts";
import { FlowCollector } from "@futago/firmware/runtime/core/balancer/flow-collector.ts";
import { bootNanos, mountPins } from "../xdp/pins.ts";
import { fillFlows, loadServices, manyServices } from "../xdp/table-load.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { distribution } from "./statistics.ts";

const ROUNDS_DEFAULT = 5;
const SERVICES = 1_000;
const BACKENDS = 100;
const SERVICES_MAX = 1_024;
const FLOWS = 131_072;

interface Round {
  readonly loadMillis: number;
  readonly loadCpuMillis: number;
  readonly changeMillis: number;
  readonly walkMillis: number;
  readonly walkCpuMillis: number;
}

const ROWS: readonly (readonly [keyof Round, string])[] = [
  ["loadMillis", "1,000 services × 100 backends loaded, ms"],
  ["loadCpuMillis", "the same, ms of a processor"],
  ["changeMillis", "one backend dead in the tables, ms"],
  ["walkMillis", "131,072 flows walked, ms"],
  ["walkCpuMillis", "the same, ms of a processor"],
];

export async function tablesBench(
  { trials = ROUNDS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < trials; round++) rounds.push(await runRound());
  const rows = ROWS.map(([key, name]) => {
    const found = distribution(rounds.map((round) => round[key]));
    return [name, ...(found === undefined ? [] : [found.median, found.worst].map(figure))];
  });
  const lines = markdown(["", "median", "worst"], rows);
  for (const line of lines) print(line);
  return lines;
}

async function runRound(): Promise<Round> {
  const bpf = openBpf();
  const pins = mountPins(bpf);
  const object = bpf.load("balancer", pins.directory, balancerSizes(SERVICES_MAX, FLOWS));
  try {
    const { loadMillis, loadCpuMillis, changeMillis } = loadServices(
      object,
      manyServices(SERVICES, BACKENDS),
      SERVICES_MAX,
    );
    fillFlows(object, FLOWS, Number(bootNanos()) / 1e9, () => 1);
    const collector = new FlowCollector({
      clock: { now: () => instant(Number(bootNanos() / 1_000n)) },
      object: () => object,
      idleTimeoutSeconds: () => 7_440,
      onEnded: () => undefined,
      log: { warn: (event) => process.stderr.write(`${event}\n`) },
    });
    const [from, cpu] = [performance.now(), process.cpuUsage()];
    await collector.collect();
    const walkMillis = performance.now() - from;
    const { user, system } = process.cpuUsage(cpu);
    return { loadMillis, loadCpuMillis, changeMillis, walkMillis, walkCpuMillis: (user + system) / 1_000 };
  } finally {
    object.close();
    pins.remove();
  }
}
