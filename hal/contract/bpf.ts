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

export interface TestRun {
  readonly verdict: number;
  readonly output: Uint8Array;
  readonly nanosPerRun: number;
}

export interface BpfProgram {
  readonly name: string;
  readonly id: number;
  /**
   * BPF_PROG_TEST_RUN; `nanosPerRun` is the kernel's own mean over `repeat` runs. An XDP program believes that the
   * packet came in on `ifindex`, on the loopback device when that is left out. What a program wrote in front of the
   * packet stands at the start of `output`.
   */
  testRun(input: Uint8Array, repeat?: number, ifindex?: Ifindex): TestRun;
}

export interface BpfObject {
  map(name: string): BpfMap;
  program(name: string): BpfProgram;
  close(): void;
}

export type XdpMode = "native" | "generic";

export interface Bpf {
  /** Mounts a BPF file system at `directory`, which it makes, unless one is there already. */
  mount(directory: string): void;
  /**
   * Removes all pins and the file system; harmless when there is none. Attached programs stay, but the slot behind an
   * XDP root program empties with its last pin and descriptor: detach first.
   */
  unmount(directory: string): void;
  /**
   * Loads the object file built from hal/xdp. Maps that an earlier run pinned under `pinDirectory` are taken over
   * with their content when their shape is the same; the others are made and pinned there. `sizes` says by name how
   * many entries a map shall have instead of the object's own number. Throws HalError with the verifier's last lines.
   */
  load(object: "gate" | "balancer", pinDirectory: string, sizes?: Readonly<Record<string, number>>): BpfObject;
  /**
   * Puts the programs on clsact ingress and egress, replacing ours that may be there. They outlive the process.
   * Throws HalError EBUSY where somebody else's filter has our place.
   */
  attachTc(ifindex: Ifindex, ingress: BpfProgram, egress: BpfProgram): void;
  /** Takes ours away, and the hooks unless somebody else uses them. Harmless when there is none, or no such link. */
  detachTc(ifindex: Ifindex): void;
  /**
   * Makes the port run the program: tries native, then generic, unless told which. What sits on the port is the
   * object's root program, which stays when it is there already; the given one goes into the slot behind it, in
   * force at once on all ports. Outlives the process. Throws HalError EBUSY where somebody else's program is.
   */
  attachXdp(ifindex: Ifindex, program: BpfProgram, mode?: XdpMode): XdpMode;
  /** Takes ours away. Harmless when there is none, or no such link. */
  detachXdp(ifindex: Ifindex): void;
  /** The id of the XDP program on a link, or 0. */
  xdpProgramId(ifindex: Ifindex): number;
}
