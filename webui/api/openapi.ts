/** The OpenAPI 3.1 document, made from the table of routes: whose schemas are JSON Schema already. */
import { DocumentSchema } from "@futago/firmware/config/schema.ts";
import type { TSchema } from "typebox";
import { ProblemSchema } from "./problem.ts";
import { operationId, type Route } from "./route.ts";
import * as access from "./schema-access.ts";
import * as boxes from "./schema-boxes.ts";
import * as status from "./schema-status.ts";

type Json = Readonly<Record<string, unknown>>;

/** Schemas that have a name of their own. */
const NAMED: Readonly<Record<string, TSchema>> = {
  AccessState: access.AccessStateSchema,
  AuditEntry: access.AuditSchema,
  Box: boxes.BoxSchema,
  BoxStatus: status.StatusSchema,
  Boxes: boxes.BoxesSchema,
  CandidateChanged: access.ChangedSchema,
  CandidateDiff: access.DiffSchema,
  Certificate: access.CertificateSchema,
  Committed: access.CommittedSchema,
  Connections: status.ConnectionsSchema,
  Drain: boxes.DrainSchema,
  DrillResult: boxes.DrillResultSchema,
  Drills: boxes.DrillsSchema,
  Event: status.EventSchema,
  Flows: boxes.FlowsSchema,
  Group: status.GroupSchema,
  Health: status.HealthSchema,
  History: access.HistorySchema,
  NewToken: access.NewTokenSchema,
  Pairing: boxes.PairingSchema,
  PingEvent: boxes.PingEventSchema,
  Port: boxes.PortSchema,
  Problem: ProblemSchema,
  Restored: access.RestoredSchema,
  Service: status.ServiceSchema,
  Session: access.SessionSchema,
  SignedIn: access.SignedInSchema,
  Timeline: status.TimelineSchema,
  Token: access.TokenSchema,
  Trace: boxes.TraceSchema,
  TracerouteEvent: boxes.TracerouteEventSchema,
  Traffic: status.TrafficSchema,
  User: access.UserSchema,
  WhoIs: access.WhoIsSchema,
};
const NAME_OF = new Map<unknown, string>(Object.entries(NAMED).map(([name, schema]) => [schema, name]));

const SECURITY = [{ token: [] }, { session: [], proof: [] }];
const PROBLEM = {
  description: "Refused, as a problem document of RFC 9457",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  const schemas = Object.entries(NAMED).map(([name, schema]) => [name, inner(schema)] as const);
  return {
    openapi: "3.1.0",
    info: {
      title: "Futago",
      version,
      summary: "Everything the command line can do, by the same names",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/api/v1" }],
    paths,
    components: {
      schemas: { ...Object.fromEntries(schemas), Configuration: configurationJsonSchema() },
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "A token that an admin made." },
        session: { type: "apiKey", in: "cookie", name: "__Host-futago" },
        proof: {
          type: "apiKey",
          in: "header",
          name: "futago-proof",
          description: "Of a session; the cookie is never enough alone.",
        },
      },
    },
  };
}

/** As programs understand it: what only Futago's own checks know is left out. */
export function configurationJsonSchema(): Json {
  return inner(DocumentSchema) as Json;
}

function operationOf(route: Route): Json {
  const { scope, summary, verb } = route;
  return {
    operationId: operationId(route),
    summary,
    tags: [route.path.split("/")[1] ?? ""],
    "x-futago-scope": scope,
    ...(verb === null ? {} : { "x-futago-cli": `futago ${verb}` }),
    ...(scope === "public" ? { security: [] } : { security: SECURITY }),
    ...parametersOf(route),
    ...bodyOf(route),
    responses: {
      200: {
        description: "Done",
        content: { [route.media ?? "application/json"]: { schema: schemaOf(route.answer) } },
      },
      default: PROBLEM,
    },
  };
}

function parametersOf({ place, query, headers = {} }: Route): Json {
  const parameters = [
    ...placed("path", place),
    ...placed("query", query),
    ...Object.entries(headers).map(([name, description]) => ({
      name,
      in: "header",
      required: false,
      description,
      schema: { type: "string" },
    })),
  ];
  return parameters.length === 0 ? {} : { parameters };
}

function placed(where: "path" | "query", schema: TSchema | undefined): readonly Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Json; required?: readonly string[] };
  return Object.entries(properties).map(([name, one]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...((one as Json)["type"] === "array" ? { style: "form", explode: false } : {}),
    schema: schemaOf(one),
  }));
}

function bodyOf({ body, bodyMedia = "application/json" }: Route): Json {
  if (body === undefined) return {};
  const { required, type } = body as { required?: readonly string[]; type?: string };
  return {
    requestBody: {
      required: type !== "object" || (required ?? []).length > 0,
      content: { [bodyMedia]: { schema: schemaOf(body) } },
    },
  };
}

function schemaOf(schema: unknown): unknown {
  const name = NAME_OF.get(schema);
  return name === undefined ? inner(schema) : { $ref: `#/components/schemas/${name}` };
}

/** Words of our own in the configuration's schema. */
const OWN_WORDS = new Set(["perBox", "by", "notBuilt"]);

/** A copy in which every named schema further in is a reference. */
function inner(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map((one) => schemaOf(one));
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key]) => !OWN_WORDS.has(key));
  return Object.fromEntries(entries.map(([key, value]) => [key, schemaOf(value)]));
}
