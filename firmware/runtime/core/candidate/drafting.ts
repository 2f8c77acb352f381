/**
 * What is done with candidates: text in, text and changes out. A large document takes most of a second, in which checks
 * would time out and answers wait, so it is worked on in a thread of its own.
 */
import { Worker } from "node:worker_threads";
import { canonicalJson } from "../../../config/canonical.ts";
import { type Change, diff, formatChange } from "../../../config/diff.ts";
import { readDocument } from "../../../config/document-text.ts";
import { type Edit, editDocument } from "../../../config/edit.ts";
import { documentBytesMax } from "../../../config/limits.ts";
import { merge } from "../../../config/merge.ts";
import { formatPath } from "../../../config/path.ts";
import type { Problem } from "../../../config/problem.ts";
import type { ChangeShown } from "../../control-configuration.ts";

/** Texts are canonical JSON but where somebody wrote them. */
export type Draft =
  /** One place of `text` changes. */
  | { readonly kind: "change"; readonly text: string; readonly edit: Edit }
  /** Somebody made `written` of `was`, while the candidate may have become `text`. */
  | { readonly kind: "replace"; readonly text: string; readonly was: string; readonly written: string }
  | { readonly kind: "compare"; readonly from: string; readonly text: string }
  /** `text` was made from `base`, which has become `head`. */
  | { readonly kind: "join"; readonly base: string; readonly text: string; readonly head: string };

export type Drafted =
  | {
      readonly kind: "done";
      readonly text: string;
      /** From the text before; of "join" what is left over the head. */
      readonly changes: readonly ChangeShown[];
    }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] }
  /** Places that two people changed. */
  | { readonly kind: "conflicts"; readonly conflicts: readonly string[] };

/** Worked on within milliseconds; a thread takes longer to start. */
const SMALL_CHARACTERS = 128 << 10;

/** As {@link draft}, without holding up whoever waits. */
export async function draftAside(order: Draft): Promise<Drafted> {
  const characters = Object.values(order).reduce(
    (sum, value) => sum + (typeof value === "string" ? value.length : 0),
    0,
  );
  if (characters <= SMALL_CHARACTERS) return draft(order);
  // Bundled for the image this file is JavaScript, and so is its worker.
  const file = import.meta.url.endsWith(".ts") ? "./draft-worker.ts" : "./draft-worker.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: order, execArgv: [] });
  try {
    return await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the thread that drafts ended with ${code}`)));
    });
  } finally {
    void worker.terminate();
  }
}

export function draft(order: Draft): Drafted {
  switch (order.kind) {
    case "change": {
      const before: unknown = JSON.parse(order.text);
      const edited = editDocument(before, order.edit);
      return edited.ok ? done(before, edited.document) : { kind: "problems", problems: edited.problems };
    }
    case "replace":
      return replace(order);
    case "compare":
      return done(JSON.parse(order.from), JSON.parse(order.text));
    case "join": {
      const head: unknown = JSON.parse(order.head);
      const merged = merge(JSON.parse(order.base), JSON.parse(order.text), head);
      return merged.ok ? done(head, merged.document) : { kind: "conflicts", conflicts: merged.conflicts };
    }
  }
}

function replace({ text, was, written }: Extract<Draft, { kind: "replace" }>): Drafted {
  const [then, now] = [readDocument(was), readDocument(written)];
  if (!then.ok) return { kind: "problems", problems: [then.problem] };
  if (!now.ok) return { kind: "problems", problems: [now.problem] };
  const present: unknown = JSON.parse(text);
  // Nobody else was there: the order of keys stays as it was written, too.
  if (canonicalJson(then.value) === text) return done(present, now.value);
  const merged = merge(then.value, now.value, present);
  return merged.ok ? done(present, merged.document) : { kind: "conflicts", conflicts: merged.conflicts };
}

function done(before: unknown, after: unknown): Drafted {
  const text = canonicalJson(after);
  if (text.length > documentBytesMax) {
    const what = `would have ${text.length} characters, at most ${documentBytesMax} are possible`;
    return { kind: "problems", problems: [{ path: "", what, mend: "make it smaller", code: "tooLarge" }] };
  }
  return { kind: "done", text, changes: diff(before, after).map(shown) };
}

function shown(change: Change): ChangeShown {
  const told = { kind: change.kind, path: formatPath(change.path), text: formatChange(change) };
  switch (change.kind) {
    case "set":
      return { ...told, ...(change.before === undefined ? {} : { before: change.before }), after: change.after };
    case "remove":
      return { ...told, before: change.before };
    case "order":
      return { ...told, after: change.keys };
  }
}
