/** Takes what the balancer remembers of flows from one set of tables to another of other sizes. */
import type { BpfCursor, BpfObject } from "@futago/hal/contract/bpf.ts";

const LEARNED = ["established", "returns", "udp_flows", "half_open", "half_returns"] as const;
const SLICE = 4_096;

/** What is there already stays, so that a second call brings only what came since. What finds no room is lost. */
export function moveFlows(from: BpfObject, to: BpfObject): void {
  for (const name of LEARNED) {
    // Of the same size it is the same table.
    if (from.map(name).entriesMax === to.map(name).entriesMax) continue;
    let cursor: BpfCursor | undefined;
    do {
      const { keys, values, next } = from.map(name).slice(SLICE, cursor);
      if (keys.length > 0) to.map(name).insertMany(keys, values);
      cursor = next;
    } while (cursor !== undefined);
  }
}
