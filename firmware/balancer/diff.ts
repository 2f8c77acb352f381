/**
 * What to write so that the tables hold what they should: nothing that is right already, and in an order in which
 * every packet on the way meets tables that make sense. Decides nothing about the entries themselves.
 */
import { equalBytes } from "@futago/hal/units/bytes.ts";
import type { BackendEntry, BalancerEntry, BalancerWrite, RingEntry } from "@futago/hal/units/balancer.ts";
import { endpointKey } from "./service.ts";

/** The writes that turn `standing` into `desired`. */
export function diffEntries(
  standing: readonly BalancerEntry[],
  desired: readonly BalancerEntry[],
): readonly BalancerWrite[] {
  const before = new Map(standing.map((entry) => [entryKey(entry), entry]));
  const after = new Set(desired.map(entryKey));
  const writes: BalancerWrite[] = [];
  for (const entry of desired) {
    const old = before.get(entryKey(entry));
    if (old === undefined || !sameEntry(old, entry)) writes.push({ kind: "put", entry });
  }
  for (const entry of standing) if (!after.has(entryKey(entry))) writes.push({ kind: "remove", entry });
  return writes.sort((a, b) => rank(a, before) - rank(b, before));
}

/** The entries after the writes. */
export function applyWrites(
  standing: readonly BalancerEntry[],
  writes: readonly BalancerWrite[],
): readonly BalancerEntry[] {
  const table = new Map(standing.map((entry) => [entryKey(entry), entry]));
  for (const { kind, entry } of writes) {
    if (kind === "put") table.set(entryKey(entry), entry);
    else table.delete(entryKey(entry));
  }
  return [...table.values()];
}

/** What finds the entry in its table, unique over all tables. */
export function entryKey(entry: BalancerEntry): string {
  switch (entry.kind) {
    case "service":
    case "reverse":
      return `${entry.kind} ${endpointKey(entry.address, entry.port, entry.protocol)}`;
    case "ring":
      return `ring ${entry.index}`;
    case "backend":
      return `backend ${entry.number}`;
  }
}

function sameEntry(a: BalancerEntry, b: BalancerEntry): boolean {
  if (a.kind === "ring" && b.kind === "ring") return sameRing(a, b);
  return JSON.stringify(a, Object.keys(b).sort()) === JSON.stringify(b, Object.keys(b).sort());
}

function sameRing(a: RingEntry, b: RingEntry): boolean {
  if (a.ordinals === b.ordinals) return true;
  return equalBytes(new Uint8Array(a.ordinals.buffer), new Uint8Array(b.ordinals.buffer));
}

/**
 * A service goes before what it points to, and comes after it. A backend is there before a ring names it, and is
 * marked dead only when no ring does.
 */
function rank({ kind, entry }: BalancerWrite, before: ReadonlyMap<string, BalancerEntry>): number {
  if (kind === "remove") return { service: 0, ring: 6, reverse: 7, backend: 8 }[entry.kind];
  if (entry.kind === "backend" && dies(entry, before.get(entryKey(entry)))) return 5;
  return { service: 4, ring: 3, reverse: 2, backend: 1 }[entry.kind];
}

function dies(entry: BackendEntry, old: BalancerEntry | undefined): boolean {
  return !entry.alive && old?.kind === "backend" && old.address === entry.address && old.port === entry.port;
}
