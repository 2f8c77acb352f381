/**
 * Changes one place of a document, named as a person names it: `pools.web.backends.s1.weight`. Document and schema are
 * walked together, so a word that is wrong is told with the one that was probably meant, and keys need quotes only
 * where nothing else tells where they end.
 *
 * Decides nothing about meaning: a document under change may lack what only the next change brings.
 */
import { fillKey, readValue, type ValueReading } from "./edit-value.ts";
import { meantOr } from "./nearest.ts";
import { formatPath, itemKeys, type Path } from "./path.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import { DocumentSchema } from "./schema.ts";
import { checkShape, isObject, own, quoted, type SchemaView } from "./shape.ts";

export type Edit =
  /** `value` is JSON, or a bare word where the schema asks for a text, a number, true or false, or a list of texts. */
  | { readonly kind: "set"; readonly path: string; readonly value: string }
  | { readonly kind: "delete"; readonly path: string };

export type Edited =
  | { readonly ok: true; readonly document: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The document after the change; the one given stays as it is. No text makes it throw. */
export function editDocument(document: unknown, edit: Edit): Edited {
  const paired = typeof document === "object" && document !== null && Object.hasOwn(document, "pair");
  const walk: Walk = { edit, path: [], paired };
  const path = edit.path.trim();
  if (path === "" || path.endsWith(".")) return notAPath(walk);
  const after = visit(walk, schemaView, document, path);
  return after.ok ? { ok: true, document: after.value } : after;
}

interface Walk {
  readonly edit: Edit;
  /** What was walked. */
  readonly path: Path;
  readonly paired: boolean;
}

/** The value afterwards; undefined: it is gone. */
type After = { readonly ok: true; readonly value: unknown } | Refused;
type Refused = { readonly ok: false; readonly problems: readonly Problem[] };

/** TypeBox's types do not show the words of JSON Schema that its values are made of. */
const schemaView = DocumentSchema as unknown as SchemaView;
const problemsShownMax = 20;
const namesShownMax = 12;

/** `rest` is what of the path is still to be walked. */
function visit(walk: Walk, schema: SchemaView, value: unknown, rest: string): After {
  if (rest === "") return arrive(walk, schema, value);
  if (schema.perBox === true) return visitPerBox(walk, schema, value, rest);
  if (schema.by !== undefined) return visitChoice(walk, schema, schema.by, value, rest);
  switch (schema.type) {
    case "object":
      return visitObject(walk, schema, value, rest);
    case "array":
      return visitList(walk, schema, value, rest);
    case "string":
    case "integer":
    case "boolean":
    case undefined:
      break;
  }
  return refuse(walk, "unknownKey", "has nothing below it", `end the path here: ${formatPath(walk.path)}`);
}

function arrive(walk: Walk, schema: SchemaView, value: unknown): After {
  if (walk.edit.kind === "set") return checked(walk, schema, readValue(schema, walk.edit.value, value));
  if (value === undefined) return refuse(walk, "unknownKey", "is not there", "see `show config` for what is");
  return { ok: true, value: undefined };
}

function checked(walk: Walk, schema: SchemaView, reading: ValueReading): After {
  if (!reading.ok) return refuse(walk, "syntax", reading.what, reading.mend);
  const { problems } = checkShape(schema, reading.value, { paired: walk.paired, problemsMax: problemsShownMax });
  if (problems.length === 0) return reading;
  const here = formatPath(walk.path);
  const placed = problems.map((one) => ({ ...one, path: [here, one.path].filter((part) => part !== "").join(".") }));
  return { ok: false, problems: placed };
}

function visitPerBox(walk: Walk, schema: SchemaView, value: unknown, rest: string): After {
  const [plain] = schema.anyOf ?? [];
  if (plain === undefined) throw new Error("a per-box schema holds the plain form");
  const box = /^(a|b)(?:\.|$)/.exec(rest)?.[1];
  const both = isObject(value) ? value : undefined;
  if (box === undefined) {
    if (both === undefined) return visit(walk, plain, value, rest);
    return refuse(walk, "unknownKey", "is written per box", "say which one: end the path with .a or .b");
  }
  const here = { ...walk, path: [...walk.path, box] };
  if (!walk.paired) {
    return refuse(here, "perBoxAlone", "is per box, but the document has no pair", "leave .a and .b away");
  }
  const deeper = rest.slice(2);
  if (deeper === "" && walk.edit.kind === "delete") {
    return refuse(here, "missingKey", "cannot go alone", "set one value for both boxes, or delete both");
  }
  const old = both ?? (value === undefined ? {} : { a: value, b: value });
  const after = visit(here, plain, own(old, box), deeper);
  return after.ok ? { ok: true, value: put(old, box, after.value) } : after;
}

function visitChoice(walk: Walk, schema: SchemaView, by: string, value: unknown, rest: string): After {
  const branches = schema.anyOf ?? [];
  const words = branches.map((branch) => branch.properties?.[by]?.const ?? "");
  const chosen = (word: unknown) => branches[words.indexOf(typeof word === "string" ? word : "")];
  if (rest !== by) {
    const branch = chosen(isObject(value) ? own(value, by) : undefined);
    if (branch !== undefined) return visitObject(walk, branch, value, rest);
    const here = { ...walk, path: [...walk.path, by] };
    return refuse(here, "missingKey", "is missing", `set it first, to one of ${words.join(", ")}`);
  }
  const here = { ...walk, path: [...walk.path, by] };
  if (walk.edit.kind === "delete") return required(here);
  const after = visit(here, { type: "string", enum: words }, undefined, "");
  if (!after.ok) return after;
  // What only the former kind has would be refused with the new one.
  const known = chosen(after.value)?.properties ?? {};
  const kept = Object.entries(isObject(value) ? value : {}).filter(([key]) => Object.hasOwn(known, key));
  return { ok: true, value: put(Object.fromEntries(kept), by, after.value) };
}

function visitObject(walk: Walk, schema: SchemaView, value: unknown, rest: string): After {
  const step = nextKey(rest);
  if (step === undefined) return notAPath(walk);
  if (value !== undefined && !isObject(value)) return wrongKind(walk, "an object");
  const { key } = step;
  const here = { ...walk, path: [...walk.path, key] };
  const property = own(schema.properties ?? {}, key) as SchemaView | undefined;
  if (property === undefined) return strangeKey(here, schema, key);
  const before = value ?? {};
  const after = visit(here, property, own(before, key), step.rest);
  if (!after.ok) return after;
  if (after.value === undefined && schema.required?.includes(key) === true) return required(here);
  return { ok: true, value: put(before, key, after.value) };
}

function visitList(walk: Walk, schema: SchemaView, value: unknown, rest: string): After {
  if (value !== undefined && !Array.isArray(value)) return wrongKind(walk, "a list");
  const list: readonly unknown[] = value ?? [];
  const { items } = schema;
  if (items === undefined) throw new Error("the schema of a list says what is in it");
  const ofTexts = items.type === "string";
  const keys = ofTexts ? list.map(String) : itemKeys(list);
  const step = nextItem(rest, keys, items.properties?.["to"] !== undefined || ofTexts);
  if (step === undefined) return notAPath(walk);
  const here = { ...walk, path: [...walk.path, step.key] };
  const at = keys.indexOf(step.key);
  if (ofTexts && walk.edit.kind === "set") {
    return refuse(
      walk,
      "unknownKey",
      "is a list of texts",
      "set the whole list, with commas between its entries, or add to it with +",
    );
  }
  const isNew = at < 0;
  if (isNew && (step.rest !== "" || walk.edit.kind === "delete")) return noSuchItem(here, walk, step.key, keys);
  const whole = step.rest === "" && walk.edit.kind === "set" ? walk.edit.value : undefined;
  const after = whole !== undefined ? setItem(here, items, step.key, whole) : visit(here, items, list[at], step.rest);
  if (!after.ok) return after;
  if (isNew && /^[0-9]+$/.test(step.key) && Number(step.key) !== list.length) {
    return refuse(here, "unknownName", "leaves a gap", `the next position is ${list.length}`);
  }
  const changed = isNew ? [...list, after.value] : list.with(at, after.value);
  return { ok: true, value: changed.filter((item) => item !== undefined) };
}

/** A whole item, which may leave away what the path says already: its name, or where a route leads to. */
function setItem(walk: Walk, items: SchemaView, key: string, text: string): After {
  const reading = readValue(items, text, undefined);
  if (!reading.ok || !isObject(reading.value)) return checked(walk, items, reading);
  const filled = fillKey(items, key, reading.value);
  const after = checked(walk, items, { ok: true, value: filled });
  const [called = ""] = itemKeys([filled]);
  if (!after.ok || called === key || /^[0-9]+$/.test(key)) return after;
  const what = `is called ${quoted(called)} in the value`;
  return refuse(
    walk,
    "malformed",
    what,
    `write the same in both, or rename it with \`set ${formatPath(walk.path)}.name\``,
  );
}

function noSuchItem(here: Walk, list: Walk, key: string, keys: readonly string[]): Refused {
  const more = keys.length > namesShownMax ? `, and ${keys.length - namesShownMax} more` : "";
  const known = keys.length === 0 ? "there is none yet" : `there are ${keys.slice(0, namesShownMax).join(", ")}${more}`;
  const mend = meantOr(key, keys, known);
  if (list.edit.kind === "delete") return refuse(here, "unknownName", "is not there", mend);
  const whole = `a new one is set as a whole first: \`set ${formatPath(here.path)} '{…}'\``;
  return refuse(here, "unknownName", "is not there", `${mend}; ${whole}`);
}

function strangeKey(walk: Walk, schema: SchemaView, key: string): Refused {
  if (schema.notBuilt?.includes(key) === true) return refuse(walk, "notBuilt", "is not built yet", "leave it away");
  const known = Object.keys(schema.properties ?? {});
  return refuse(
    walk,
    "unknownKey",
    "is no key that is known here",
    meantOr(key, known, `known are ${known.join(", ")}`),
  );
}

interface Next {
  readonly key: string;
  readonly rest: string;
}

/** The next key: in quotes, or up to the next dot. */
function nextKey(rest: string): Next | undefined {
  const match = /^(?:("(?:[^"\\]|\\.)*")|([^."]+))(?:\.(?=.)|$)/.exec(rest);
  if (match === null) return undefined;
  const [whole, inQuotes, plain] = match;
  const key = inQuotes === undefined ? plain : unquoted(inQuotes);
  return key === undefined ? undefined : { key, rest: rest.slice(whole.length) };
}

