/**
 * The open flows of each backend: those that the balancer counted as opened less those counted here as closed. What a
 * walk of the table found puts the difference right. Both counts lie in memory that is shared with the kernel.
 */
import type { BpfMap, BpfObject } from "@futago/hal/contract/bpf.ts";
import { correctedClosed } from "../../../balancer/collect.ts";

export class OpenFlows {
  readonly #opened: BigUint64Array;
  readonly #closed: BigUint64Array;
  #before = new BigUint64Array(0);
  #found = new Map<number, number>();

  constructor(object: BpfObject) {
    this.#opened = numbersOf(object.map("backend_opened"));
    this.#closed = numbersOf(object.map("backend_closed"));
  }

  /** A walk of the table begins. */
  begin(): void {
    this.#before = this.#opened.slice();
    this.#found = new Map();
  }

  found(backend: number): void {
    this.#found.set(backend, (this.#found.get(backend) ?? 0) + 1);
  }

  /** One flow of the backend went; never does that leave less than none open. */
  close(backend: number): void {
    const [opened, closed] = [this.#opened[backend] ?? 0n, this.#closed[backend] ?? 0n];
    if (BigInt.asIntN(64, opened - closed) > 0n) this.#closed[backend] = closed + 1n;
  }

  /** The walk is over. */
  correct(): void {
    for (const backend of this.#found.keys()) this.#correctOne(backend);
    for (const backend of differing(this.#opened, this.#closed)) this.#correctOne(backend);
  }

  #correctOne(backend: number): void {
    const closedAfter = this.#closed[backend] ?? 0n;
    this.#closed[backend] = correctedClosed({
      found: BigInt(this.#found.get(backend) ?? 0),
      openedBefore: this.#before[backend] ?? 0n,
      openedAfter: this.#opened[backend] ?? 0n,
      closedAfter,
    });
  }
}

function numbersOf(map: BpfMap): BigUint64Array {
  const memory = map.memory();
  return new BigUint64Array(memory.buffer, memory.byteOffset, map.entriesMax);
}

/** Compared by halves: a hundred thousand 64-bit numbers would each become an object. */
function differing(a: BigUint64Array, b: BigUint64Array): readonly number[] {
  const [x, y] = [new Uint32Array(a.buffer, a.byteOffset), new Uint32Array(b.buffer, b.byteOffset)];
  const numbers: number[] = [];
  for (let i = 0; i < 2 * a.length; i += 2) if (x[i] !== y[i] || x[i + 1] !== y[i + 1]) numbers.push(i / 2);
  return numbers;
}
