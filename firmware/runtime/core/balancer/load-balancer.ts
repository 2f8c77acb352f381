/** Loads the balancer as core starts, or says why the box cannot run. */
import { HalError } from "@futago/hal/contract/error.ts";
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Log } from "../log.ts";
import { BalancerKeeper } from "./balancer-keeper.ts";
import { tableSizes } from "./table-sizes.ts";

interface Loading {
  readonly hal: Pick<Hal, "bpf" | "network">;
  readonly log: Log;
  readonly bpfDirectory: string;
  readonly seed: string;
  /** For the sizes of the tables. */
  readonly config: Resolved | undefined;
}

export function loadBalancer({ hal, bpfDirectory, seed, log, config }: Loading): BalancerKeeper {
  try {
    const sizes = tableSizes(config);
    return new BalancerKeeper({ hal, pinDirectory: bpfDirectory, seed, sizes, log });
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what: `the kernel refuses the balancer: ${error.message}`,
      where: bpfDirectory,
      mend: "A kernel with CONFIG_BPF_SYSCALL and CONFIG_BPF_JIT, 5.16 or newer, is needed; the message above is the verifier's.",
    });
  }
}
