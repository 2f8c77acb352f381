/**
 * Checks a value against the schema and tells every problem by name, with the way to mend it. What is left after
 * dropping the bad parts is handed on, so that the checks of meaning find their problems in the same round.
 *
 * Decides nothing about meaning: whether a name refers to something is checked in `check-*.ts`.
 */
import { formats, type TextFormat } from "./formats.ts";
import { meantOr } from "./nearest.ts";
import { formatPath, itemKeys } from "./path.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import { type Sentence, say, sentence } from "./say.ts";

/** The JSON Schema words that `schema.ts` uses, and our own: perBox, by, notBuilt. */
export interface SchemaView {
  readonly type?: "object" | "array" | "string" | "integer" | "boolean";
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaView>>;
  readonly required?: readonly string[];
  readonly items?: SchemaView;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly format?: keyof typeof formats;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly SchemaView[];
  /** The value may be written {"a": …, "b": …}; anyOf[0] is the plain form. */
  readonly perBox?: boolean;
  /** The key whose word chooses among anyOf. */
  readonly by?: string;
  /** Keys or words of the design whose feature is missing. */
  readonly notBuilt?: readonly string[];
}

export interface Shape {
  readonly problems: readonly Problem[];
  /** The value without its bad parts; undefined when something indispensable is bad. */
  readonly salvage: unknown;
}

export interface ShapeContext {
  /** The document has `pair`, so values per box have a meaning. */
  readonly paired: boolean;
  /** Problems told at most; the walk ends there. */
  readonly problemsMax: number;
}

export function checkShape(schema: SchemaView, value: unknown, context: ShapeContext): Shape {
  const walk: Walk = { problems: [], context };
  const salvage = visit(walk, schema, value, []);
  return { problems: walk.problems, salvage };
}

interface Walk {
  readonly problems: Problem[];
  readonly context: ShapeContext;
}

/** Where the walk is; one list for all of it, because a large document has a million places and few problems. */
type Place = Step[];

/** A key, or an item whose key is worked out when somebody asks. */
type Step = string | { readonly list: readonly unknown[]; readonly at: number };

function formatPlace(place: Place): string {
  return formatPath(place.map((step) => (typeof step === "string" ? step : (itemKeys(step.list)[step.at] ?? ""))));
}

function tell(walk: Walk, code: ProblemCode, path: Place, what: string | Sentence, mend: string): undefined {
  const { text, parameters } = sentence(what);
  if (walk.problems.length < walk.context.problemsMax)
    walk.problems.push({ path: formatPlace(path), what: text, mend, code, parameters });
  return undefined;
}

/** What is left of `value`, or undefined when it cannot stand. */
function visit(walk: Walk, schema: SchemaView, value: unknown, path: Place): unknown {
  if (walk.problems.length >= walk.context.problemsMax) return undefined;
  if (schema.perBox === true) return visitPerBox(walk, schema, value, path);
  if (schema.by !== undefined) return visitChoice(walk, schema, schema.by, value, path);
  if (schema.type !== "object" && isPerBoxValue(value)) {
    return tell(
      walk,
      "perBoxNotHere",
      path,
      "is written per box, but both boxes share this value",
      "write one value for both boxes",
    );
  }
  switch (schema.type) {
    case "object":
      return visitObject(walk, schema, value, path);
    case "array":
      return visitList(walk, schema, value, path);
    case "string":
      return visitText(walk, schema, value, path);
    case "integer":
      return visitInteger(walk, schema, value, path);
    case "boolean":
      if (typeof value === "boolean") return value;
      return tell(
        walk,
        "wrongType",
        path,
        say`is ${{ value: kindOf(value) }}, not ${{ wanted: "true or false" }}`,
        "write true or false, without quotes",
      );
    case undefined:
      break;
  }
  throw new Error(`the schema at ${formatPlace(path)} has no type`);
}

