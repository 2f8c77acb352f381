/** Changes of what each processor remembers for itself: who runs the next packet of a test is open. */
import type { BpfMap } from "@futago/hal/contract/bpf.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";

/**
 * Gives all processors what the one with the newest memory has, as `change` leaves it: the newest has the largest
 * `ageOf`. False when none has a memory, which is what 0 says.
 */
export function changeNewest(
  map: BpfMap,
  key: Uint8Array,
  ageOf: (memory: DataView) => bigint,
  change: (memory: DataView) => void,
): boolean {
  const value = map.lookup(key) ?? new Uint8Array(0);
  const each = Array.from({ length: value.length / map.valueBytes }, (_, i) =>
    value.slice(i * map.valueBytes, (i + 1) * map.valueBytes),
  );
  const age = (memory: Uint8Array) => ageOf(new DataView(memory.buffer));
  const newest = each.reduce((one, other) => (age(other) > age(one) ? other : one));
  if (age(newest) === 0n) return false;
  change(new DataView(newest.buffer));
  map.update(key, concatBytes(each.map(() => newest)));
  return true;
}
