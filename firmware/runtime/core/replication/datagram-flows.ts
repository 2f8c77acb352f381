/**
 * The flows of UDP in the kernel's table as replication reads and writes them. Only those that go on: a question and its
 * answer are over before anybody could be told of them. The table forgets by itself, so nobody says when one ends.
 */
import { BPF_DONE, BPF_EXISTS, type BpfCursor, type BpfMap, type BpfObject } from "@futago/hal/contract/bpf.ts";
import { viewOf } from "@futago/hal/units/flow-record.ts";
import {
  FLOW_KEY_BYTES,
  type FlowEntries,
  FlowValues,
  recordsOfEntries,
  ReturnEntries,
} from "@futago/hal/xdp/flow-records.ts";
import type { FlowPlace } from "../../../replication/directory.ts";

/** A packet that comes so long after the first one of its flow, or later, shows that it goes on. */
const GOES_ON_NANOS = 1e9;

export interface DatagramFlowsOptions {
  readonly object: BpfObject;
  /** CLOCK_BOOTTIME. */
  readonly nowNanos: () => number;
  /** Whether the flow whose key stands there is of an address that this box holds. */
  readonly isOwn: (view: DataView, keyAt: number) => boolean;
  readonly count: (refusal: "ownAddress" | "tableFull") => void;
}

export class DatagramFlows {
  readonly #options: DatagramFlowsOptions;
  readonly #flows: BpfMap;
  readonly #returns: BpfMap;

  constructor(options: DatagramFlowsOptions) {
    this.#options = options;
    this.#flows = options.object.map("udp_flows");
    this.#returns = options.object.map("half_returns");
  }

  /** Of one slice of the table, this box's flows that go on and were used since then, as far as clocks are exact. */
  slice(count: number, from: BpfCursor | undefined, sinceNanos: number): Slice {
    const { nowNanos, isOwn } = this.#options;
    const { keys, values, next } = this.#flows.slice(count, from);
    const read = new FlowValues(values);
    const isTold = (view: DataView, at: number) => {
      const i = at / FLOW_KEY_BYTES;
      const seen = read.seenNanos(i);
      return seen >= sinceNanos && seen - read.beganNanos(i) >= GOES_ON_NANOS && isOwn(view, at);
    };
    return { records: recordsOfEntries(keys, values, nowNanos(), isTold), next };
  }

  /** Puts them into the table, with the ways back where the VIP has a port for them; `overwrites` what stands there, or leaves it. */
  write(entries: FlowEntries, places: readonly FlowPlace[], overwrites: boolean): void {
    const { keys, values } = entries;
    const twins = new ReturnEntries(places.length);
    const read = new FlowValues(values);
    places.forEach(({ service }, i) => {
      if (read.vipSourcePort(i) !== 0) twins.add(viewOf(keys), viewOf(values), i, service);
    });
    // A port that went to another client meanwhile stays his: the flow then gets another one with its next packet.
    if (twins.count > 0) this.#returns.insertMany(twins.keys, twins.values);
    const outcomes = overwrites ? this.#flows.updateMany(keys, values) : this.#flows.insertMany(keys, values);
    for (const outcome of outcomes) {
      if (outcome !== BPF_DONE) this.#options.count(outcome === BPF_EXISTS ? "ownAddress" : "tableFull");
    }
  }
}

export interface Slice {
  readonly records: Uint8Array;
  readonly next: BpfCursor | undefined;
}
