/** One pair of boxes under the prober, whoever the contender is: built fresh for a trial, taken down after it. */
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { logTail } from "../lab/futago-process.ts";
import { createNetwork } from "../netns/namespaces.ts";
import { type Janitor, startJanitor } from "../lab/janitor-child.ts";
import { processesIn } from "../lab/processes.ts";
import { monotonicMicros, Prober } from "../lab/prober.ts";
import { type Box, BOXES, boxMac, createTopology, type Topology, VIP } from "../lab/topology.ts";
import type { Contender } from "./contender.ts";

const START_MILLIS_MAX = 30_000;
const ANSWER_MILLIS_MAX = 20_000;
const STEADY_MILLIS = 300;
const LOG_LINES = 15;

export class Pair {
  readonly contender: Contender;
  readonly topology: Topology;
  readonly prober: Prober;
  readonly #janitor: Janitor;
  readonly #running: ReadonlyMap<Box, ChildProcess>;

  private constructor(
    contender: Contender,
    topology: Topology,
    janitor: Janitor,
    running: ReadonlyMap<Box, ChildProcess>,
    prober: Prober,
  ) {
    this.contender = contender;
    this.topology = topology;
    this.#janitor = janitor;
    this.#running = running;
    this.prober = prober;
  }

  /** Both boxes up, the VIP answering without a pause, the standby ready. */
  static async start(contender: Contender): Promise<Pair> {
    const network = await createNetwork();
    const janitor = startJanitor(network.prefix);
    try {
      const topology = await createTopology(network);
      const running = new Map<Box, ChildProcess>();
      await Promise.all(
        BOXES.map(async (box) => {
          running.set(box, await contender.start(box, await topology.placeBox(box), janitor.directory));
        }),
      );
      const prober = await Prober.start(topology.client, { address: VIP, ping: true });
      const pair = new Pair(contender, topology, janitor, running, prober);
      await contender.settled(janitor.directory);
      await pair.#steady();
      return pair;
    } catch (error) {
      const logs = BOXES.map(
        (box) => `--- ${contender.name}, box ${box}\n${logTail(join(janitor.directory, `${box}.log`), LOG_LINES)}`,
      );
      await janitor.sweep();
      throw new Error(logs.join("\n"), { cause: error });
    }
  }

  get directory(): string {
    return this.#janitor.directory;
  }

  process(box: Box): ChildProcess {
    const running = this.#running.get(box);
    if (running === undefined) throw new Error(`box ${box} was never started`);
    return running;
  }

  /** The box that the client sends to, by its neighbour entry. */
  async active(): Promise<Box> {
    const [entry] = JSON.parse(await this.topology.client.ip(`-j neigh show ${VIP}`)) as { lladdr?: string }[];
    const box = BOXES.find((candidate) => boxMac(candidate, "wan") === entry?.lladdr);
    if (box === undefined)
      throw new Error(`the client sends to nobody we know: ${entry?.lladdr ?? "no neighbour entry"}`);
    return box;
  }

  pids(box: Box): readonly number[] {
    const namespace = this.topology.boxNamespace(box);
    return namespace === undefined ? [] : processesIn(namespace.path).map((found) => found.pid);
  }

  /** Resolves once an answer came that was on its way after `since`; false when none does. */
  async answersAfter(since: number): Promise<boolean> {
    const deadline = since + ANSWER_MILLIS_MAX * 1_000;
    while (monotonicMicros() < deadline) {
      const tick = await this.prober.nextTick();
      if (tick.lastAnswerAt > since && tick.at - tick.lastAnswerAt < 50_000) return true;
    }
    return false;
  }

  async destroy(): Promise<void> {
    await this.prober.stop();
    await this.#janitor.sweep();
  }

  async #steady(): Promise<void> {
    const deadline = monotonicMicros() + START_MILLIS_MAX * 1_000;
    for (;;) {
      const since = monotonicMicros();
      const answered = this.prober.tick.answered;
      await wait(STEADY_MILLIS);
      const gained = this.prober.tick.answered - answered;
      if (gained > STEADY_MILLIS / 2 && this.prober.linesOf("gap", since).length === 0) return;
      if (monotonicMicros() > deadline) throw new Error(`${this.contender.name}: the VIP does not answer steadily`);
    }
  }
}
