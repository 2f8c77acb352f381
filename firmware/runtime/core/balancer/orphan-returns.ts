/**
 * Takes out of `returns`, by which a backend's packet finds its client in `one-arm`, what has lost its twin in
 * `established`. The balancer writes one after the other: what lacks its twin goes only when it lacked it before.
 */
import { BPF_DONE, type BpfObject, type BpfSlice } from "@futago/hal/contract/bpf.ts";
import { toHex } from "@futago/hal/units/bytes.ts";
import { FLOW_KEY_BYTES, FlowValues, RETURN_BYTES } from "@futago/hal/xdp/flow-records.ts";
import { portAt } from "@futago/hal/xdp/layout.ts";
import { type SliceSize, walkFlows } from "./flow-walk.ts";

const VIP_AT = 16;
const PORTS_AT = 32;
const PROTOCOL_AT = 36;

export class OrphanReturns {
  #suspects: ReadonlySet<string> = new Set();

  /** Resolves with how many went. */
  async collect(object: BpfObject, size: SliceSize, isCancelled: () => boolean): Promise<number> {
    const suspects = new Set<string>();
    let removed = 0;
    const map = object.map("returns");
    await walkFlows(map, size, isCancelled, (slice) => {
      for (const key of orphansIn(object, slice)) {
        const name = toHex(key);
        if (!this.#suspects.has(name)) suspects.add(name);
        else if (map.delete(key)) removed++;
      }
    });
    this.#suspects = suspects;
    return removed;
  }
}

/** The keys of those whose flow is not there, or speaks by another port of the VIP. */
function orphansIn(object: BpfObject, { keys, values }: BpfSlice): readonly Uint8Array[] {
  const count = values.length / RETURN_BYTES;
  const flowKeys = new Uint8Array(count * FLOW_KEY_BYTES);
  for (let i = 0; i < count; i++) {
    const [at, from] = [i * FLOW_KEY_BYTES, i * RETURN_BYTES];
    flowKeys.set(values.subarray(from, from + 16), at);
    flowKeys.set(keys.subarray(at + VIP_AT, at + PORTS_AT), at + VIP_AT);
    flowKeys.set(values.subarray(from + 16, from + 20), at + PORTS_AT);
    flowKeys.set(keys.subarray(at + PROTOCOL_AT, at + FLOW_KEY_BYTES), at + PROTOCOL_AT);
  }
  const flows = object.map("established").lookupMany(flowKeys);
  const twins = new FlowValues(flows.values);
  return Array.from({ length: count }, (_, i) => i)
    .filter((i) => flows.outcomes[i] !== BPF_DONE || twins.vipSourcePort(i) !== portAt(keys, i * FLOW_KEY_BYTES + 34))
    .map((i) => keys.slice(i * FLOW_KEY_BYTES, (i + 1) * FLOW_KEY_BYTES));
}
