/** Loads the balancer as core starts, or says why the box cannot run. */
import type { Bpf, BpfObject } from "@futago/hal/contract/bpf.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { mapSizes, type TableSizes, tableSizes } from "./table-sizes.ts";

/** The loaded programs, with tables of these sizes; those of a predecessor hold what it put there. */
export interface LoadedTables {
  readonly sizes: TableSizes;
  readonly object: BpfObject;
}

/** The verifier takes a good part of a second, in which core goes on reading its configuration. */
export class BalancerLoading {
  readonly #bpf: Bpf;
  readonly #pinDirectory: string;
  #tables: Promise<LoadedTables> | undefined;

  constructor(bpf: Bpf, pinDirectory: string) {
    this.#bpf = bpf;
    this.#pinDirectory = pinDirectory;
  }

  /** Begins with tables for this configuration, unless it began before. Rejects with a refusal. */
  readonly begin = (config: Resolved | undefined): Promise<LoadedTables> => {
    this.#tables ??= this.#load(tableSizes(config));
    // Whoever waits for the tables hears of it; nobody does when the configuration is refused meanwhile.
    this.#tables.catch(() => undefined);
    return this.#tables;
  };

  async #load(sizes: TableSizes): Promise<LoadedTables> {
    try {
      return { sizes, object: await this.#bpf.loadAside("balancer", this.#pinDirectory, mapSizes(sizes)) };
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
