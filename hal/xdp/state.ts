/**
 * struct state, of which every packet reads both words. Core and the sentinel write it, so its words are changed in one
 * piece: a count that is lost would leave processors with a memory of tables that are no more.
 */
import type { BpfObject } from "../contract/bpf.ts";

const GENERATION = 0;
const CAPTURING = 1;

/** What the balancer's processors remember of the tables is old from now on. Of an object "gate" or "balancer". */
export function nextGeneration(object: BpfObject): void {
  Atomics.add(words(object), GENERATION, 1);
}

/** Whether packets go by futago_capture. */
export function setCapturing(object: BpfObject, capturing: boolean): void {
  Atomics.store(words(object), CAPTURING, capturing ? 1 : 0);
}

function words(object: BpfObject): Int32Array {
  const { buffer, byteOffset } = object.map("futago_state").memory();
  return new Int32Array(buffer, byteOffset, 2);
}
