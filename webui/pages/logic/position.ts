/** Places of a document by the names of their items, whatever their positions are just now. */
import { formatPath, itemKeys } from "@futago/firmware/config/path.ts";
import { isTree } from "./document.ts";

/** Stands for an item that is not there yet. */
export const newItem = "+";
export type Names = readonly string[];

/** Undefined: somebody took it away. */
export function positionOf(document: unknown, names: Names): readonly (string | number)[] | undefined {
  const keys: (string | number)[] = [];
  let here = document;
  for (const name of names) {
    if (Array.isArray(here) || (here === undefined && name === newItem)) {
      const list = Array.isArray(here) ? here : [];
      const index = name === newItem ? list.length : itemKeys(list).indexOf(name);
      if (index < 0) return undefined;
      keys.push(index);
      here = list[index];
    } else {
      keys.push(name);
      here = isTree(here) ? here[name] : undefined;
    }
  }
  return keys;
}

/** As the box names the place in its refusals. */
export function pathOfPosition(document: unknown, keys: readonly (string | number)[]): string {
  const path: string[] = [];
  let here = document;
  for (const key of keys) {
    if (Array.isArray(here)) {
      path.push(itemKeys(here)[Number(key)] ?? String(key));
      here = here[Number(key)];
    } else {
      path.push(String(key));
      here = isTree(here) ? here[key] : undefined;
    }
  }
  return formatPath(path);
}

export function below(path: string, key: string): string {
  const part = formatPath([key]);
  return path === "" ? part : `${path}.${part}`;
}

export function itemsBelow(path: string, list: readonly unknown[]): readonly string[] {
  return itemKeys(list).map((key) => below(path, key));
}
