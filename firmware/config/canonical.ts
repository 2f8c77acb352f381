/** The one text that stands for a document: two boxes that hold the same configuration hold the same bytes. */

import { put } from "./json-text.ts";

/**
 * JSON with keys sorted by UTF-16 unit, without white space; keys that are whole numbers, which no document has, come
 * first by their size. The value must be made of JSON's kinds.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

/** The value with its keys in order, itself where they are. JSON.stringify then is twice as fast as a loop over keys. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value);
  if (isFlat(value, keys) && keys.every((key, i) => i === 0 || (keys[i - 1] ?? "") < key)) return value;
  const ordered: Record<string, unknown> = {};
  for (const key of sorted(keys)) put(ordered, key, inOrder(Reflect.get(value, key)));
  return ordered;
}

function isFlat(value: object, keys: readonly string[]): boolean {
  return keys.every((key) => {
    const item: unknown = Reflect.get(value, key);
    return typeof item !== "object" || item === null;
  });
}

/** In place: a large document has a hundred thousand objects of a few keys, for which sort() is slow. */
function sorted(keys: string[]): readonly string[] {
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] ?? "";
    let at = i;
    for (; at > 0 && (keys[at - 1] ?? "") > key; at--) keys[at] = keys[at - 1] ?? "";
    keys[at] = key;
  }
  return keys;
}
