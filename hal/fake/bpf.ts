/** BPF in memory: maps of the real shapes that hold what is written, programs that run nothing, attachments that are remembered. */
import {
  type Bpf,
  BPF_ABSENT,
  BPF_DONE,
  BPF_EXISTS,
  BPF_FULL,
  type BpfCursor,
  type BpfEvents,
  type BpfMap,
  type BpfObject,
  type BpfOutcomes,
  type BpfProgram,
  type BpfSlice,
  type ForeignXdp,
  type TestRun,
  type XdpMode,
} from "../contract/bpf.ts";
import { HalError } from "../contract/error.ts";
import type { Ifindex } from "../units/address.ts";
import { concatBytes, fromHex, toHex } from "../units/bytes.ts";
import { MAPS, type MapShape } from "../xdp/layout.ts";

const PROGRAMS = {
  gate: ["futago_ingress", "futago_egress"],
  balancer: ["futago_balancer", "futago_oddities", "futago_capture", "futago_root"],
} as const;

export class FakeBpf implements Bpf {
  /** Mounted directories, each with the maps pinned there. */
  readonly mounts = new Map<string, Map<string, FakeMap>>();
  readonly tc = new Map<Ifindex, { readonly ingress: string; readonly egress: string }>();
  readonly xdp = new Map<Ifindex, { readonly program: string; readonly id: number; readonly mode: XdpMode }>();
  /** The ports whose driver knows no native XDP. */
  readonly genericOnly = new Set<Ifindex>();
  /** The ports that somebody else's program sits on. */
  readonly foreign = new Map<Ifindex, ForeignXdp>();
  #nextId = 1;

  mount(directory: string): void {
    if (!this.mounts.has(directory)) this.mounts.set(directory, new Map());
  }

  unmount(directory: string): void {
    this.mounts.delete(directory);
  }

