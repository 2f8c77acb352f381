/** The lease of one group in the gate's memory, for a box alone: pulse renews those of a pair. */
import type { Instant } from "@futago/hal/units/time.ts";

/** One element of futago_groups: u64 lease until, u32 bits, u32 reserved. */
const ELEMENT_BYTES = 16;
/** ARP and ND for the VIPs, and new flows. */
const ANSWER = 1;
/** All the rest to, from and through them. */
const FORWARD = 2;

export class GroupLease {
  readonly #until: BigUint64Array;
  readonly #bits: Uint32Array;

  constructor(memory: Uint8Array, slot: number) {
    const start = memory.byteOffset + slot * ELEMENT_BYTES;
    // Whole aligned stores: the programs in the kernel read while we write.
    this.#until = new BigUint64Array(memory.buffer, start, 1);
    this.#bits = new Uint32Array(memory.buffer, start + 8, 1);
  }

  grant(until: Instant): void {
    this.#until[0] = BigInt(until) * 1_000n;
    this.#bits[0] = ANSWER | FORWARD;
  }

  drop(): void {
    this.#bits[0] = 0;
    this.#until[0] = 0n;
  }
}
