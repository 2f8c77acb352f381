/** What every check of meaning is given: the document, how each box sees it, and where to put problems. */
import type { Box } from "./orders.ts";
import type { Path } from "./path.ts";
import { itemKeys } from "./path.ts";
import type { ProblemCode } from "./problem.ts";
import { isPerBox } from "./resolve.ts";
import type { Resolved } from "./resolved.ts";
import type { Sentence } from "./say.ts";
import type { Document, PerBox } from "./schema.ts";

export interface Cross {
  readonly document: Document;
  /** One for each box of a pair, or one for a box alone. Lists stand in the document's order. */
  readonly views: readonly Resolved[];
  /** The network devices of `devicesBox`; undefined: not known. */
  readonly devices: readonly string[] | undefined;
  readonly devicesBox: Box | undefined;
  /** `what` completes "{path} …". A place has each kind of problem once, also when both boxes see it. */
  readonly tell: Tell;
  readonly warn: Tell;
}

export type Tell = (code: ProblemCode, path: Path, what: string | Sentence, mend: string) => void;

/** Each item of a list with its path. */
export function placed<T>(list: readonly T[] | undefined, path: Path): readonly (readonly [T, Path])[] {
  const keys = itemKeys(list ?? []);
  return (list ?? []).map((item, i) => [item, [...path, keys[i] ?? String(i)]] as const);
}

/** The path of each item of a list by its place; worked out when the first is asked for, in a large document never. */
export function pathsIn(list: readonly unknown[], path: Path): (at: number) => Path {
  let keys: readonly string[] | undefined;
  return (at) => [...path, (keys ??= itemKeys(list))[at] ?? String(at)];
}

/** The path of a value as one box sees it: a value written per box is one key deeper. */
export function pathForBox<T>(value: PerBox<T> | undefined, box: Box | undefined, path: Path): Path {
  return value !== undefined && isPerBox(value) ? [...path, box ?? "a"] : path;
}
