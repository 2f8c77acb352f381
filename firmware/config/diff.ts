/**
 * What differs between two documents, by name, and the way back: `applyDiff(diff(a, b), a)` equals b. Lists of
 * objects are compared item by item under the keys of `path.ts`; other lists are values.
 */
import { canonicalJson } from "./canonical.ts";
import { formatPath, itemKeys, type Path } from "./path.ts";

export type Change =
  /** `before` is undefined when the value is new. */
  | { readonly kind: "set"; readonly path: Path; readonly before: unknown; readonly after: unknown }
  | { readonly kind: "remove"; readonly path: Path; readonly before: unknown }
  /** The items of the list at `path` stand in the order of `keys`. */
  | { readonly kind: "order"; readonly path: Path; readonly keys: readonly string[] };

/** The changes that lead from `a` to `b`, both made of JSON's kinds. */
export function diff(a: unknown, b: unknown): readonly Change[] {
  return compare(a, b, []);
}

function compare(a: unknown, b: unknown, path: Path): Change[] {
  if (isObject(a) && isObject(b)) return compareEntries(new Map(Object.entries(a)), new Map(Object.entries(b)), path);
  if (isItemList(a) && isItemList(b)) {
    const before = keyed(a);
    const after = keyed(b);
    const changes = compareEntries(before, after, path);
    const keys = [...after.keys()];
    const left = [...before.keys()].filter((key) => after.has(key));
    const added = keys.filter((key) => !before.has(key));
    if (!sameTexts([...left, ...added], keys)) changes.push({ kind: "order", path, keys });
    return changes;
  }
  return canonicalJson(a) === canonicalJson(b) ? [] : [{ kind: "set", path, before: a, after: b }];
}

function compareEntries(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>, path: Path): Change[] {
  const changes: Change[] = [];
  for (const [key, before] of a) {
    if (!b.has(key)) changes.push({ kind: "remove", path: [...path, key], before });
  }
  for (const [key, after] of b) {
    const here = [...path, key];
    if (a.has(key)) changes.push(...compare(a.get(key), after, here));
    else changes.push({ kind: "set", path: here, before: undefined, after });
  }
  return changes;
}

/** The value after the changes. Changes whose place does not exist in `value` make no difference. */
export function applyDiff(changes: readonly Change[], value: unknown): unknown {
  return applyAt(
    changes.map((change) => ({ change, rest: change.path })),
    value,
  );
}

interface Placed {
  readonly change: Change;
  /** What of the path is still to be walked. */
  readonly rest: Path;
}

function applyAt(placed: readonly Placed[], value: unknown): unknown {
  const whole = placed.find(({ change, rest }) => rest.length === 0 && change.kind === "set");
  if (whole?.change.kind === "set") return whole.change.after;
  if (isObject(value)) return Object.fromEntries(applyEntries(placed, new Map(Object.entries(value))));
  if (!isItemList(value)) return value;
  const items = applyEntries(placed, keyed(value));
  const order = placed.find(({ change, rest }) => rest.length === 0 && change.kind === "order");
  if (order?.change.kind !== "order") return [...items.values()];
  return order.change.keys.filter((key) => items.has(key)).map((key) => items.get(key));
}

function applyEntries(placed: readonly Placed[], entries: Map<string, unknown>): Map<string, unknown> {
  const inside = new Map<string, Placed[]>();
  for (const { change, rest } of placed) {
    const [key, ...deeper] = rest;
    if (key === undefined) continue;
    if (deeper.length === 0 && change.kind === "remove") entries.delete(key);
    else if (deeper.length === 0 && change.kind === "set") entries.set(key, change.after);
    else inside.set(key, [...(inside.get(key) ?? []), { change, rest: deeper }]);
  }
  for (const [key, deeper] of inside) if (entries.has(key)) entries.set(key, applyAt(deeper, entries.get(key)));
  return entries;
}

/** One change as a line for people: "pools.web.backends.s1.weight: 1 → 2". */
export function formatChange(change: Change): string {
  const path = formatPath(change.path);
  switch (change.kind) {
    case "set":
      if (change.before === undefined) return `+ ${path}: ${canonicalJson(change.after)}`;
      return `~ ${path}: ${formatEntries(change.before, change.after) ?? `${canonicalJson(change.before)} → ${canonicalJson(change.after)}`}`;
    case "remove":
      return `- ${path}: ${canonicalJson(change.before)}`;
    case "order":
      return `~ ${path}: order ${change.keys.join(", ")}`;
  }
}

/** Of lists that are too long to be compared by eye, such as `allow`, only what came and what went. */
function formatEntries(before: unknown, after: unknown): string | undefined {
  if (!Array.isArray(before) || !Array.isArray(after) || Math.max(before.length, after.length) <= entriesShownWhole)
    return undefined;
  const old = new Set(before.map(canonicalJson));
  const young = new Set(after.map(canonicalJson));
  const added = [...young].filter((entry) => !old.has(entry));
  const removed = [...old].filter((entry) => !young.has(entry));
  if (added.length === 0 && removed.length === 0) return "the same entries in another order";
  const parts = [["added", added] as const, ["removed", removed] as const];
  return parts.flatMap(([word, entries]) => (entries.length === 0 ? [] : [`${word} ${entries.join(", ")}`])).join("; ");
}

const entriesShownWhole = 4;

function keyed(list: readonly unknown[]): Map<string, unknown> {
  const keys = itemKeys(list);
  return new Map(list.map((item, i) => [keys[i] ?? String(i), item]));
}

function isItemList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.every(isObject);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
