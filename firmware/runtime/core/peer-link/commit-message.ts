/**
 * The commit protocol's messages as the two cores send them: JSON, hostile until each field was checked for type and
 * bound. A revision's id is compared with its content later, by whoever stores it. Pure; the decoder never throws.
 */
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
import {
  either,
  flag,
  id,
  list,
  number,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  type Shapes,
  text,
  time,
  whole,
} from "./shapes.ts";

/** As the store keeps them. */
export const LINEAGE_MAX = 10_000;
/** At once: the newest are wanted most. */
export const WANTED_MAX = 100;
const NAME_LENGTH_MAX = 64;
const SENTENCE_LENGTH_MAX = 4_096;
const WARNINGS_MAX = 10_000;
const PROBLEMS_MAX = 64;
/** A stable word, and the names of the values beside it. */
const REASON_LENGTH_MAX = 64;
const PARAMETERS_MAX = 16;
/** A day: longer nobody waits for a confirmation. */
export const CONFIRM_SECONDS_MAX = 86_400;

const name = text(NAME_LENGTH_MAX);
const sentence = text(SENTENCE_LENGTH_MAX);
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

const problemShape = {
  what: sentence,
  where: optional(sentence),
  mend: optional(sentence),
  reason: optional(text(REASON_LENGTH_MAX)),
  parameters: optional(record(PARAMETERS_MAX, REASON_LENGTH_MAX, either(number, sentence))),
};
const problem = object<NonNullable<CommitRefusal["also"]>[number]>(problemShape);
const refusal = object<CommitRefusal>({
  exitCode: whole(1, 255),
  ...problemShape,
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

export const COMMIT_SHAPES: Shapes<CommitMessage> = {
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
