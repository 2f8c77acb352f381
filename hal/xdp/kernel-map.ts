/** A BPF map in the kernel, by its descriptor. */
import type { BpfCursor, BpfMap, BpfOutcomes, BpfSlice } from "../contract/bpf.ts";
import { HalError } from "../contract/error.ts";
import { asHalError, bpfCalls, type LoadedMap } from "./calls.ts";

const PAGE_BYTES = 4096;
const START = new Uint8Array(0);

export class KernelMap implements BpfMap {
  readonly name: string;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entriesMax: number;
  readonly #valuesPerKey: number;
  #fd: number | undefined;

  constructor(map: LoadedMap) {
    this.name = map.name;
    this.keyBytes = map.keyBytes;
    this.valueBytes = map.valueBytes;
    this.entriesMax = map.entriesMax;
    this.#valuesPerKey = map.valuesPerKey;
    this.#fd = map.fd;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    this.#checkKey(key);
    const value = new Uint8Array(this.#bytesPerKey());
    return asHalError(() => bpfCalls.bpfLookup(this.#open(), key, value)) ? value : undefined;
  }

  update(key: Uint8Array, value: Uint8Array): void {
    this.#checkKey(key);
    if (value.length !== this.#bytesPerKey()) throw new RangeError(`${this.name}: a value of ${value.length} bytes`);
    asHalError(() => bpfCalls.bpfUpdate(this.#open(), key, value));
  }

  delete(key: Uint8Array): boolean {
    this.#checkKey(key);
    return asHalError(() => bpfCalls.bpfDelete(this.#open(), key));
  }

  *entries(): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    const size = this.#bytesPerKey();
    const dump = asHalError(() => bpfCalls.bpfEntries(this.#open(), this.keyBytes, size, this.entriesMax));
    for (let i = 0; i < dump.count; i++) {
      yield [
        dump.keys.subarray(i * this.keyBytes, (i + 1) * this.keyBytes),
        dump.values.subarray(i * size, (i + 1) * size),
      ];
    }
  }

  slice(count: number, from: BpfCursor = START): BpfSlice {
    const size = this.#bytesPerKey();
    const slice = asHalError(() => bpfCalls.bpfSlice(this.#open(), this.keyBytes, size, count, from));
    const { keys, values, cursor } = slice;
    return { keys, values, next: cursor.length === 0 ? undefined : cursor };
  }

  insertMany(keys: Uint8Array, values: Uint8Array): BpfOutcomes {
    const outcomes = this.#outcomes(keys);
    bpfCalls.bpfInsertMany(this.#open(), this.keyBytes, this.#bytesPerKey(), keys, values, outcomes);
    return outcomes;
  }

  updateMany(keys: Uint8Array, values: Uint8Array): BpfOutcomes {
    const outcomes = this.#outcomes(keys);
    bpfCalls.bpfUpdateMany(this.#open(), this.keyBytes, this.#bytesPerKey(), keys, values, outcomes);
    return outcomes;
  }

  lookupMany(keys: Uint8Array): { readonly values: Uint8Array; readonly outcomes: BpfOutcomes } {
    const outcomes = this.#outcomes(keys);
    const values = new Uint8Array(outcomes.length * this.#bytesPerKey());
    bpfCalls.bpfLookupMany(this.#open(), this.keyBytes, this.#bytesPerKey(), keys, values, outcomes);
    return { values, outcomes };
  }

  deleteMany(keys: Uint8Array): BpfOutcomes {
    const outcomes = this.#outcomes(keys);
    bpfCalls.bpfDeleteMany(this.#open(), this.keyBytes, keys, outcomes);
    return outcomes;
  }

  /** Of a ring buffer: bpfRingOpen takes it. */
  get descriptor(): number {
    return this.#open();
  }

  memory(): Uint8Array {
    const length = this.entriesMax * this.valueBytes;
    const mapped = Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
    return new Uint8Array(
      asHalError(() => bpfCalls.bpfMemory(this.#open(), mapped)),
      0,
      length,
    );
  }

  /** Its object is closed, and the descriptor with it. */
  close(): void {
    this.#fd = undefined;
  }

  #outcomes(keys: Uint8Array): Uint8Array {
    if (keys.length % this.keyBytes !== 0) throw new RangeError(`${this.name}: keys of ${keys.length} bytes`);
    return new Uint8Array(keys.length / this.keyBytes);
  }

  #open(): number {
    if (this.#fd === undefined) throw new HalError("EBADF", "bpf", `map ${this.name} is closed`);
    return this.#fd;
  }

  #bytesPerKey(): number {
    return this.valueBytes * this.#valuesPerKey;
  }

  #checkKey(key: Uint8Array): void {
    if (key.length !== this.keyBytes) throw new RangeError(`${this.name}: a key of ${key.length} bytes`);
  }
}
