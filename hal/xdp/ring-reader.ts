/** A BPF ring buffer, read in batches: at once after a quiet time, then at a steady pace until it is empty. */
import type { BpfEvents } from "../contract/bpf.ts";
import { asHalError, bpfCalls } from "./calls.ts";

/** A wake-up costs as much as some hundred records; this many milliseconds gather them. */
const PACE_MILLIS = 10;

export class RingReader implements BpfEvents {
  readonly #handle: unknown;
  readonly #onRecords: (records: Uint8Array) => void;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(descriptor: number, recordBytes: number, onRecords: (records: Uint8Array) => void) {
    this.#onRecords = onRecords;
    this.#handle = asHalError(() =>
      bpfCalls.bpfRingOpen(descriptor, recordBytes, (batch) => {
        this.#goOnSoon();
        if (batch.length > 0) this.#onRecords(batch);
      }),
    );
  }

  drain(): void {
    while (!this.#closed && this.#take());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    bpfCalls.socketClose(this.#handle);
  }

  #goOnSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // An empty batch has set the watch again, which begins anew.
      if (!this.#closed && this.#take()) this.#goOnSoon();
    }, PACE_MILLIS);
  }

  #take(): boolean {
    const batch = bpfCalls.bpfRingTake(this.#handle);
    if (batch.length > 0) this.#onRecords(batch);
    return batch.length > 0;
  }
}
