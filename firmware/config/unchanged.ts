/**
 * Keeps the objects of the former configuration where the new one says the same: who compares them by identity then
 * finds at once what changed, and a large configuration is not held twice. Pure.
 */
import type { Resolved, ResolvedPool, ResolvedService } from "./resolved.ts";

export function keepUnchanged<T extends ResolvedPool | ResolvedService>(
  all: readonly T[],
  former: ReadonlyMap<string, T>,
): readonly T[] {
  return all.map((one) => {
    const before = former.get(one.name);
    return before !== undefined && isSame(before, one) ? before : one;
  });
}

/** The pools that are to be looked at anew: those that changed, and all of them where anything but pools did. */
export function changedPools(config: Resolved, former: Resolved | undefined): readonly ResolvedPool[] {
  if (former === undefined || !isSame({ ...config, pools: [] }, { ...former, pools: [] })) return config.pools;
  const before = new Set(former.pools);
  return config.pools.filter((pool) => !before.has(pool));
}

/** Of values as JSON knows them, and undefined. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return isSameList(a, b);
  const keys = Object.keys(a) as (keyof typeof a)[];
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

function isSameList(a: object, b: object): boolean {
  return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => isSame(one, b[i]));
}
