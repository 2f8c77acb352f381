/** What hal offers of BPF: a mounted file system, loaded objects, pinned maps, attachments. */
import type { Ifindex } from "../units/address.ts";

export interface BpfMap {
  readonly name: string;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entriesMax: number;
  lookup(key: Uint8Array): Uint8Array | undefined;
  update(key: Uint8Array, value: Uint8Array): void;
  /** False when there was no such entry. */
  delete(key: Uint8Array): boolean;
  /** All entries, read in batches where the kernel can. Per-CPU maps give one value per possible CPU, end to end. */
  entries(): Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
  /** The memory of a BPF_F_MMAPABLE array, shared with the kernel: a store is seen by the programs at once. */
  memory(): Uint8Array;
}

export interface BpfProgram {
  readonly name: string;
  readonly id: number;
  /** BPF_PROG_TEST_RUN; `nanosPerRun` is the kernel's own mean over `repeat` runs. */
  testRun(input: Uint8Array, repeat?: number): { verdict: number; output: Uint8Array; nanosPerRun: number };
}

export interface BpfObject {
  map(name: string): BpfMap;
  program(name: string): BpfProgram;
  close(): void;
}

export type XdpMode = "native" | "generic";

export interface Bpf {
  /** Mounts a BPF file system at `directory` unless one is there already. */
  mount(directory: string): void;
  unmount(directory: string): void;
  /**
   * Loads the object file built from hal/xdp. Maps that an earlier run pinned under `pinDirectory` are taken over
   * with their content when their shape is the same; the others are made and pinned there.
   */
  load(object: "gate" | "balancer", pinDirectory: string): BpfObject;
  /** Puts the programs on clsact ingress and egress, replacing ours that may be there. They outlive the process. */
  attachTc(ifindex: Ifindex, ingress: BpfProgram, egress: BpfProgram): void;
  detachTc(ifindex: Ifindex): void;
  /** Tries native, then generic; replaces ours that may be there. Outlives the process. */
  attachXdp(ifindex: Ifindex, program: BpfProgram, mode?: XdpMode): XdpMode;
  detachXdp(ifindex: Ifindex): void;
  /** The id of the XDP program on a link, or 0. */
  xdpProgramId(ifindex: Ifindex): number;
}
