/** A BPF file system of the test's own, and leases written as pulse writes them. */
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bpf, BpfMap } from "@futago/hal/contract/bpf.ts";
import { addon } from "@futago/hal/addon/load.ts";

export interface Pins {
  readonly directory: string;
  remove(): void;
}

export function mountPins(bpf: Bpf): Pins {
  const directory = mkdtempSync(join(tmpdir(), "futago-pins-"));
  bpf.mount(directory);
  return {
    directory,
    remove: () => {
      bpf.unmount(directory);
      rmdirSync(directory);
    },
  };
}

/** Nanoseconds on CLOCK_BOOTTIME, to a microsecond. */
export function bootNanos(): bigint {
  const { machineNow } = addon as { readonly machineNow: () => number };
  return BigInt(Math.floor(machineNow())) * 1000n;
}

/** Stores into futago_groups through its shared memory. */
export class Groups {
  readonly #view: DataView;

  constructor(map: BpfMap) {
    const memory = map.memory();
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  }

  /** `forNanos` from now; 0 is no lease. */
  set(index: number, bits: number, forNanos: bigint = 3_600_000_000_000n): void {
    this.#view.setUint32(index * 16 + 8, bits, true);
    this.#view.setBigUint64(index * 16, forNanos === 0n ? 0n : bootNanos() + forNanos, true);
  }
}
