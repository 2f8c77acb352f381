/**
 * What to write so that the tables hold what they should: nothing that is right already, and in an order in which
 * every packet on the way meets tables that make sense. Decides nothing about the entries themselves.
 */
import type {
  BackendEntry,
  BalancerEntry,
  BalancerWrite,
  ReverseEntry,
  RingEntry,
  ServiceEntry,
} from "@futago/hal/units/balancer.ts";
import { atOnce } from "@futago/hal/units/steps.ts";
import { endpointKey } from "./service.ts";

/** The writes that turn `standing` into `desired`. */
export function diffEntries(
  standing: readonly BalancerEntry[],
  desired: readonly BalancerEntry[],
): readonly BalancerWrite[] {
  return atOnce(diffInSteps([standing], [desired]));
}

/** As {@link diffEntries}, of entries in lists; a step is a list. */
export function* diffInSteps(
  standing: Iterable<readonly BalancerEntry[]>,
  desired: Iterable<readonly BalancerEntry[]>,
): Generator<undefined, readonly BalancerWrite[]> {
  const before = new Map<string, BalancerEntry>();
  for (const list of standing) {
    for (const entry of list) before.set(entryKey(entry), entry);
    yield undefined;
  }
  const ranks: BalancerWrite[][] = Array.from({ length: RANKS }, () => []);
  for (const list of desired) {
    for (const entry of list) {
      const key = before.size === 0 ? "" : entryKey(entry);
      const old = before.get(key);
      before.delete(key);
      if (old !== undefined && (old === entry || sameEntry(old, entry))) continue;
      ranks[rankOfPut(entry, old)]?.push({ kind: "put", entry });
    }
    yield undefined;
  }
  // What is still there was not asked for.
  for (const entry of before.values()) ranks[REMOVE_RANKS[entry.kind]]?.push({ kind: "remove", entry });
  return ranks.flat();
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
    case "access":
      return `access ${entry.service} ${entry.prefix.address}/${entry.prefix.prefixLength}`;
  }
}

/** Whether two entries of one key are equal. */
export function sameEntry(a: BalancerEntry, b: BalancerEntry): boolean {
  switch (a.kind) {
    case "service":
      return b.kind === a.kind && sameService(a, b);
    case "ring":
      return b.kind === a.kind && sameRing(a, b);
    case "backend":
      return b.kind === a.kind && sameBackend(a, b);
    case "reverse":
      return b.kind === a.kind && sameReverse(a, b);
    case "access":
      return b.kind === a.kind && a.allowed === b.allowed;
  }
}

function sameBackend(a: BackendEntry, b: BackendEntry): boolean {
  return samePlace(a, b) && a.state === b.state && a.subnetBits === b.subnetBits && a.flowsMax === b.flowsMax;
}

function sameService(a: ServiceEntry, b: ServiceEntry): boolean {
  return (
    a.index === b.index &&
    a.seed === b.seed &&
    a.mode === b.mode &&
    a.persistence === b.persistence &&
    a.access === b.access &&
    a.newFlowsPerSecond === b.newFlowsPerSecond &&
    a.flowsMax === b.flowsMax &&
    a.clientFlowsMax === b.clientFlowsMax
  );
}

function sameRing(a: RingEntry, b: RingEntry): boolean {
  if (a.ordinals === b.ordinals) return true;
  for (let slot = 0; slot < a.ordinals.length; slot++) if (a.ordinals[slot] !== b.ordinals[slot]) return false;
  return a.ordinals.length === b.ordinals.length;
}

function samePlace(a: BackendEntry, b: BackendEntry): boolean {
  return a.address === b.address && a.port === b.port;
}

function sameReverse(a: ReverseEntry, b: ReverseEntry): boolean {
  return a.vip === b.vip && a.vipPort === b.vipPort && a.backend === b.backend && a.service === b.service;
}

/*
 * A service goes before what it points to, and comes after it. A backend is there before a ring names it, and stops
 * being alive only when no ring does.
 */
const REMOVE_RANKS = { service: 0, ring: 6, reverse: 7, access: 7, backend: 8 } as const;
const PUT_RANKS = { service: 4, ring: 3, reverse: 2, access: 2, backend: 1 } as const;
const RETIRE_RANK = 5;
const RANKS = 9;

function rankOfPut(entry: BalancerEntry, old: BalancerEntry | undefined): number {
  return entry.kind === "backend" && retires(entry, old) ? RETIRE_RANK : PUT_RANKS[entry.kind];
}

function retires(entry: BackendEntry, old: BalancerEntry | undefined): boolean {
  return entry.state !== "alive" && old?.kind === "backend" && samePlace(entry, old);
}
