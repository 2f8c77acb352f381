/**
 * Judges a whole configuration: text, shape, then meaning, and tells every problem that does not follow from
 * another. Decides nothing about what runs; `resolve.ts` and `compile-*.ts` say what an accepted document means.
 */
import { canonicalJson } from "./canonical.ts";
import type { Cross, Tell } from "./check-context.ts";
import { checkGroups } from "./check-groups.ts";
import { checkNames } from "./check-names.ts";
import { checkNetwork } from "./check-network.ts";
import { checkPools } from "./check-pools.ts";
import { checkServices } from "./check-services.ts";
import { readDocument } from "./document-text.ts";
import { documentBytesMax, problemsMax } from "./limits.ts";
import type { Box } from "./orders.ts";
import { nearest } from "./nearest.ts";
import { formatPath } from "./path.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import { resolveForBox, resolvePools } from "./resolve.ts";
import type { Resolved } from "./resolved.ts";
import { sentence } from "./say.ts";
import { type Document, DocumentSchema } from "./schema.ts";
import { checkShape, type SchemaView } from "./shape.ts";
import { fillVrids } from "./vrids.ts";

export interface ValidateContext {
  /** Which box asks; undefined on a box that was not told (a document with `pair` is then refused). */
  readonly box: Box | undefined;
  /** The network devices this box has, when that should be checked. */
  readonly devices?: readonly string[];
}

export type Validation =
  | {
      readonly ok: true;
      /** As written, with VRIDs that were left out chosen. */
      readonly document: Document;
      /** The document as canonical JSON. */
      readonly text: string;
      readonly resolved: Resolved;
      /** Accepted, but somebody should know. */
      readonly warnings: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Judges a configuration given as UTF-8 bytes, as JSON text, or as a value made from JSON. No text and no bytes make
 * it throw. `onResolved` is told what a document of the right shape says to this box, before its meaning is checked.
 */
export function validate(input: unknown, context: ValidateContext, onResolved?: OnResolved): Validation {
  if (typeof input !== "string" && !(input instanceof Uint8Array)) return validateValue(input, context, onResolved);
  const reading = readDocument(input);
  return reading.ok ? validateValue(reading.value, context, onResolved) : { ok: false, problems: [reading.problem] };
}

export type OnResolved = (resolved: Resolved) => void;

function validateValue(value: unknown, context: ValidateContext, onResolved: OnResolved = () => undefined): Validation {
  const paired = typeof value === "object" && value !== null && Object.hasOwn(value, "pair");
  const meantAsPair = paired || hasMisspeltPair(value);
  const shape = checkShape(schemaView, value, { paired: meantAsPair, problemsMax });
  const problems = [...shape.problems];
  if (paired && context.box === undefined) problems.push(boxUnknown);
  if (shape.salvage === undefined) return { ok: false, problems: capped(problems) };

  // The salvage lacks the bad parts, and what is left has the schema's shape.
  const salvage = shape.salvage as Document;
  // Without a readable pair nobody knows how many boxes there are.
  if (meantAsPair && salvage.pair === undefined) return { ok: false, problems: capped(problems) };
  const document = fillVrids(salvage);
  const boxes: readonly (Box | undefined)[] = paired ? ["a", "b"] : [undefined];
  const pools = resolvePools(document);
  const views = boxes.map((box) => resolveForBox(document, box, pools));
  const resolved = views[boxes.indexOf(context.box)] ?? resolveForBox(document, undefined, pools);
  if (problems.length === 0) onResolved(resolved);
  const meaning = checkMeaning(salvage, views, context);
  const followUps = shape.problems.some((problem) => sectionsReferredTo.has(problem.path.split(".")[0] ?? ""));
  problems.push(...meaning.problems.filter((problem) => !followUps || !absence.has(problem.code)));
  if (problems.length > 0) return { ok: false, problems: capped(problems) };
  const text = canonicalJson(document);
  if (text.length > documentBytesMax) {
    return {
      ok: false,
      problems: [{ path: "", what: "the document is too large", mend: "make it smaller", code: "tooLarge" }],
    };
  }
  return { ok: true, document, text, resolved, warnings: meaning.warnings };
}

/** "pear": what the missing pair would forbid is not told beside the misspelt word. */
function hasMisspeltPair(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const known = Object.keys(schemaView.properties ?? {});
  return Object.keys(value).some((key) => !known.includes(key) && nearest(key, known) === "pair");
}

/** Runs every check of meaning on both boxes' views. */
function checkMeaning(document: Document, views: readonly Resolved[], context: ValidateContext) {
  const problems = new Map<string, Problem>();
  const warnings = new Map<string, Problem>();
  const cross: Cross = {
    document,
    views,
    devices: context.devices,
    devicesBox: document.pair === undefined ? undefined : context.box,
    tell: into(problems),
    warn: into(warnings),
  };
  checkNames(cross);
  checkNetwork(cross);
  checkGroups(cross);
  checkPools(cross);
  checkServices(cross);
  return { problems: [...problems.values()], warnings: [...warnings.values()] };
}

function into(found: Map<string, Problem>): Tell {
  return (code, path, what, mend) => {
    if (found.size > problemsMax) return;
    const { text, parameters } = sentence(what);
    const problem: Problem = { path: formatPath(path), what: text, mend, code, parameters };
    const key = `${problem.path} ${code}`;
    if (!found.has(key)) found.set(key, problem);
  };
}

/** TypeBox's types do not show the words of JSON Schema that its values are made of. */
const schemaView = DocumentSchema as unknown as SchemaView;

const boxUnknown: Problem = {
  path: "pair",
  what: "is there, but this box was not told whether it is a or b",
  mend: "pair it with the other box by `futago pair invite`, start it with --box a or --box b, or remove pair for a box alone",
  code: "boxUnknown",
};

/**
 * Problems that say something is not there. While a part of the document that others refer to is malformed, they
 * may only follow from it, and wait for the next round.
 */
const absence: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "unknownName",
  "poolEmpty",
  "serviceWithoutVip",
  "groupsDiffer",
  "witnessesNeeded",
  "unreachableGateway",
  "vipOutsideSubnet",
  "priorityOwner",
  "vridsExhausted",
]);
const sectionsReferredTo: ReadonlySet<string> = new Set(["interfaces", "routes", "pair", "failoverGroups", "pools"]);

function capped(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length < problemsMax) return problems;
  const more: Problem = {
    path: "",
    what: `has ${problemsMax} problems or more`,
    mend: "mend these first",
    code: "tooManyProblems",
  };
  return [...problems.slice(0, problemsMax), more];
}
