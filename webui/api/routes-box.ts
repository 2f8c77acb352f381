/** What can be seen of the pair. */
import { Type } from "typebox";
import { eventStream } from "./event-stream.ts";
import { openapi } from "./openapi-answer.ts";
import { coreRoute, ownRoute, type Route } from "./route.ts";
import { asked, orNull, ShortText } from "./schema-parts.ts";
import { BoxesSchema, DrillsSchema, FlowsSchema, PairingSchema, TraceSchema } from "./schema-boxes.ts";
import {
  HealthSchema,
  LogSchema,
  NeighboursSchema,
  ServiceSchema,
  StatusSchema,
  TimelineSchema,
} from "./schema-status.ts";
import { services, waitForRole } from "./wait.ts";

const Count = (maximum: number) => Type.Optional(Type.Integer({ minimum: 1, maximum }));
const ROLES = ["active", "standby", "spare", "maintenance", "fault", "alone"] as const;

const STATUS: readonly Route[] = [
  coreRoute(
    {
      method: "GET",
      path: "/status",
      scope: "read",
      verb: "status",
      summary: "What this box does now, and its peer",
      query: asked({
        services: Type.Optional(
          Type.Array(Type.String({ maxLength: 64 }), {
            maxItems: 1_024,
            description: "Only these services, with commas between; empty: none.",
          }),
        ),
      }),
      answer: StatusSchema,
    },
    ({ query }) => ["status", query],
  ),
  ownRoute(
    {
      method: "GET",
      path: "/wait",
      scope: "read",
      verb: "wait",
      summary: "Answers when the box has a role",
      query: asked({
        role: Type.Unsafe<(typeof ROLES)[number]>({ type: "string", enum: ROLES }),
        timeout: Type.Optional(Type.Integer({ minimum: 1, maximum: 300, description: "Seconds; the default is 30." })),
      }),
      answer: Type.Object({ role: Type.String() }),
    },
    (exchange, { query }) => waitForRole(exchange, query),
  ),
  coreRoute(
    {
      method: "GET",
      path: "/boxes",
      scope: "read",
      verb: "show boxes",
      summary: "The pair's boxes with their ports, and whether the pair would survive the next failure",
      answer: BoxesSchema,
    },
    () => ["boxes", {}],
  ),
  ownRoute(
    {
      method: "GET",
      path: "/services",
      scope: "read",
      verb: "show services",
      summary: "The services with their backends, and what they carried",
      query: asked({ service: Type.Optional(ShortText) }),
      answer: Type.Array(ServiceSchema),
    },
    (exchange, { query }) => services(exchange, query),
  ),
  coreRoute(
    {
      method: "GET",
      path: "/health",
      scope: "read",
      verb: "show health",
      summary: "Every check, its newest answer and why",
      query: asked({ service: Type.Optional(ShortText) }),
      answer: HealthSchema,
    },
    ({ query }) => ["health", query],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/pair",
      scope: "read",
      verb: "pair status",
      summary: "Whose peer this box is, and how far a pairing is",
      answer: PairingSchema,
    },
    () => ["pairing", {}],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/drill",
      scope: "read",
      verb: "drill report",
      summary: "The drills that were held, and the one under way",
      answer: DrillsSchema,
    },
    () => ["drills", {}],
  ),
];

const LOOKING: readonly Route[] = [
  coreRoute(
    {
      method: "GET",
      path: "/flows",
      scope: "read",
      verb: "show flows",
      summary: "The connections that the balancer knows, the newest first",
      query: asked({
        service: Type.Optional(ShortText),
        client: Type.Optional(ShortText),
        backend: Type.Optional(ShortText),
        limit: Count(10_000),
      }),
      answer: FlowsSchema,
    },
    ({ query }) => ["flows", query],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/neighbours",
      scope: "read",
      verb: "show neighbours",
      summary: "The kernel's neighbour table",
      answer: NeighboursSchema,
    },
    () => ["neighbours", {}],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/why",
      scope: "read",
      verb: "show why",
      summary: "Why the roles are as they are: what happened on both boxes, in one line of time",
      answer: TimelineSchema,
    },
    () => ["timeline", {}],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/log",
      scope: "read",
      verb: "show log",
      summary: "The newest log lines",
      answer: LogSchema,
    },
    () => ["log", {}],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/trace",
      scope: "read",
      verb: "trace",
      summary: "Where a packet of a client would go, and why",
      query: asked({
        client: ShortText,
        clientPort: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
        service: ShortText,
      }),
      answer: TraceSchema,
    },
    ({ query }) => ["trace", query],
  ),
  ownRoute(
    {
      method: "GET",
      path: "/events",
      scope: "read",
      verb: "status --watch",
      summary: "Server-sent events: status, boxes, happened, access, missed",
      headers: { "last-event-id": "Of the newest event that was read: what happened since then comes again." },
      answer: Type.String(),
      media: "text/event-stream",
    },
    (exchange) => eventStream(exchange),
  ),
  ownRoute(
    {
      method: "GET",
      path: "/openapi.json",
      scope: "public",
      verb: null,
      summary: "This document",
      answer: Type.Record(Type.String(), Type.Unknown()),
    },
    (exchange) => openapi(exchange),
  ),
];

export const HealthzSchema = Type.Object({
  ok: Type.Boolean(),
  box: orNull(Type.String()),
  role: orNull(Type.String()),
});

export const BOX_ROUTES: readonly Route[] = [...STATUS, ...LOOKING];
