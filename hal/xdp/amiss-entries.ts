/** Finds out what somebody else changed in the balancer's maps behind core's back. Decodes nothing: it may be rubbish. */
import { BPF_DONE, type BpfMap, type BpfObject } from "../contract/bpf.ts";
import type { BalancerEntry } from "../units/balancer.ts";
import { joined, keyOf, MAP_OF, valueOf } from "./write-entries.ts";

/** Maps in which an entry that nobody wrote can stand; of arrays only what a service points to is looked at. */
const KEYED = ["service", "reverse", "access"] as const satisfies readonly BalancerEntry["kind"][];

const SLICE = 1_024;

/** Those of the entries that do not stand in the maps as they are. */
export function amissEntries(object: BpfObject, entries: readonly BalancerEntry[]): readonly BalancerEntry[] {
  return [...Map.groupBy(entries, (entry) => entry.kind)].flatMap(([kind, alike]) => {
    const map = object.map(MAP_OF[kind]);
    const wanted = joined(alike, map.valueBytes, valueOf);
    const { values, outcomes } = map.lookupMany(joined(alike, map.keyBytes, keyOf));
    if (Buffer.compare(values, wanted) === 0 && outcomes.every((outcome) => outcome === BPF_DONE)) return [];
    const at = (i: number) => [i * map.valueBytes, (i + 1) * map.valueBytes] as const;
    return alike.filter(
      (_, i) => outcomes[i] !== BPF_DONE || Buffer.compare(values.subarray(...at(i)), wanted.subarray(...at(i))) !== 0,
    );
  });
}

/**
 * Takes out what stands in the maps beside `expected`, which are all entries, in lists. Returns how many they were; a
 * step is a list or a slice of a map. Whoever carries it out stops when other entries are expected.
 */
export function* removeStrangers(
  object: BpfObject,
  expected: () => Iterable<readonly BalancerEntry[]>,
): Generator<undefined, number> {
  let removed = 0;
  for (const kind of KEYED) {
    const map = object.map(MAP_OF[kind]);
    let standing = 0;
    for (const keys of keysOf(map)) {
      standing += keys.length / map.keyBytes;
      yield undefined;
    }
    let count = 0;
    for (const list of expected()) {
      for (const entry of list) if (entry.kind === kind) count++;
      yield undefined;
    }
    if (standing > count) removed += yield* remove(map, kind, expected());
  }
  return removed;
}

function* remove(
  map: BpfMap,
  kind: BalancerEntry["kind"],
  expected: Iterable<readonly BalancerEntry[]>,
): Generator<undefined, number> {
  const known = new Set<string>();
  for (const list of expected) {
    for (const entry of list) if (entry.kind === kind) known.add(latin1(keyOf(entry)));
    yield undefined;
  }
  let removed = 0;
  for (const keys of keysOf(map)) {
    for (let at = 0; at < keys.length; at += map.keyBytes) {
      const key = keys.subarray(at, at + map.keyBytes);
      if (!known.has(latin1(key)) && map.delete(key)) removed++;
    }
    yield undefined;
  }
  return removed;
}

/** End to end, some at a time. */
function* keysOf(map: BpfMap): Generator<Uint8Array> {
  let slice = map.slice(SLICE);
  for (;;) {
    yield slice.keys;
    if (slice.next === undefined) return;
    slice = map.slice(SLICE, slice.next);
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
