/**
 * What telling the standby of connections costs both cores while connections begin at a steady rate, and how long a
 * whole table takes to a joining box. Each core is a process of its own with real maps; handshakes are made in a third
 * by BPF_PROG_TEST_RUN. The controls: the same core without a peer, and the table's bytes over the same kind of link.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import type { BpfObject, BpfProgram } from "@futago/hal/contract/bpf.ts";
import { RECORD_BYTES } from "@futago/hal/units/flow-record.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { balancerTables, gateTables } from "@futago/hal/xdp/tables.ts";
import { addressOf, createTestBox, GROUP, type TestBox, VIP } from "../xdp/box.ts";
import { ACK, SYN, tcpFrame } from "../xdp/packet.ts";
import { Groups, mountPins } from "../xdp/pins.ts";
import { clientOf, type CoreAnswer, type CoreOrder, SERVER, SIZES } from "./replication-orders.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { distribution } from "./statistics.ts";

const CORE = fileURLToPath(new URL("replication-core.ts", import.meta.url));
const ROUNDS_DEFAULT = 5;
const PER_SECOND = 5_000;
const SECONDS = 8;
const TABLE_FLOWS = 100_000;
const TICK_MILLIS = 2;
const SETTLE_MILLIS = 300;

interface Round {
  readonly perSecond: number;
  readonly servingPercent: number;
  readonly standbyPercent: number;
  readonly alonePercent: number;
  readonly eventsLost: number;
  readonly missing: number;
  readonly tableMillis: number;
  readonly servingMillis: number;
  readonly joiningMillis: number;
  readonly copyMillis: number;
}

const ROWS: readonly (readonly [keyof Round, string, string])[] = [
  ["perSecond", "connections a second", "–"],
  ["servingPercent", "the serving core, % of a processor", "5"],
  ["standbyPercent", "the standby's core, % of a processor", "5"],
  ["alonePercent", "control: the serving core without a peer, %", "–"],
  ["eventsLost", "events that found no room", "0"],
  ["missing", "connections that the standby lacks", "0"],
  ["tableMillis", "100,000 flows to a joining box, ms from its dial", "2000"],
  ["servingMillis", "the same, ms of a processor at the serving core", "–"],
  ["joiningMillis", "the same, ms of a processor at the joining core", "–"],
  ["copyMillis", "control: as many bytes over such a link, ms", "–"],
];

export async function replicationBench(
  { trials = ROUNDS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < trials; round++) rounds.push(await runRound());
  const rows = ROWS.map(([key, name, most]) => {
    const found = distribution(rounds.map((round) => round[key]));
    return [name, ...[found?.median, found?.worst].map((value) => figure(value ?? Number.NaN)), most];
  });
  const title = `### Connections told to the standby, ${PER_SECOND} a second for ${SECONDS} s`;
  const lines = [title, "", ...markdown(["", "median", "worst", "at most"], rows), ""];
  for (const line of lines) print(line);
  return lines;
}

async function runRound(): Promise<Round> {
  const pins = mountPins(openBpf());
  // Only for its routes and neighbours: the maps are those of the core.
  const box = await createTestBox();
  const generator = openBpf().load("balancer", pins.directory, SIZES);
  const cores: Core[] = [];
  const core = async (directory?: string) => {
    const started = await Core.start(directory);
    cores.push(started);
    return started;
  };
  try {
    gateTables(generator).setVips(new Map([[addressOf(VIP), GROUP]]));
    new Groups(generator.map("futago_groups")).set(GROUP, 3);
    const [a, b] = [await core(pins.directory), await core()];
    const { port = 0 } = await a.ask({ kind: "listen" });
    const alone = await steady([a], { box, object: generator }, 0);
    await b.ask({ kind: "dial", port });
    await a.ask({ kind: "whole" });
    const told = await steady([a, b], { box, object: generator }, 1);
    const eventsLost = balancerTables(generator).counters().eventLost;
    const [flows, held] = [await a.flows(), await b.flows()];
    await b.stop();
    await a.ask({ kind: "fill", from: 2 * PER_SECOND * SECONDS, count: TABLE_FLOWS - flows });
    const table = await join(a, await core(), port);
    return {
      perSecond: told.perSecond,
      servingPercent: told.percents[0] ?? Number.NaN,
      standbyPercent: told.percents[1] ?? Number.NaN,
      alonePercent: alone.percents[0] ?? Number.NaN,
      eventsLost,
      missing: flows - held,
      ...table,
      copyMillis: await copy(await core(), await core()),
    };
  } finally {
    for (const one of cores) await one.stop();
    generator.close();
    await box.destroy();
    pins.remove();
  }
}

/** A joining box dials a serving one that has a table. */
async function join(a: Core, b: Core, port: number) {
  const flows = await a.flows();
  const before = [await a.cpuMillis(), await b.cpuMillis()];
  const from = performance.now();
  await b.ask({ kind: "dial", port });
  await a.ask({ kind: "whole" });
  const tableMillis = performance.now() - from;
  const after = [await a.cpuMillis(), await b.cpuMillis()];
  const held = await b.flows();
  if (flows !== TABLE_FLOWS || held !== flows) throw new Error(`${held} of ${flows} flows reached the joining box`);
  const [servingMillis = 0, joiningMillis = 0] = after.map((value, i) => value - (before[i] ?? 0));
  return { tableMillis, servingMillis, joiningMillis };
}

