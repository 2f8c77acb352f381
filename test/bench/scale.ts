/**
 * What a large configuration costs a whole box: its start, `config apply`, and one backend that is changed, dies or is
 * drained. Beside it the same with one service of two backends, which is what the processes and the disk take anyway.
 * A change is in force when core says that the tables are written.
 */
import type { ChildProcess } from "node:child_process";
import { ask } from "@futago/firmware/cli/client.ts";
import { type LargeSize, largeDocument } from "../netns/large-document.ts";
import { createNetwork, type Namespace, type TestNetwork } from "../netns/namespaces.ts";
import { Boxes, type RunningBox } from "../netns/running-box.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { distribution } from "./statistics.ts";
import { judged } from "./target.ts";

const TRIALS_DEFAULT = 5;
const LARGE: LargeSize = { services: 1_000, backends: 100 };
/** Of one backend the weight changes nothing. */
const SMALL: LargeSize = { services: 1, backends: 2 };
const LOAD_MILLIS_MAX = 2_000;
const CHANGE_MILLIS_MAX = 20;
const READY_MILLIS_MAX = 60_000;
const WAIT_MILLIS_MAX = 20_000;
/** Of the pool whose backend dies; the others are not looked at. */
const CHECK = { type: "tcp", intervalMs: 500 };
const UNCHECKED = { type: "none" };

/** Of core's log: the tables are as wanted. Those that become too small are made anew. */
const WRITTEN = /balancer-(?:written|resized)/;

/** Milliseconds, by what was done. */
interface Trial {
  readonly start: number;
  readonly startAnswers: number;
  readonly apply: number;
  readonly applyCommitted: number;
  readonly applyWritten: number;
  readonly change: number;
  readonly changeWritten: number;
  readonly verdict: number;
  readonly drain: number;
}

const ROWS: readonly (readonly [key: keyof Trial, name: string, millisMax?: number])[] = [
  ["start", "`futago run` until ready", LOAD_MILLIS_MAX],
  ["startAnswers", "… of which until it answers"],
  ["apply", "`config apply`, called until it returns", LOAD_MILLIS_MAX],
  ["applyCommitted", "… until it is on the disk"],
  ["applyWritten", "… until the tables are written"],
  ["change", "`config apply` with one backend's weight changed", LOAD_MILLIS_MAX],
  ["changeWritten", "… of which from the disk to the tables", CHANGE_MILLIS_MAX],
  ["verdict", "a check's verdict until the tables are written", CHANGE_MILLIS_MAX],
  ["drain", "`drain`, asked of core until it answers", CHANGE_MILLIS_MAX],
];

