/**
 * The open flows of each backend: those that the balancer counted as opened less those that it, or this, counted as
 * closed. What a walk of the tables found puts the difference right, and the sum of a service's backends is what the
 * service has open. All counts lie in memory that is shared with the kernel, and are changed in one step.
 */
import type { BpfMap, BpfObject } from "@futago/hal/contract/bpf.ts";
import { SERVICE_BACKENDS_MAX } from "@futago/hal/units/balancer.ts";
import { correctedClosed } from "../../../balancer/collect.ts";

export class OpenFlows {
  readonly #opened: BigUint64Array;
  readonly #closed: BigUint64Array;
  /** Of each service two words: its open flows, and what core says of it. */
  readonly #services: BigInt64Array;
  #openedBefore = new BigUint64Array(0);
  #closedBefore = new BigUint64Array(0);
  #found = new Map<number, number>();

  constructor(object: BpfObject) {
    this.#opened = numbersOf(object.map("backend_opened"));
    this.#closed = numbersOf(object.map("backend_closed"));
    const services = object.map("service_open").memory();
    this.#services = new BigInt64Array(services.buffer, services.byteOffset, services.length / 8);
  }

  /** A walk of the table begins. */
  begin(): void {
    this.#openedBefore = this.#opened.slice();
    this.#closedBefore = this.#closed.slice();
    this.#found = new Map();
  }

  found(backend: number): void {
    this.#found.set(backend, (this.#found.get(backend) ?? 0) + 1);
  }

  /** One flow of the backend went; never does that leave less than none open. */
  close(backend: number): void {
    const [opened, closed] = [this.#opened[backend] ?? 0n, this.#closed[backend] ?? 0n];
    if (BigInt.asIntN(64, opened - closed) <= 0n) return;
    Atomics.add(this.#closed, backend, 1n);
    this.#closedBefore[backend] = (this.#closedBefore[backend] ?? 0n) + 1n;
  }

  /** The walk is over. */
  correct(): void {
    for (const backend of this.#found.keys()) this.#correctOne(backend);
    for (const backend of differing(this.#opened, this.#closed)) this.#correctOne(backend);
    this.#correctServices();
  }

  /** By the lower halves, which are exact as long as nobody has two thousand million flows open. */
  #correctServices(): void {
    const [opened, closed] = [halvesOf(this.#opened), halvesOf(this.#closed)];
    for (let service = 0; service < this.#services.length / 2; service++) {
      let open = 0;
      const first = service * SERVICE_BACKENDS_MAX;
      for (let backend = first; backend < first + SERVICE_BACKENDS_MAX; backend++) {
        open += ((opened[2 * backend] ?? 0) - (closed[2 * backend] ?? 0)) | 0;
      }
      const wrong = BigInt(open) - (this.#services[2 * service] ?? 0n);
      if (wrong !== 0n) Atomics.add(this.#services, 2 * service, wrong);
    }
  }

  #correctOne(backend: number): void {
    const closedAfter = this.#closed[backend] ?? 0n;
    const corrected = correctedClosed({
      found: BigInt(this.#found.get(backend) ?? 0),
      openedBefore: this.#openedBefore[backend] ?? 0n,
      openedAfter: this.#opened[backend] ?? 0n,
      closedBefore: this.#closedBefore[backend] ?? 0n,
      closedAfter,
    });
    if (corrected !== closedAfter) Atomics.add(this.#closed, backend, BigInt.asUintN(64, corrected - closedAfter));
  }
}

function numbersOf(map: BpfMap): BigUint64Array {
  const memory = map.memory();
  return new BigUint64Array(memory.buffer, memory.byteOffset, map.entriesMax);
}

function halvesOf({ buffer, byteOffset, length }: BigUint64Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, 2 * length);
}

/** Compared by halves: a hundred thousand 64-bit numbers would each become an object. */
function differing(a: BigUint64Array, b: BigUint64Array): readonly number[] {
  const [x, y] = [halvesOf(a), halvesOf(b)];
  const numbers: number[] = [];
  for (let i = 0; i < 2 * a.length; i += 2) if (x[i] !== y[i] || x[i + 1] !== y[i + 1]) numbers.push(i / 2);
  return numbers;
}
