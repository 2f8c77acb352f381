/**
 * The commit protocol's messages as the two cores send them: JSON, hostile until each field was checked for type and
 * bound. A revision's id is compared with its content later, by whoever stores it. Pure; the decoder never throws.
 */
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { documentBytesMax } from "../../../config/limits.ts";
import type {
  CommitMessage,
  CommitRefusal,
  Confirmation,
  DocumentSource,
  Outcome,
  Passage,
  Revision,
  RevisionSummary,
  Standing,
  Wish,
} from "../../../pair/commit/types.ts";

export type CommitMessageRefusal = "notAnObject" | "unknownKind" | "unknownField" | "badField";

/** As the store keeps them. */
export const LINEAGE_MAX = 10_000;
/** At once: the newest are wanted most. */
export const WANTED_MAX = 100;
const NAME_LENGTH_MAX = 64;
const SENTENCE_LENGTH_MAX = 4_096;
const WARNINGS_MAX = 10_000;
const PROBLEMS_MAX = 64;
/** A day: longer nobody waits for a confirmation. */
export const CONFIRM_SECONDS_MAX = 86_400;

export function decodeCommitMessage(text: string): Result<CommitMessage, CommitMessageRefusal> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // There is no way to ask first whether a text is JSON.
    return refuse("notAnObject");
  }
  if (!isObject(value)) return refuse("notAnObject");
  const kind = value["kind"];
  if (typeof kind !== "string" || !Object.hasOwn(SHAPES, kind)) return refuse("unknownKind");
  const shape = SHAPES[kind as CommitMessage["kind"]];
  if (!Object.keys(value).every((key) => key === "kind" || Object.hasOwn(shape, key))) return refuse("unknownField");
  // The shapes below check each field that the kind has.
  return fits(value, shape) ? ok(value as unknown as CommitMessage) : refuse("badField");
}

type Raw = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;
type Shape<T> = Readonly<Record<Exclude<keyof T, "kind">, Check>>;
type Of<Kind extends CommitMessage["kind"]> = Extract<CommitMessage, { readonly kind: Kind }>;

function isObject(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fits(value: Raw, shape: Readonly<Record<string, Check>>): boolean {
  return Object.entries(shape).every(([key, check]) => check(value[key]));
}

/** An object that has these fields and no other; `kind` is checked by whoever has kinds. */
function object<T>(shape: Shape<T>, kind?: string): Check {
  return (value) =>
    isObject(value) &&
    value["kind"] === kind &&
    Object.keys(value).every((key) => (key === "kind" && kind !== undefined) || Object.hasOwn(shape, key)) &&
    fits(value, shape);
}

const text =
  (lengthMax: number): Check =>
  (value) =>
    typeof value === "string" && value.length <= lengthMax;
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const list =
  (itemsMax: number, check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= itemsMax && value.every(check);
const whole =
  (min: number, max: number): Check =>
  (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;

const id: Check = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const flag: Check = (value) => typeof value === "boolean";
const name = text(NAME_LENGTH_MAX);
const sentence = text(SENTENCE_LENGTH_MAX);
const time: Check = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
const confirmSeconds = optional(whole(1, CONFIRM_SECONDS_MAX));
const request = whole(0, Number.MAX_SAFE_INTEGER);

const summaryShape: Shape<RevisionSummary> = {
  id,
  parent: optional(id),
  author: name,
  comment: sentence,
  time,
  confirmSeconds,
  confirmedBy: optional(name),
};
const summary = object<RevisionSummary>(summaryShape);
const document = text(documentBytesMax);
const revision = object<Revision>({ ...summaryShape, text: document });

const confirmation = object<Confirmation>({ id, by: name });
const standing = object<Standing>({
  head: optional(id),
  parent: optional(id),
  active: flag,
  automatic: flag,
  confirmed: optional(confirmation),
  cannot: optional(id),
});

const problem = object<NonNullable<CommitRefusal["also"]>[number]>({
  what: sentence,
  where: optional(sentence),
  mend: optional(sentence),
});
const refusal = object<CommitRefusal>({
  exitCode: whole(1, 255),
  what: sentence,
  where: optional(sentence),
  mend: optional(sentence),
  also: optional(list(PROBLEMS_MAX, problem)),
});

const source = either(
  object<Extract<DocumentSource, { kind: "given" }>>({ document }, "given"),
  object<Extract<DocumentSource, { kind: "revision" }>>({ id }, "revision"),
);
const wish = either(
  object<Extract<Wish, { kind: "commit" }>>(
    { source, base: optional(id), author: name, comment: sentence, confirmSeconds },
    "commit",
  ),
  object<Extract<Wish, { kind: "confirm" }>>({ revision: optional(id), author: name, force: flag }, "confirm"),
);
const outcome = either(
  object<Extract<Outcome, { kind: "done" }>>(
    {
      revision: either(id, oneOf("")),
      changed: flag,
      peer: oneOf("none", "inForce", "away", "behind", "late"),
      warnings: list(WARNINGS_MAX, sentence),
      confirmSeconds,
    },
    "done",
  ),
  object<Extract<Outcome, { kind: "refused" }>>({ refusal }, "refused"),
);

const passage: Shape<Passage> = { revision, parent: optional(revision), lineage: list(LINEAGE_MAX, summary) };

const SHAPES: { readonly [Kind in CommitMessage["kind"]]: Shape<Of<Kind>> } = {
  standing: { standing },
  kin: { mine: id, yours: id, kinship: oneOf("ancestor", "unknown") },
  fetch: { id, have: optional(id) },
  revision: passage,
  keep: { revision },
  want: { ids: list(WANTED_MAX, id) },
  consider: { document },
  prepare: { revision },
  prepared: { id },
  store: { id },
  stored: { id },
  notStored: { id, cause: oneOf("refused", "busy", "behind"), refusal },
  forget: { id },
  apply: { id },
  applied: { id, trouble: optional(sentence) },
  withdraw: { id },
  confirm: { id, by: name },
  confirmed: { id },
  forward: { request, wish },
  answer: { request, outcome },
};
