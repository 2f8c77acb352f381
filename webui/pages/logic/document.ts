/** Reads and changes a configuration document whose shape nobody has proven yet. */

export type Tree = { readonly [key: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is at `keys`, items of lists by their position; undefined: nothing. */
export function at(value: unknown, keys: readonly (string | number)[]): unknown {
  return keys.reduce<unknown>((here, key) => {
    if (Array.isArray(here)) return here[Number(key)];
    return isTree(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  }, value);
}

/** A new document with `value` at `keys`; undefined takes away, and what is left empty of lists stays. */
export function withAt(document: unknown, keys: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  if (typeof key === "number" || Array.isArray(document)) {
    const list = Array.isArray(document) ? [...document] : [];
    const index = Number(key);
    const after = withAt(list[index], rest, value);
    if (after === undefined) list.splice(index, 1);
    else list[index] = after;
    return list;
  }
  const tree = isTree(document) ? document : {};
  const after = withAt(tree[key], rest, value);
  const { [key]: _, ...others } = tree;
  if (after === undefined) return others;
  return key in tree
    ? Object.fromEntries(Object.entries(tree).map(([k, v]) => [k, k === key ? after : v]))
    : { ...tree, [key]: after };
}

/** The list at a key, or none. */
export function listAt(document: unknown, ...keys: readonly (string | number)[]): readonly Tree[] {
  const found = at(document, keys);
  return Array.isArray(found) ? found.filter(isTree) : [];
}

export function textAt(value: unknown, ...keys: readonly (string | number)[]): string {
  const found = at(value, keys);
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
}

/** One value for both boxes, or one each; undefined where there is none. */
export function forBox(value: unknown, box: string): unknown {
  return isTree(value) && ("a" in value || "b" in value) ? value[box] : value;
}
