/**
 * Two changes of one document, made by people who did not know of each other, as one: when they touch different
 * places. Where they touch the same place nobody but a person can tell what is right.
 */
import { canonicalJson } from "./canonical.ts";
import { applyDiff, type Change, diff } from "./diff.ts";
import { formatPath, type Path } from "./path.ts";

export type Merged =
  | { readonly ok: true; readonly document: unknown }
  /** The places, as people read them, that both changed. */
  | { readonly ok: false; readonly conflicts: readonly string[] };

/** `theirs` with the changes that led from `base` to `mine`. */
export function merge(base: unknown, mine: unknown, theirs: unknown): Merged {
  const made = new Map(diff(base, theirs).map((change) => [canonicalJson(change), change]));
  // What both changed alike is no quarrel.
  const left = diff(base, mine).filter((change) => !made.delete(canonicalJson(change)));
  const places = new Places(made.values());
  const conflicts = new Set(left.filter((change) => places.quarrel(change)).map((change) => formatPath(place(change))));
  return conflicts.size > 0
    ? { ok: false, conflicts: [...conflicts] }
    : { ok: true, document: applyDiff(left, theirs) };
}

/** The places that changes touch. */
class Places {
  readonly #changed = new Set<string>();
  /** What lies above a place that changed. */
  readonly #above = new Set<string>();
  /** Lists whose items came, went or changed places. */
  readonly #moved = new Set<string>();
  readonly #ordered = new Set<string>();

  constructor(changes: Iterable<Change>) {
    for (const change of changes) {
      const path = place(change);
      const list = listMoved(change);
      if (change.kind === "order") this.#ordered.add(word(path));
      else this.#changed.add(word(path));
      if (list !== undefined) this.#moved.add(word(list));
      for (let length = 0; length < path.length; length++) this.#above.add(word(path.slice(0, length)));
    }
  }

  quarrel(change: Change): boolean {
    const path = place(change);
    for (let length = 0; length <= path.length; length++) {
      if (this.#changed.has(word(path.slice(0, length)))) return true;
    }
    if (change.kind === "order") return this.#moved.has(word(path));
    const list = listMoved(change);
    const unlike = list !== undefined && this.#ordered.has(word(list));
    return unlike || this.#ordered.has(word(path)) || this.#above.has(word(path));
  }
}

/** A position means another item as soon as somebody adds one, so a list of such items is one place. */
function place({ path }: Change): Path {
  const position = path.findIndex((key) => /^[0-9]+$/.test(key));
  return position < 0 ? path : path.slice(0, position);
}

/** The list, or the object, whose items come, go or change places. */
function listMoved(change: Change): Path | undefined {
  if (change.kind === "order") return change.path;
  const moves = change.kind === "remove" || change.before === undefined;
  return moves ? change.path.slice(0, -1) : undefined;
}

function word(path: Path): string {
  return JSON.stringify(path);
}