function visitPerBox(walk: Walk, schema: SchemaView, value: unknown, path: Place): unknown {
  const [plain, both] = schema.anyOf ?? [];
  if (plain === undefined || both === undefined)
    throw new Error("a per-box schema holds the plain form and the form per box");
  if (!isPerBoxValue(value)) return visit(walk, plain, value, path);
  if (!walk.context.paired) {
    tell(
      walk,
      "perBoxAlone",
      path,
      "is written per box, but the document has no pair",
      'write one value, or add "pair": {}',
    );
  }
  return visitObject(walk, both, value, path);
}

/** An object whose keys are "a", "b" or both. */
function isPerBoxValue(value: unknown): value is object {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => key === "a" || key === "b");
}

function visitChoice(walk: Walk, schema: SchemaView, by: string, value: unknown, path: Place): unknown {
  if (!isObject(value)) return wrongType(walk, path, value, "an object in braces");
  const branches = schema.anyOf ?? [];
  const words = branches.map((branch) => branch.properties?.[by]?.const ?? "");
  const word = own(value, by);
  if (word === undefined) {
    return tell(walk, "missingKey", [...path, by], "is missing", `write one of ${quotedList(words)}`);
  }
  const checked = visitWord(walk, { enum: words, notBuilt: schema.notBuilt ?? [] }, word, [...path, by]);
  const branch = branches[words.indexOf(typeof checked === "string" ? checked : "")];
  return branch === undefined ? undefined : visitObject(walk, branch, value, path);
}

function visitObject(walk: Walk, schema: SchemaView, value: unknown, path: Place): unknown {
  if (!isObject(value)) return wrongType(walk, path, value, "an object in braces");
  const properties = schema.properties ?? {};
  let changed: Map<string, unknown> | undefined;
  let stands = true;
  for (const key of Object.keys(value)) {
    const property = own(properties, key) as SchemaView | undefined;
    const given = own(value, key);
    path.push(key);
    const kept =
      property === undefined
        ? strangeKey(walk, schema, key, path)
        : (property.const ?? visit(walk, property, given, path));
    path.pop();
    if (kept === undefined && schema.required?.includes(key) === true) stands = false;
    if (kept !== given || kept === undefined) (changed ??= new Map()).set(key, kept);
  }
  for (const key of schema.required ?? []) {
    if (Object.hasOwn(value, key)) continue;
    stands = false;
    tell(walk, "missingKey", [...path, key], "is missing", `add "${key}"${meaning(properties[key])}`);
  }
  return stands ? without(value, changed) : undefined;
}

/** The value itself where nothing of it changed. */
function without(value: object, changed: ReadonlyMap<string, unknown> | undefined): object {
  if (changed === undefined) return value;
  const kept = Object.entries(value).map(([key, item]) => [key, changed.has(key) ? changed.get(key) : item]);
  return Object.fromEntries(kept.filter(([, item]) => item !== undefined)) as object;
}

/** `path` ends with the key. */
function strangeKey(walk: Walk, schema: SchemaView, key: string, path: Place): undefined {
  const here = [...path.slice(0, -1), key.length > 64 ? `${key.slice(0, 64)}…` : key];
  if (schema.notBuilt?.includes(key) === true) return tell(walk, "notBuilt", here, "is not built yet", "remove it");
  const known = Object.keys(schema.properties ?? {});
  return tell(
    walk,
    "unknownKey",
    here,
    "is no key that is known here",
    meantOr(key, known, `remove it; known here are ${known.join(", ")}`),
  );
}

function visitList(walk: Walk, schema: SchemaView, value: unknown, path: Place): unknown {
  if (!Array.isArray(value)) return wrongType(walk, path, value, "a list in square brackets");
  const most = schema.maxItems ?? Number.MAX_SAFE_INTEGER;
  const least = schema.minItems ?? 0;
  if (value.length > most) {
    return tell(
      walk,
      "wrongCount",
      path,
      say`has ${{ count: value.length }} entries, at most ${{ most }} are possible`,
      "remove some",
    );
  }
  if (value.length < least) {
    return tell(walk, "wrongCount", path, "is empty", `add at least one entry${meaning(schema.items)}`);
  }
  const { items } = schema;
  if (items === undefined) throw new Error(`the schema at ${formatPlace(path)} has no items`);
  const list: readonly unknown[] = value;
  const kept = list.map((item, at) => {
    path.push({ list, at });
    const left = visit(walk, items, item, path);
    path.pop();
    return left;
  });
  return kept.every((item, at) => item === list[at]) ? value : kept.filter((item) => item !== undefined);
}

