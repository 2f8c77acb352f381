/** Reads a table of flows slice by slice, so that a full one holds nothing else up. */
import type { BpfCursor, BpfMap, BpfSlice } from "@futago/hal/contract/bpf.ts";

/** Longer than that no slice shall keep the event loop. */
const SLICE_MILLIS_MAX = 2;
const COUNT_MIN = 64;
const COUNT_MAX = 4_096;
/** Between two slices of what has time, which gives the processor to others. */
export const RESTFUL_MILLIS = 4;

/** How many entries fit into a slice's time, as the last ones took. */
export class SliceSize {
  count = 512;
  /** Spent on slices altogether. */
  millis = 0;

  note(millis: number): void {
    this.millis += millis;
    if (millis > SLICE_MILLIS_MAX * 0.7) this.count = Math.max(COUNT_MIN, this.count >> 1);
    else if (millis < SLICE_MILLIS_MAX * 0.25) this.count = Math.min(COUNT_MAX, this.count << 1);
  }
}

/**
 * Hands every slice of the table to `onSlice`. Resolves when all was read, or `isCancelled` said so between two
 * slices, which are `pauseMillis` apart. What is there all the while is seen once.
 */
export async function walkFlows(
  map: BpfMap,
  size: SliceSize,
  isCancelled: () => boolean,
  onSlice: (slice: BpfSlice) => void,
  pauseMillis: number = RESTFUL_MILLIS,
): Promise<void> {
  let cursor: BpfCursor | undefined;
  do {
    const from = performance.now();
    const slice = map.slice(size.count, cursor);
    onSlice(slice);
    size.note(performance.now() - from);
    cursor = slice.next;
    if (cursor !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMillis));
  } while (cursor !== undefined && !isCancelled());
}
