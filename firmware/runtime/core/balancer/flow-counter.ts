/** Counts the running flows of each backend, in slices, so that a full table holds nothing else up. */
import type { BpfObject, BpfSlice } from "@futago/hal/contract/bpf.ts";
import type { Clock } from "@futago/hal/contract/machine.ts";
import { FLOW_BYTES, FlowValues } from "@futago/hal/xdp/flow-records.ts";
import { decodeAddress, portAt } from "@futago/hal/xdp/layout.ts";
import { SliceSize, walkFlows } from "./flow-walk.ts";

/** A flow that was silent for longer is not counted as running, although its entry may stand. */
const RUNNING_NANOS = 60e9;
/** Counting reads the whole table: done at most this often, and never for more than a twentieth of the time. */
const REST_MILLIS_MIN = 200;
const REST_SHARE = 20;

const TABLES = ["established", "udp_flows"] as const;
/** struct flow: the backend's address and number before its port. */
const PORT_AT = 20;
const PLACE_BYTES = 22;

export class FlowCounter {
  readonly #clock: Clock;
  readonly #object: () => BpfObject;
  readonly #size = new SliceSize();
  #counts: ReadonlyMap<string, number> = new Map();
  #counting: Promise<void> | undefined;
  #againAt = 0;

  constructor(clock: Clock, object: () => BpfObject) {
    this.#clock = clock;
    this.#object = object;
  }

  /** By the backend's address and port, "10.2.0.11:80", as of the newest count. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Resolves when the counts are fresh. */
  count(): Promise<void> {
    if (performance.now() < this.#againAt) return Promise.resolve();
    this.#counting ??= this.#count().finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  async #count(): Promise<void> {
    const object = this.#object();
    const oldest = this.#clock.now() * 1_000 - RUNNING_NANOS;
    const places = new Map<number, Place[]>();
    const isCancelled = () => this.#object() !== object;
    let cost = 0;
    for (const table of TABLES) {
      const onSlice = (slice: BpfSlice) => {
        const from = performance.now();
        countSlice(slice.values, oldest, places);
        cost += performance.now() - from;
      };
      await walkFlows(object.map(table), this.#size, isCancelled, onSlice, 0);
    }
    this.#counts = byPlace(places);
    this.#againAt = performance.now() + Math.max(REST_MILLIS_MIN, REST_SHARE * cost);
  }
}

/** What a number stood for when the flow was given to it. */
interface Place {
  readonly bytes: Uint8Array;
  flows: number;
}

function countSlice(values: Uint8Array, oldest: number, places: Map<number, Place[]>): void {
  const flows = new FlowValues(values);
  for (let i = 0; i * FLOW_BYTES < values.length; i++) {
    if (flows.seenNanos(i) < oldest) continue;
    const at = i * FLOW_BYTES;
    const known = places.get(flows.backend(i)) ?? [];
    const place = known.find(({ bytes }) => isAt(bytes, values, at));
    if (place !== undefined) {
      place.flows++;
      continue;
    }
    places.set(flows.backend(i), [...known, { bytes: values.slice(at, at + PLACE_BYTES), flows: 1 }]);
  }
}

function isAt(bytes: Uint8Array, values: Uint8Array, at: number): boolean {
  for (let i = 0; i < PLACE_BYTES; i++) if (bytes[i] !== values[at + i]) return false;
  return true;
}

function byPlace(places: ReadonlyMap<number, readonly Place[]>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { bytes, flows } of [...places.values()].flat()) {
    const backend = `${decodeAddress(bytes)}:${portAt(bytes, PORT_AT)}`;
    counts.set(backend, (counts.get(backend) ?? 0) + flows);
  }
  return counts;
}
