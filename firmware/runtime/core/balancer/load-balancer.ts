/** Loads the balancer as core starts, or says why the box cannot run. */
import type { Bpf, BpfObject } from "@futago/hal/contract/bpf.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Resolved, ResolvedPool } from "../../../config/resolved.ts";
import { RingStock } from "../../../balancer/ring-stock.ts";
import { type BalancedBackend, SLOW_START_STEPS } from "../../../balancer/service.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { inSlices } from "../slices.ts";
import { backendId } from "./pool-states.ts";
import { ringSeed, type Settings } from "./ring-seed.ts";
import { mapSizes, type TableSizes, tableSizes } from "./table-sizes.ts";

/** The loaded programs, with tables of these sizes; those of a predecessor hold what it put there. */
export interface LoadedTables {
  readonly sizes: TableSizes;
  readonly object: BpfObject;
  /** For the first services; whoever has them in force closes it. */
  readonly rings: RingStock;
}

/** The verifier takes a good part of a second, in which core goes on reading its configuration. */
export class BalancerLoading {
  readonly #bpf: Bpf;
  readonly #pinDirectory: string;
  /** Of the pair's rings; undefined on a box alone. */
  readonly #pairSeed: string | undefined;
  readonly #rings = new RingStock();
  #tables: Promise<LoadedTables> | undefined;
  #seed: Promise<string> | undefined;

  constructor(bpf: Bpf, pinDirectory: string, pairSeed: string | undefined) {
    this.#bpf = bpf;
    this.#pinDirectory = pinDirectory;
    this.#pairSeed = pairSeed;
  }

  /** Of the rings. */
  seed(settings: Settings): Promise<string> {
    this.#seed ??= ringSeed(this.#pairSeed, settings);
    return this.#seed;
  }

  /** Begins with tables and rings for the stored configuration, all of whose backends are hoped to live. */
  readonly expect = (config: Resolved, settings: Settings): void => {
    void this.begin(config);
    const prepare = (seed: string) => inSlices(this.#rings.prepare(seed, config.pools.map(hopedOf)));
    // What the disk refuses hears who asks for the seed.
    void this.seed(settings).then(prepare, () => undefined);
  };

  /** Tables for this configuration, unless others were begun before. Rejects with a refusal. */
  begin(config: Resolved | undefined): Promise<LoadedTables> {
    this.#tables ??= this.#load(tableSizes(config));
    // Whoever waits for the tables hears of it; nobody does when the configuration is refused meanwhile.
    this.#tables.catch(() => undefined);
    return this.#tables;
  }

  async #load(sizes: TableSizes): Promise<LoadedTables> {
    try {
      const object = await this.#bpf.loadAside("balancer", this.#pinDirectory, mapSizes(sizes));
      return { sizes, object, rings: this.#rings };
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      throw new RefusalError({
        exitCode: ExitCode.failed,
        what: `the kernel refuses the balancer: ${error.message}`,
        where: this.#pinDirectory,
        mend: "A kernel with CONFIG_BPF_SYSCALL and CONFIG_BPF_JIT, 5.16 or newer, is needed; the message above is the verifier's.",
      });
    }
  }
}

/** As a pool stands whose backends all live; a ring tells no more of them apart. */
function hopedOf({ name: pool, backends }: ResolvedPool): readonly BalancedBackend[] {
  const hoped = { alive: true, blind: false, draining: false, step: SLOW_START_STEPS, subnetBits: 0, flowsMax: 0 };
  return backends.map((backend) => ({ ...backend, ...hoped, id: backendId(pool, backend.name) }));
}