  load(object: "gate" | "balancer", pinDirectory: string, sizes: Readonly<Record<string, number>> = {}): BpfObject {
    const pins = this.mounts.get(pinDirectory);
    if (pins === undefined) throw new HalError("ENOENT", "bpf(BPF_PROG_LOAD)", `no BPF file system at ${pinDirectory}`);
    const shapes: [string, MapShape][] = Object.entries(MAPS).filter(
      ([, shape]) => shape.object === object || shape.object === "both",
    );
    const maps = new Map(shapes.map(([name, shape]) => [name, takeOver(pins, name, shape, sizes[name])]));
    const programs = new Map(PROGRAMS[object].map((name) => [name as string, new FakeProgram(name, this.#nextId++)]));
    return {
      map: (name) => found(maps.get(name), name),
      events: (ring, recordBytes, onRecords) => found(maps.get(ring), ring).read(recordBytes, onRecords),
      program: (name) => found(programs.get(name), name),
      close: () => undefined,
    };
  }

  async loadAside(...given: Parameters<Bpf["load"]>): Promise<BpfObject> {
    return this.load(...given);
  }

  attachTc(ifindex: Ifindex, ingress: BpfProgram, egress: BpfProgram): void {
    this.tc.set(ifindex, { ingress: ingress.name, egress: egress.name });
  }

  detachTc(ifindex: Ifindex): void {
    this.tc.delete(ifindex);
  }

  standsTc(ifindex: Ifindex, ingress: BpfProgram, egress: BpfProgram): boolean {
    const there = this.tc.get(ifindex);
    return there?.ingress === ingress.name && there.egress === egress.name;
  }

  attachXdp(
    ifindex: Ifindex,
    program: BpfProgram,
    mode?: XdpMode,
    onNotNative: (refusal: HalError) => void = () => undefined,
  ): XdpMode {
    const possible = this.genericOnly.has(ifindex) ? "generic" : "native";
    const refusal = new HalError("EOPNOTSUPP", "RTM_SETLINK", `link ${ifindex} has no native XDP`);
    if (mode === "native" && possible === "generic") throw refusal;
    const foreign = this.foreign.get(ifindex);
    if (foreign !== undefined) {
      throw new HalError("EBUSY", "RTM_SETLINK", `link ${ifindex} runs somebody else's XDP program ${foreign.id}`);
    }
    if (mode === undefined && possible === "generic") onNotNative(refusal);
    this.xdp.set(ifindex, { program: program.name, id: program.id, mode: mode ?? possible });
    return mode ?? possible;
  }

  detachXdp(ifindex: Ifindex): void {
    this.xdp.delete(ifindex);
  }

  xdpProgramId(ifindex: Ifindex): number {
    return this.foreign.get(ifindex)?.id ?? this.xdp.get(ifindex)?.id ?? 0;
  }

  foreignXdp(ifindex: Ifindex): ForeignXdp | undefined {
    return this.foreign.get(ifindex);
  }
}

function takeOver(pins: Map<string, FakeMap>, name: string, shape: MapShape, size: number | undefined): FakeMap {
  const entriesMax = size ?? shape.entriesMax;
  const pinned = pins.get(name);
  if (pinned?.entriesMax === entriesMax) return pinned;
  const map = new FakeMap(name, { ...shape, entriesMax });
  pins.set(name, map);
  return map;
}

class FakeProgram implements BpfProgram {
  readonly name: string;
  readonly id: number;

  constructor(name: string, id: number) {
    this.name = name;
    this.id = id;
  }

  testRun(): TestRun {
    throw new HalError("EOPNOTSUPP", "bpf(BPF_PROG_TEST_RUN)", "nothing runs in memory");
  }
}

/** An array has all its elements from the start; a hash has what was put, up to its size. */
export class FakeMap implements BpfMap {
  readonly name: string;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entriesMax: number;
  readonly #memory: Uint8Array | undefined;
  readonly #entries = new Map<string, Uint8Array>();
  #reader: ((records: Uint8Array) => void) | undefined;

  constructor(name: string, shape: MapShape) {
    this.name = name;
    this.keyBytes = shape.keyBytes;
    this.valueBytes = shape.valueBytes;
    this.entriesMax = shape.entriesMax;
    const isArray = shape.kind === "array" || shape.kind === "perCpuArray";
    this.#memory = isArray ? new Uint8Array(shape.entriesMax * shape.valueBytes) : undefined;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.#memory === undefined ? this.#entries.get(toHex(key))?.slice() : this.#element(key)?.slice();
  }

  update(key: Uint8Array, value: Uint8Array): void {
    if (key.length !== this.keyBytes || value.length !== this.valueBytes) {
      throw new RangeError(`${this.name}: key of ${key.length}, value of ${value.length} bytes`);
    }
    if (this.#memory !== undefined) {
      const element = this.#element(key);
      if (element === undefined) throw new HalError("E2BIG", "bpf(BPF_MAP_UPDATE_ELEM)", this.name);
      element.set(value);
      return;
    }
    if (!this.#entries.has(toHex(key)) && this.#entries.size >= this.entriesMax) {
      throw new HalError("E2BIG", "bpf(BPF_MAP_UPDATE_ELEM)", this.name);
    }
    this.#entries.set(toHex(key), value.slice());
  }

  delete(key: Uint8Array): boolean {
    if (this.#memory !== undefined) throw new HalError("EINVAL", "bpf(BPF_MAP_DELETE_ELEM)", this.name);
    return this.#entries.delete(toHex(key));
  }

  *entries(): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    for (const [key, value] of this.#entries) yield [fromHex(key) ?? new Uint8Array(0), value.slice()];
    for (let i = 0; this.#memory !== undefined && i < this.entriesMax; i++) {
      const key = new Uint8Array(4);
      new DataView(key.buffer).setUint32(0, i, true);
      yield [key, this.#memory.slice(i * this.valueBytes, (i + 1) * this.valueBytes)];
    }
  }

  slice(count: number, from?: BpfCursor): BpfSlice {
    const start = from === undefined ? 0 : new DataView(from.buffer, from.byteOffset).getUint32(0, true);
    const all = [...this.entries()];
    const some = all.slice(start, start + count);
    const next = new Uint8Array(4);
    new DataView(next.buffer).setUint32(0, start + count, true);
    return {
      keys: concatBytes(some.map(([key]) => key)),
      values: concatBytes(some.map(([, value]) => value)),
      next: start + count < all.length ? next : undefined,
    };
  }

  insertMany(keys: Uint8Array, values: Uint8Array): BpfOutcomes {
    return this.#each(keys, (key, i) => (this.lookup(key) === undefined ? this.#put(key, values, i) : BPF_EXISTS));
  }

  updateMany(keys: Uint8Array, values: Uint8Array): BpfOutcomes {
    return this.#each(keys, (key, i) => this.#put(key, values, i));
  }

  lookupMany(keys: Uint8Array): { readonly values: Uint8Array; readonly outcomes: BpfOutcomes } {
    const values = new Uint8Array((keys.length / this.keyBytes) * this.valueBytes);
    const outcomes = this.#each(keys, (key, i) => {
      const value = this.lookup(key);
      if (value !== undefined) values.set(value, i * this.valueBytes);
      return value === undefined ? BPF_ABSENT : BPF_DONE;
    });
    return { values, outcomes };
  }

  deleteMany(keys: Uint8Array): BpfOutcomes {
    return this.#each(keys, (key) => (this.delete(key) ? BPF_DONE : BPF_ABSENT));
  }

  /** Of a ring buffer: what a program would have put in. */
  emit(records: Uint8Array): void {
    this.#reader?.(records);
  }

  read(_recordBytes: number, onRecords: (records: Uint8Array) => void): BpfEvents {
    this.#reader = onRecords;
    return {
      drain: () => undefined,
      close: () => {
        this.#reader = undefined;
      },
    };
  }

  memory(): Uint8Array {
    if (this.#memory === undefined) throw new HalError("EINVAL", "mmap", `${this.name} is no array`);
    return this.#memory;
  }

  #each(keys: Uint8Array, act: (key: Uint8Array, i: number) => number): BpfOutcomes {
    const count = keys.length / this.keyBytes;
    return Uint8Array.from({ length: count }, (_, i) =>
      act(keys.subarray(i * this.keyBytes, (i + 1) * this.keyBytes), i),
    );
  }

  #put(key: Uint8Array, values: Uint8Array, i: number): number {
    try {
      this.update(key, values.subarray(i * this.valueBytes, (i + 1) * this.valueBytes));
      return BPF_DONE;
    } catch (error) {
      if (error instanceof HalError) return BPF_FULL;
      throw error;
    }
  }

  #element(key: Uint8Array): Uint8Array | undefined {
    const index = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
    if (this.#memory === undefined || index >= this.entriesMax) return undefined;
    return this.#memory.subarray(index * this.valueBytes, (index + 1) * this.valueBytes);
  }
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new HalError("ENOENT", "bpf", `the object has no ${name}`);
  return value;
}
