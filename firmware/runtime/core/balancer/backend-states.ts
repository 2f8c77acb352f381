/** How the backends of some flows stand, as the balancer itself sees it: read from its table. */
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { FLOW_BYTES, type FlowValues } from "@futago/hal/xdp/flow-records.ts";
import { MAPS, numberAt, putNumber, viewOf } from "@futago/hal/xdp/layout.ts";
import { BACKEND_STATES } from "@futago/hal/xdp/layout-entries.ts";
import type { FlowBackend } from "../../../balancer/collect.ts";

const BACKEND_BYTES = MAPS.backends.valueBytes;
const NUMBER_AT = 16;
const STATE_AT = 18;
const DEAD = BACKEND_STATES.indexOf("dead");

export class BackendStates {
  /** Where each number's value stands. */
  readonly #places = new Map<number, number>();
  readonly #values: Uint8Array;
  readonly #view: DataView;

  /** Of the backends that these values of flows name. */
  constructor(object: BpfObject, flows: Uint8Array) {
    for (let at = NUMBER_AT; at < flows.length; at += FLOW_BYTES) {
      const number = numberAt(flows, at);
      if (!this.#places.has(number)) this.#places.set(number, this.#places.size);
    }
    const keys = new Uint8Array(this.#places.size * 4);
    for (const [number, place] of this.#places) putNumber(keys, 4 * place, number);
    // A number beyond the table is answered with zeros: no backend.
    this.#values = object.map("backends").lookupMany(keys).values;
    this.#view = viewOf(this.#values);
  }

  of(flows: FlowValues, i: number): FlowBackend {
    const place = this.#places.get(flows.backend(i)) ?? 0;
    if (!flows.isPlacedAt(i, this.#view, place)) return "gone";
    return this.#values[place * BACKEND_BYTES + STATE_AT] === DEAD ? "dead" : "usable";
  }
}