async function copy(from: Core, to: Core): Promise<number> {
  const bytes = TABLE_FLOWS * RECORD_BYTES;
  await from.ask({ kind: "copyTo", bytes });
  const { port = 0 } = await from.ask({ kind: "listen" });
  return (await to.ask({ kind: "copyFrom", port, bytes })).millis ?? Number.NaN;
}

interface Generator {
  readonly box: TestBox;
  readonly object: BpfObject;
}

/** Connections at a steady rate, and what the cores spent meanwhile. `turn` keeps clients of each call apart. */
async function steady(cores: readonly Core[], { box, object }: Generator, turn: number) {
  const program = object.program("futago_balancer");
  const all = PER_SECOND * SECONDS;
  const before = await Promise.all(cores.map((core) => core.cpuMillis()));
  const from = performance.now();
  let made = 0;
  const makeUpTo = (due: number) =>
    box.namespace.inside(() => {
      for (let i = made; i < due; i++) handshake(program, box, turn * all + i);
    });
  while (made < all) {
    const due = Math.min(all, Math.ceil(((performance.now() - from) / 1_000) * PER_SECOND));
    makeUpTo(due);
    made = due;
    await wait(TICK_MILLIS);
  }
  const millis = performance.now() - from;
  const after = await Promise.all(cores.map((core) => core.cpuMillis()));
  await wait(SETTLE_MILLIS);
  return {
    perSecond: (made / millis) * 1_000,
    percents: after.map((value, i) => (100 * (value - (before[i] ?? 0))) / millis),
  };
}

function handshake(program: BpfProgram, { eth0, eth1 }: TestBox, i: number): void {
  const { client, clientPort } = clientOf(i);
  const there = { source: client, destination: VIP, sourcePort: clientPort, destinationPort: 80 };
  const back = { source: SERVER, destination: client, sourcePort: 8080, destinationPort: clientPort };
  program.testRun(tcpFrame({ ...there, flags: SYN }), 1, eth0);
  program.testRun(tcpFrame({ ...back, flags: SYN | ACK, sequence: 2_000 }), 1, eth1);
  program.testRun(tcpFrame({ ...there, flags: ACK, acknowledgement: 2_001 }), 1, eth0);
}

/** A core in a process of its own. */
class Core {
  readonly #child: ChildProcess;
  readonly #removePins: () => void;

  private constructor(child: ChildProcess, removePins: () => void) {
    this.#child = child;
    this.#removePins = removePins;
  }

  /** On the maps pinned in that directory, or on fresh ones of its own. */
  static async start(directory: string | undefined): Promise<Core> {
    const pins = directory === undefined ? mountPins(openBpf()) : undefined;
    const child = fork(CORE, [directory ?? pins?.directory ?? ""]);
    await once(child, "message");
    return new Core(child, () => pins?.remove());
  }

  async ask(order: CoreOrder): Promise<CoreAnswer> {
    const answered = once(this.#child, "message");
    this.#child.send(order);
    const [answer] = (await answered) as [CoreAnswer];
    return answer;
  }

  async flows(): Promise<number> {
    return (await this.ask({ kind: "flows" })).flows ?? Number.NaN;
  }

  /** Spent so far. */
  async cpuMillis(): Promise<number> {
    return ((await this.ask({ kind: "cpu" })).micros ?? Number.NaN) / 1_000;
  }

  /** Harmless when it has stopped already. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill();
    await ended;
    this.#removePins();
  }
}
