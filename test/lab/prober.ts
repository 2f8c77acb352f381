/** The prober (probe/main.c) as a running thing: started in a host's namespace, its lines collected with their times. */
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../netns/namespaces.ts";

const PROGRAM = fileURLToPath(new URL("build/probe", import.meta.url));

/** Microseconds of CLOCK_MONOTONIC, the clock of every line of the prober. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

export interface Tick {
  readonly kind: "tick";
  readonly at: number;
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** 0 before the first answer. */
  readonly lastAnswerAt: number;
  readonly rttMaxMicros: number;
  readonly arpAsked: number;
  /** ARP requests that two Ethernet addresses answered. */
  readonly arpBoth: number;
}

export type ProbeLine =
  | { readonly kind: "start"; readonly at: number }
  | Tick
  | { readonly kind: "gap"; readonly start: number; readonly end: number }
  | {
      readonly kind: "lost";
      readonly start: number;
      readonly end: number;
      readonly count: number;
      readonly total: number;
    }
  | { readonly kind: "stall"; readonly cpu: number; readonly start: number; readonly end: number }
  | { readonly kind: "announce"; readonly at: number; readonly mac: string; readonly operation: "request" | "reply" }
  | { readonly kind: "ask"; readonly at: number }
  | { readonly kind: "answering"; readonly at: number; readonly mac: string }
  | { readonly kind: "silent"; readonly at: number; readonly mac: string };

export interface ProberOptions {
  readonly address: string;
  readonly ping?: boolean;
  readonly arp?: boolean;
  readonly onLine?: (line: ProbeLine) => void;
}

/** Lines kept: hours of everything but ticks, of which only the newest is. */
const LINES_MAX = 20_000;
/** From the first signal to a box until its last cable is down; more than that is another silence. */
const POWER_CUT_MICROS_MAX = 30_000;

export class Prober {
  readonly #process: ChildProcess;
  readonly #lines: Exclude<ProbeLine, Tick>[] = [];
  readonly #waiting = new Set<() => void>();
  #tick: Tick | undefined;
  #problem: string | undefined;
  #stopped = false;

  private constructor(child: ChildProcess, onLine: ((line: ProbeLine) => void) | undefined) {
    this.#process = child;
    let errors = "";
    child.stderr?.on("data", (text: Buffer) => (errors += text.toString()));
    child.once("close", (code, signal) => {
      if (!this.#stopped) this.#problem = `the prober ended (${code ?? signal}): ${errors.trim()}`;
      this.#wake();
    });
    if (child.stdout === null) throw new Error("the prober has no output");
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as ProbeLine;
      this.#take(line);
      onLine?.(line);
    });
  }

  /** Resolves when the first lines have come. */
  static async start(host: Namespace, options: ProberOptions): Promise<Prober> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: run ./build.sh setup`);
    const flags = [...(options.ping === true ? ["--ping"] : []), ...(options.arp === true ? ["--arp"] : [])];
    const argv = [PROGRAM, "--device", "eth0", "--address", options.address, ...flags];
    const prober = new Prober(host.spawn(argv, { stdio: ["pipe", "pipe", "pipe"] }), options.onLine);
    await prober.nextTick();
    return prober;
  }

  /** The newest summary. */
  get tick(): Tick {
    if (this.#tick === undefined) throw new Error("the prober has not started");
    return this.#tick;
  }

  /** Every line but the ticks, oldest first. */
  get lines(): readonly Exclude<ProbeLine, Tick>[] {
    return this.#lines;
  }

  linesOf<K extends Exclude<ProbeLine, Tick>["kind"]>(
    kind: K,
    since: number,
  ): readonly Extract<ProbeLine, { kind: K }>[] {
    const wanted = this.#lines.filter((line) => line.kind === kind && endOf(line) >= since);
    return wanted as unknown as readonly Extract<ProbeLine, { kind: K }>[];
  }

  /** The summary that comes next, at most a tenth of a second away. */
  async nextTick(): Promise<Tick> {
    const before = this.#tick;
    while (this.#tick === before) {
      if (this.#problem !== undefined) throw new Error(this.#problem);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return this.tick;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.stdin?.end();
    await ended;
  }

  #take(line: ProbeLine): void {
    if (line.kind === "tick") this.#tick = line;
    else this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) this.#lines.splice(0, LINES_MAX / 2);
    if (line.kind === "tick") this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

function endOf(line: Exclude<ProbeLine, Tick>): number {
  return "end" in line ? line.end : line.at;
}

export interface Silence {
  readonly micros: number;
  /** The longest stall of the machine, on either CPU, that fell into the silence. */
  readonly stallMicros: number;
}

/**
 * The longest silence that ended after `since`; undefined when there was none as long as the prober reports. A silence
 * that began within a power cut counts from `cutAt`, when the box stopped, though its kernel answered a little longer.
 */
export function longestSilence(prober: Prober, since: number, cutAt = Infinity): Silence | undefined {
  const silences = prober.linesOf("gap", since).map(({ start, end }) => {
    const from = start - cutAt < POWER_CUT_MICROS_MAX ? Math.min(start, cutAt) : start;
    return { micros: end - from, stallMicros: longestStall(prober, from, end) };
  });
  return silences.toSorted((one, other) => other.micros - one.micros)[0];
}

export function longestStall(prober: Prober, start: number, end: number): number {
  const overlapping = prober.linesOf("stall", start).filter((stall) => stall.start <= end);
  return overlapping.reduce((longest, stall) => Math.max(longest, stall.end - stall.start), 0);
}
