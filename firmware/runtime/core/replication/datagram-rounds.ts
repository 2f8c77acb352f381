/**
 * Tells the peer of the flows of UDP that go on: by a round through the table every few seconds, at a steady pace, so
 * that no flood of datagrams makes it more work. What was told before is told again while it is used: it keeps its age.
 */
import type { BpfCursor } from "@futago/hal/contract/bpf.ts";
import type { DatagramFlows } from "./datagram-flows.ts";

const REST_MILLIS = 5_000;
/** Entries of one slice, some milliseconds of work, and the time between two. */
const SLICE = 1_000;
const SLICE_MILLIS = 50;
/** A flow's time is a second coarse. */
const SLACK_NANOS = 2e9;

export interface DatagramRoundsOptions {
  readonly flows: DatagramFlows;
  /** CLOCK_BOOTTIME. */
  readonly nowNanos: () => number;
  /** Whether there is somebody to tell, who keeps up. A round that finds it is not so is made anew. */
  readonly mayTell: () => boolean;
  readonly tell: (records: Uint8Array) => void;
}

export class DatagramRounds {
  readonly #options: DatagramRoundsOptions;
  #timer: NodeJS.Timeout | undefined;
  /** What was used before it is told. */
  #since = 0;
  #began = 0;
  #cursor: BpfCursor | undefined;

  constructor(options: DatagramRoundsOptions) {
    this.#options = options;
    this.#rest();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #rest(): void {
    this.#timer = setTimeout(() => {
      this.#began = this.#options.nowNanos();
      this.#cursor = undefined;
      this.#goOn();
    }, REST_MILLIS);
  }

  #goOn(): void {
    const { flows, mayTell, tell } = this.#options;
    if (!mayTell()) return this.#rest();
    const { records, next } = flows.slice(SLICE, this.#cursor, this.#since);
    if (records.length > 0) tell(records);
    this.#cursor = next;
    if (next !== undefined) {
      this.#timer = setTimeout(() => this.#goOn(), SLICE_MILLIS);
      return;
    }
    this.#since = this.#began - SLACK_NANOS;
    this.#rest();
  }
}
