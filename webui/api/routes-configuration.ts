/** The configuration: in force, as it is edited, and in the past. */
import { documentBytesMax } from "@futago/firmware/config/limits.ts";
import { Type } from "typebox";
import { discardCandidate, editCandidate, putCandidate, readCandidate } from "./candidate.ts";
import { configurationSchema } from "./openapi-answer.ts";
import { coreRoute, ownRoute, type Route } from "./route.ts";
import { ChangedSchema, CommittedSchema, DiffSchema, HistorySchema } from "./schema-access.ts";
import { asked, Comment, ConfirmSeconds, Force, Message, ShortText } from "./schema-parts.ts";

const ANY_DOCUMENT = Type.Unknown({ description: "A configuration document: the schema is at /api/v1/schema." });
const ConfigSchema = Type.Object({
  revision: Type.String({ description: "Of a candidate the revision that it was begun from." }),
  document: ANY_DOCUMENT,
});
const IF_MATCH = { "if-match": "The candidate's ETag: refused with 412 when it is another one by now." };
const BODY_BYTES_MAX = documentBytesMax + (64 << 10);

const READING: readonly Route[] = [
  coreRoute(
    {
      method: "GET",
      path: "/config",
      scope: "read",
      verb: "show config",
      summary: "The configuration in force, or an older one",
      query: asked({
        revision: Type.Optional({ ...ShortText, description: "How many steps back, or how its id begins." }),
      }),
      answer: ConfigSchema,
    },
    ({ query }) => ["config", query],
  ),
  ownRoute(
    {
      method: "GET",
      path: "/schema",
      scope: "read",
      verb: null,
      summary: "The configuration document's JSON schema",
      answer: Type.Record(Type.String(), Type.Unknown()),
    },
    (exchange) => configurationSchema(exchange),
  ),
  coreRoute(
    {
      method: "GET",
      path: "/diff",
      scope: "read",
      verb: "diff",
      summary: "What was changed and is not committed yet, and what would keep it from being committed",
      answer: DiffSchema,
    },
    () => ["diff", {}],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/history",
      scope: "read",
      verb: "history",
      summary: "The revisions of the configuration, the newest first",
      query: asked({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
        before: Type.Optional(ShortText),
      }),
      answer: HistorySchema,
    },
    ({ query }) => ["history", query],
  ),
];

const EDITING: readonly Route[] = [
  ownRoute(
    {
      method: "GET",
      path: "/candidate",
      scope: "read",
      verb: "show config --candidate",
      summary: "The configuration as it is edited; its ETag is for If-Match",
      answer: ConfigSchema,
    },
    (exchange) => readCandidate(exchange),
  ),
  ownRoute(
    {
      method: "PUT",
      path: "/candidate",
      scope: "configure",
      verb: "edit",
      summary: "Replace the candidate by a whole document; nothing is in force before the commit",
      headers: IF_MATCH,
      body: ANY_DOCUMENT,
      answer: ChangedSchema,
      bodyBytesMax: BODY_BYTES_MAX,
      keepText: true,
    },
    (exchange) => putCandidate(exchange),
  ),
  ownRoute(
    {
      method: "POST",
      path: "/candidate/set",
      scope: "configure",
      verb: "set",
      summary: "Change one place of the candidate",
      headers: IF_MATCH,
      body: asked({
        path: Type.String({ maxLength: 1_024, description: "`pools.web.backends.s1.weight`" }),
        value: Type.String({ maxLength: documentBytesMax, description: "A word, or JSON as text." }),
      }),
      answer: ChangedSchema,
      bodyBytesMax: BODY_BYTES_MAX,
    },
    (exchange, { body }) => editCandidate(exchange, "set", body),
  ),
  ownRoute(
    {
      method: "POST",
      path: "/candidate/delete",
      scope: "configure",
      verb: "delete",
      summary: "Take one place out of the candidate",
      headers: IF_MATCH,
      body: asked({ path: Type.String({ maxLength: 1_024 }) }),
      answer: ChangedSchema,
    },
    (exchange, { body }) => editCandidate(exchange, "delete", body),
  ),
  ownRoute(
    {
      method: "DELETE",
      path: "/candidate",
      scope: "configure",
      verb: "discard",
      summary: "Forget what was changed and is not committed yet",
      query: asked({ force: Force }),
      headers: IF_MATCH,
      answer: Message,
    },
    (exchange, { query }) => discardCandidate(exchange, query.force === true),
  ),
];

const COMMITTING: readonly Route[] = [
  coreRoute(
    {
      method: "POST",
      path: "/commit",
      scope: "configure",
      verb: "commit",
      summary: "Put what was changed into force on both boxes",
      body: asked({ comment: Comment, confirmSeconds: ConfirmSeconds }),
      answer: CommittedSchema,
    },
    ({ body }) => ["commit", body],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/confirm",
      scope: "configure",
      verb: "confirm",
      summary: "Keep what was committed with confirmSeconds",
      body: asked({ revision: Type.Optional(ShortText), force: Force }),
      answer: Message,
    },
    ({ body: { revision, force = false } }) => ["confirm", revision === undefined ? { force } : { revision, force }],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/rollback",
      scope: "configure",
      verb: "rollback",
      summary: "Put an older configuration into force again",
      body: asked({
        to: { ...ShortText, description: "How many steps back, or how its id begins." },
        comment: Comment,
        confirmSeconds: ConfirmSeconds,
      }),
      answer: CommittedSchema,
    },
    ({ body }) => ["rollback", body],
  ),
  coreRoute(
    {
      method: "PUT",
      path: "/config",
      scope: "configure",
      verb: "config apply",
      summary: "Put a configuration document into force, past the candidate",
      body: asked({ document: ANY_DOCUMENT, comment: Comment, confirmSeconds: ConfirmSeconds }),
      answer: CommittedSchema,
      bodyBytesMax: BODY_BYTES_MAX,
    },
    ({ body }) => ["apply", body],
  ),
];

export const CONFIGURATION_ROUTES: readonly Route[] = [...READING, ...EDITING, ...COMMITTING];