export async function scaleBench(
  { trials = TRIALS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const [large, small]: [Trial[], Trial[]] = [[], []];
  for (let trial = 0; trial < trials; trial++) {
    large.push(await runTrial(LARGE));
    small.push(await runTrial(SMALL));
  }
  const rows = ROWS.map(([key, name, millisMax]) => {
    const found = distribution(large.map((trial) => trial[key]));
    const control = distribution(small.map((trial) => trial[key]));
    const shown = [found?.median, found?.worst, control?.median].map((value) => figure(value ?? Number.NaN));
    const bound = millisMax === undefined ? undefined : { atMost: 1, of: `${millisMax} ms` };
    return [name, ...shown, bound === undefined ? "" : judged((found?.median ?? Number.NaN) / (millisMax ?? 1), bound)];
  });
  const head = ["ms", "median", "worst", "1 service × 2 backends: median", "at most"];
  const title = `### ${LARGE.services} services × ${LARGE.backends} backends on a whole box, ${trials} trials`;
  const lines = [title, "", ...markdown(head, rows), ""];
  for (const line of lines) print(line);
  return lines;
}

async function runTrial(size: LargeSize): Promise<Trial> {
  const boxes = new Boxes();
  const network = await createNetwork();
  const host = await network.namespace("box");
  try {
    const servers = await plug(network, host);
    const applying = await timeApply(boxes, host, { size, servers });
    return { ...applying, ...(await timeStart(boxes, host, size)) };
  } finally {
    await boxes.destroy([host]);
    await network.destroy();
  }
}

async function plug(network: TestNetwork, host: Namespace): Promise<Servers> {
  const [client, servers] = [await network.namespace("client"), await network.namespace("servers")];
  await network.link(host, "eth0", client, "eth0");
  await network.link(host, "eth1", servers, "eth0");
  await client.ip("addr add 10.1.0.254/24 dev eth0");
  const addresses = Array.from({ length: LARGE.backends }, (_, i) => `10.2.0.${i + 10}`);
  for (const address of addresses) await servers.ip(`addr add ${address}/24 dev eth0`);
  return new Servers(servers, addresses);
}

/** The first pool's backends; one closes its port when told to. */
class Servers {
  readonly #process: ChildProcess;

  constructor(namespace: Namespace, addresses: readonly string[]) {
    const code = `
      const { createServer } = require("node:net");
      const servers = ${JSON.stringify(addresses)}.map((host) => createServer((s) => s.on("error", () => s.destroy()).end()).listen(1000, host));
      process.stdin.on("data", () => servers[0].close());`;
    this.#process = namespace.spawn([process.execPath, "-e", code], { stdio: ["pipe", "ignore", "inherit"] });
  }

  closeFirst(): void {
    this.#process.stdin?.write("\n");
  }
}

function document(size: LargeSize, weight: number): unknown {
  const weights = (pool: number) => (backend: number) => (pool === size.services - 1 && backend === 0 ? weight : 1);
  return largeDocument(size, (pool) => ({ weights: weights(pool), check: pool === 0 ? CHECK : UNCHECKED }));
}

type Applying = Omit<Trial, "start" | "startAnswers">;

/** A box with one service is given the document; then one backend of it is another. */
async function timeApply(
  boxes: Boxes,
  host: Namespace,
  { size, servers }: { readonly size: LargeSize; readonly servers: Servers },
): Promise<Applying> {
  const box = boxes.start(host, boxes.state(), "--import", boxes.document("first.json", document(SMALL, 1)));
  await box.ready();
  const whole = await applied(box, boxes.document("document.json", document(size, 2)));
  const one = await applied(box, boxes.document("changed.json", document(size, 3)));
  const verdict = await dying(box, servers);
  const drain = await timed(() => ask(box.state, "drain", { backend: `p${size.services - 1}/s0`, on: true }));
  await box.stop();
  return {
    apply: whole.returned,
    applyCommitted: whole.committed,
    applyWritten: whole.written,
    change: one.returned,
    changeWritten: one.written - one.committed,
    drain,
    verdict,
  };
}

/** Milliseconds from the call, by the box's own log where it tells. */
async function applied(box: RunningBox, file: string) {
  const from = box.stderr().length;
  const calledAt = Date.now();
  const returned = await timed(async () => {
    const { code, stderr } = await box.futago("config", "apply", file);
    if (code !== 0) throw new Error(`config apply fails: ${stderr.slice(0, 500)}`);
  });
  const committed = await momentOf(box, /configuration-committed/, from);
  const written = await momentOf(box, WRITTEN, from);
  return { returned, committed: committed - calledAt, written: written - calledAt };
}

/** From the verdict about a backend that refuses to tables that send nobody to it. */
async function dying(box: RunningBox, servers: Servers): Promise<number> {
  const from = box.stderr().length;
  servers.closeFirst();
  const verdict = await momentOf(box, /check-verdict/, from);
  return (await momentOf(box, WRITTEN, from)) - verdict;
}

/** The state directory holds the document. */
async function timeStart(boxes: Boxes, host: Namespace, size: LargeSize) {
  const box = boxes.start(host, boxes.state());
  const startedAt = performance.now();
  const answers = answersOf(box, `v${size.services - 1}`).then(() => performance.now() - startedAt);
  const start = await box.ready(READY_MILLIS_MAX);
  const startAnswers = await answers;
  await box.stop();
  return { start, startAnswers };
}

/** Resolves when the box tells of the service. */
async function answersOf(box: RunningBox, service: string): Promise<void> {
  await until(async () => {
    const status = await ask(box.state, "status", { services: [service] }).catch(() => undefined);
    return status?.services.length === 1 ? true : undefined;
  }, `${service} is not told of`);
}

/** When core logged the event first, in milliseconds since 1970; looked for from an offset in the log on. */
function momentOf(box: RunningBox, event: RegExp, from: number): Promise<number> {
  return until(() => {
    const lines = box.stderr().slice(from).split("\n");
    const line = lines.find((one) => event.test(one) && one.endsWith("}"));
    return line === undefined ? undefined : Date.parse((JSON.parse(line) as { readonly time: string }).time);
  }, `core does not log ${event.source}`);
}

async function until<T>(look: () => T | undefined | Promise<T | undefined>, otherwise: string): Promise<T> {
  const deadline = performance.now() + WAIT_MILLIS_MAX;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(otherwise);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await action();
  return performance.now() - from;
}
