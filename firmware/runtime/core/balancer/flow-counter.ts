/** Counts the running flows of each backend, in slices, so that a full table holds nothing else up. */
import type { Clock } from "@futago/hal/contract/machine.ts";

/** A flow that was silent for longer is not counted as running, although its entry may stand. */
const RUNNING_NANOS = 60n * 1_000_000_000n;
const SLICE = 2_048;
/** Counting reads the whole table: done at most this often, and never for more than a twentieth of the time. */
const REST_MILLIS_MIN = 200;
const REST_SHARE = 20;

/** What is read of an entry of the established table. */
interface Flow {
  readonly address: string;
  readonly port: number;
  /** Nanoseconds on CLOCK_BOOTTIME. */
  readonly seenNanos: bigint;
}

export class FlowCounter {
  readonly #clock: Clock;
  readonly #flows: () => Iterable<Flow>;
  #counts: ReadonlyMap<string, number> = new Map();
  #counting: Promise<void> | undefined;
  #againAt = 0;

  constructor(clock: Clock, flows: () => Iterable<Flow>) {
    this.#clock = clock;
    this.#flows = flows;
  }

  /** By the backend's address and port, "10.2.0.11:80", as of the newest count. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Resolves when the counts are fresh. */
  count(): Promise<void> {
    if (performance.now() < this.#againAt) return Promise.resolve();
    this.#counting ??= this.#count().finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  async #count(): Promise<void> {
    const oldest = BigInt(this.#clock.now()) * 1_000n - RUNNING_NANOS;
    const counts = new Map<string, number>();
    let seen = 0;
    let cost = 0;
    let from = performance.now();
    for (const { address, port, seenNanos } of this.#flows()) {
      const backend = `${address}:${port}`;
      if (seenNanos >= oldest) counts.set(backend, (counts.get(backend) ?? 0) + 1);
      if (++seen % SLICE !== 0) continue;
      cost += performance.now() - from;
      await new Promise(setImmediate);
      from = performance.now();
    }
    cost += performance.now() - from;
    this.#counts = counts;
    this.#againAt = performance.now() + Math.max(REST_MILLIS_MIN, REST_SHARE * cost);
  }
}
