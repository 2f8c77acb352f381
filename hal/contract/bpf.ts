/** What hal offers of BPF: a mounted file system, loaded objects, pinned maps, attachments. */
import type { Ifindex } from "../units/address.ts";
import type { HalError } from "./error.ts";

/** Some of a table's entries, end to end. */
export interface BpfSlice {
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  /** Where the next slice begins; undefined after the last. */
  readonly next: BpfCursor | undefined;
}

/** Opaque; good for the map that it came from. */
export type BpfCursor = Uint8Array;

/** What became of one entry of many: 0 is done, else the errno. */
export type BpfOutcomes = Uint8Array;
export const BPF_DONE = 0;
export const BPF_ABSENT = 2;
export const BPF_FULL = 7;
export const BPF_EXISTS = 17;

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
  /**
   * Some `count` entries of a hash, one bucket more or less. What is there all the while is in exactly one slice of a
   * walk; what comes or goes meanwhile may be in one.
   */
  slice(count: number, from?: BpfCursor): BpfSlice;
  /** Puts entries, end to end, where their keys are not there yet ({@link BPF_EXISTS} otherwise). */
  insertMany(keys: Uint8Array, values: Uint8Array): BpfOutcomes;
  /** Puts entries, end to end, whatever stands there. */
  updateMany(keys: Uint8Array, values: Uint8Array): BpfOutcomes;
  /** The values of keys, end to end; zero where the outcome is {@link BPF_ABSENT}. */
  lookupMany(keys: Uint8Array): { readonly values: Uint8Array; readonly outcomes: BpfOutcomes };
  /** {@link BPF_ABSENT} where there was no such entry. */
  deleteMany(keys: Uint8Array): BpfOutcomes;
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

/** Reads what programs put into a ring buffer. One reader at a time: what one has read, another does not see. */
export interface BpfEvents {
  /** Hands over what is there now, by the callback, before it returns. */
  drain(): void;
  close(): void;
}

export interface BpfObject {
  map(name: string): BpfMap;
  program(name: string): BpfProgram;
  /**
   * Calls back with records of `recordBytes`, end to end: soon for the first after a quiet time, every few
   * milliseconds while there are more. Records of another length are skipped. Keeps the process alive until closed.
   */
  events(ring: string, recordBytes: number, onRecords: (records: Uint8Array) => void): BpfEvents;
  close(): void;
}

export type XdpMode = "native" | "generic";

/** An XDP program that is not one of ours. */
export interface ForeignXdp {
  readonly id: number;
  /** As its author called it, 15 characters at most. */
  readonly name: string;
}

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
  /** As `load`, while another thread waits for the verifier, which takes it a good part of a second. */
  loadAside(
    object: "gate" | "balancer",
    pinDirectory: string,
    sizes?: Readonly<Record<string, number>>,
  ): Promise<BpfObject>;
  /**
   * Puts the programs on clsact ingress and egress, replacing ours that may be there. They outlive the process.
   * Throws HalError EBUSY where somebody else's filter has our place.
   */
  attachTc(ifindex: Ifindex, ingress: BpfProgram, egress: BpfProgram): void;
  /** Takes ours away, and the hooks unless somebody else uses them. Harmless when there is none, or no such link. */
  detachTc(ifindex: Ifindex): void;
  /** Whether these very programs are where {@link attachTc} puts them. */
  standsTc(ifindex: Ifindex, ingress: BpfProgram, egress: BpfProgram): boolean;
  /**
   * Makes the port run the program: tries native, then generic, unless told which. What sits on the port is the
   * object's root program, which stays when it is there already; the given one goes into the slot behind it, in
   * force at once on all ports. Outlives the process. Throws HalError EBUSY where somebody else's program is.
   * `onNotNative` hears why native mode was refused, when it was asked for now. From then on the port leaves VLAN tags
   * in the frames (rx-vlan-offload off), where its driver can: else other VLANs' frames would look like its own.
   */
  attachXdp(ifindex: Ifindex, program: BpfProgram, mode?: XdpMode, onNotNative?: (refusal: HalError) => void): XdpMode;
  /** Takes ours away. Harmless when there is none, or no such link. */
  detachXdp(ifindex: Ifindex): void;
  /** The id of the XDP program on a link, or 0. */
  xdpProgramId(ifindex: Ifindex): number;
  /** The program on a link that somebody else put there; undefined when there is none, or ours. */
  foreignXdp(ifindex: Ifindex): ForeignXdp | undefined;
}