function visitText(walk: Walk, schema: SchemaView, value: unknown, path: Place): unknown {
  if (schema.enum !== undefined)
    return visitWord(walk, { enum: schema.enum, notBuilt: schema.notBuilt ?? [] }, value, path);
  if (typeof value !== "string") return wrongType(walk, path, value, "a text in double quotes");
  const most = schema.maxLength ?? 255;
  if (value.length > most) {
    return tell(
      walk,
      "wrongCount",
      path,
      say`has ${{ length: value.length }} characters, at most ${{ most }} are possible`,
      "shorten it",
    );
  }
  const format: TextFormat | undefined = schema.format === undefined ? undefined : formats[schema.format];
  if (format === undefined || format.accepts(value)) return value;
  return tell(walk, "malformed", path, say`is ${{ value: quoted(value) }}`, `write ${format.expected}`);
}

function visitWord(
  walk: Walk,
  schema: { readonly enum: readonly string[]; readonly notBuilt: readonly string[] },
  value: unknown,
  path: Place,
): unknown {
  if (typeof value !== "string") return wrongType(walk, path, value, `one of ${quotedList(schema.enum)}`);
  if (schema.enum.includes(value)) return value;
  const instead = `write ${schema.enum.length === 1 ? "" : "one of "}${quotedList(schema.enum)}`;
  if (schema.notBuilt.includes(value))
    return tell(walk, "notBuilt", path, say`is ${{ value: quoted(value) }}, which is not built yet`, instead);
  return tell(walk, "wrongWord", path, say`is ${{ value: quoted(value) }}`, meantOr(value, schema.enum, instead));
}

function visitInteger(walk: Walk, schema: SchemaView, value: unknown, path: Place): unknown {
  const least = schema.minimum ?? Number.MIN_SAFE_INTEGER;
  const most = schema.maximum ?? Number.MAX_SAFE_INTEGER;
  const range = `a whole number from ${least} to ${most}`;
  if (typeof value === "string" && /^-?[0-9]{1,12}$/.test(value)) {
    return tell(
      walk,
      "wrongType",
      path,
      say`is the text ${{ value: quoted(value) }}, not ${{ wanted: "a number" }}`,
      `write ${Number(value)} without quotes`,
    );
  }
  if (typeof value !== "number") return wrongType(walk, path, value, range);
  if (!Number.isInteger(value) || value < least || value > most) {
    return tell(
      walk,
      "outOfRange",
      path,
      { ...say`is ${{ value }}`, parameters: { value, least, most } },
      `write ${range}`,
    );
  }
  const step = schema.multipleOf ?? 1;
  if (value % step === 0) return value;
  return tell(
    walk,
    "outOfRange",
    path,
    say`is ${{ value }}, not a multiple of ${{ step }}`,
    `write ${Math.round(value / step) * step}`,
  );
}

function wrongType(walk: Walk, path: Place, value: unknown, wanted: string): undefined {
  return tell(walk, "wrongType", path, say`is ${{ value: kindOf(value) }}, not ${{ wanted }}`, `write ${wanted}`);
}

function meaning(schema: SchemaView | undefined): string {
  const text = schema?.description ?? schema?.anyOf?.[0]?.description;
  return text === undefined ? "" : `: ${text.replaceAll("`", "").replace(/\.$/, "")}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return `the text ${quoted(value)}`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return `the word ${value}`;
  return typeof value === "object" ? "an object" : "no JSON value";
}

/** The text in double quotes, shortened, with anything odd escaped, so that it may go to a terminal. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function quotedList(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(", ");
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Not what every object has from its prototype. */
export function own(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (Reflect.get(value, key) as unknown) : undefined;
}
