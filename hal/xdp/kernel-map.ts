/** A BPF map in the kernel, by its descriptor. */
import type { BpfMap } from "../contract/bpf.ts";
import { HalError } from "../contract/error.ts";
import { asHalError, bpfCalls, type LoadedMap } from "./calls.ts";

const PAGE_BYTES = 4096;

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