/**
 * The next item's key. A shell takes quotes away, so that a key with dots may come without them: it is known from the
 * list, or, where such keys are usual, what is left is all of it.
 */
function nextItem(rest: string, keys: readonly string[], dotted: boolean): Next | undefined {
  if (rest.startsWith('"')) return nextKey(rest);
  const known = keys.filter((key) => key !== "" && (rest === key || rest.startsWith(`${key}.`)));
  const [key] = known.sort((a, b) => b.length - a.length);
  if (key !== undefined) return { key, rest: rest.slice(key.length + 1) };
  return dotted ? { key: rest, rest: "" } : nextKey(rest);
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    // An escape that JSON does not have: no key.
    return undefined;
  }
}

function notAPath(walk: Walk): Refused {
  const mend =
    'write keys with dots between them, such as pools.web.backends.s1.weight, and odd ones in quotes: routes."10.9.0.0/16".via';
  const problem: Problem = { path: "", what: `${quoted(walk.edit.path)} is no path`, mend, code: "malformed" };
  return { ok: false, problems: [problem] };
}

function wrongKind(walk: Walk, wanted: string): Refused {
  return refuse(walk, "wrongType", `is not ${wanted}`, "set it as a whole");
}

function required(walk: Walk): Refused {
  return refuse(walk, "missingKey", "must be there", "set another value, or delete what it belongs to");
}

function refuse(walk: Walk, code: ProblemCode, what: string, mend: string): Refused {
  const path = walk.path.map((key) => (key.length > 64 ? `${key.slice(0, 64)}…` : key));
  return { ok: false, problems: [{ path: formatPath(path), what, mend, code }] };
}

/** The object with the key set, at its place when it was there; undefined takes it away. */
function put(object: object, key: string, value: unknown): object {
  const entries = new Map<string, unknown>(Object.entries(object));
  if (value === undefined) entries.delete(key);
  else entries.set(key, value);
  return Object.fromEntries(entries);
}
