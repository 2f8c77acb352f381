/** What the pair is told to do, and what is asked of the network around it. */
import { Type } from "typebox";
import { backUp, RESTORE_BYTES_MAX, restore, StickBody, StickSchema } from "./backup.ts";
import { capture, diagnose } from "./streams.ts";
import { coreRoute, ownRoute, type Route } from "./route.ts";
import { RestoredSchema } from "./schema-access.ts";
import {
  CaptureBody,
  DrainSchema,
  PairingSchema,
  PingBody,
  PingEventSchema,
  TracerouteBody,
  TracerouteEventSchema,
} from "./schema-boxes.ts";
import { asked, Force, Message, orNull, Passphrase, ShortText, words } from "./schema-parts.ts";

const onlyForce = asked({ force: Force });
const Backend = asked({ backend: { ...ShortText, description: "pool/backend, or a backend's name." } });
const Replace = Type.Optional(Type.Boolean({ description: "Give up a peer, or a configuration, that is there." }));
const SpareDone = Type.Object({ message: Type.String(), tookMillis: orNull(Type.Number()) });

const ROLES: readonly Route[] = [
  coreRoute(
    {
      method: "POST",
      path: "/switchover",
      scope: "operate",
      verb: "switchover",
      summary: "Let the two boxes change roles, losing nothing",
      body: asked({ group: Type.Optional(ShortText) }),
      answer: Message,
    },
    ({ body }) => ["switchover", body],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/maintenance",
      scope: "operate",
      verb: "maintenance",
      summary: "Keep this box from holding a role, or end that",
      body: asked({ on: Type.Boolean() }),
      answer: Message,
    },
    ({ body }) => ["maintenance", body],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/locate",
      scope: "operate",
      verb: "locate",
      summary: "Let the lights of this box blink, so that somebody finds it",
      body: asked({ on: Type.Boolean() }),
      answer: Message,
    },
    ({ body }) => ["locate", body],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/drain",
      scope: "operate",
      verb: "drain",
      summary: "Let a backend keep its connections and get no new ones",
      body: Backend,
      answer: DrainSchema,
    },
    ({ body }) => ["drain", { backend: body.backend, on: true }],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/undrain",
      scope: "operate",
      verb: "undrain",
      summary: "Let a backend get new connections again",
      body: Backend,
      answer: DrainSchema,
    },
    ({ body }) => ["drain", { backend: body.backend, on: false }],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/drill",
      scope: "operate",
      verb: "drill",
      summary: "Try for real whether the other box takes over, and measure it",
      body: asked({
        how: Type.Optional(words(["planned", "killed"])),
        back: Type.Optional(Type.Boolean({ description: "The roles return at the end, however it went." })),
      }),
      answer: Type.Object({ id: Type.String() }),
    },
    ({ body }) => ["drill", body],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/spare/activate",
      scope: "operate",
      verb: "spare activate",
      summary: "Cold standby: let this box serve",
      body: onlyForce,
      answer: SpareDone,
    },
    ({ body: { force = false } }) => ["spareActivate", { force }],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/spare/release",
      scope: "operate",
      verb: "spare release",
      summary: "Cold standby: let this box give up",
      body: onlyForce,
      answer: SpareDone,
    },
    ({ body: { force = false } }) => ["spareRelease", { force }],
  ),
];

const DIAGNOSTICS: readonly Route[] = [
  ownRoute(
    {
      method: "POST",
      path: "/ping",
      scope: "operate",
      verb: "ping",
      summary: "Ask an address for an echo; one line of JSON for each event",
      body: PingBody,
      answer: PingEventSchema,
      media: "application/x-ndjson",
    },
    (exchange, { body }) => diagnose(exchange, "ping", body),
  ),
  ownRoute(
    {
      method: "POST",
      path: "/traceroute",
      scope: "operate",
      verb: "traceroute",
      summary: "The routers on the way to an address; one line of JSON for each event",
      body: TracerouteBody,
      answer: TracerouteEventSchema,
      media: "application/x-ndjson",
    },
    (exchange, { body }) => diagnose(exchange, "traceroute", body),
  ),
  ownRoute(
    {
      method: "POST",
      path: "/capture",
      scope: "operate",
      verb: "capture",
      summary: "Copy packets as they came in and as they went out, as a pcapng file",
      body: CaptureBody,
      answer: Type.String({ format: "binary" }),
      media: "application/x-pcapng",
    },
    (exchange, { body }) => capture(exchange, body),
  ),
];

const PAIR: readonly Route[] = [
  coreRoute(
    {
      method: "POST",
      path: "/pair/invite",
      scope: "admin",
      verb: "pair invite",
      summary: "Show a code, valid for ten minutes",
      body: asked({ replace: Replace }),
      answer: PairingSchema,
    },
    ({ body }) => ["pairInvite", body],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/pair/join",
      scope: "admin",
      verb: "pair join",
      summary: "Find the box that shows the code, and take its configuration",
      body: asked({ code: ShortText, replace: Replace }),
      answer: PairingSchema,
    },
    ({ body }) => ["pairJoin", body],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/pair/answer",
      scope: "admin",
      verb: "pair yes",
      summary: "Whether both boxes show the same digits",
      body: asked({ yes: Type.Boolean() }),
      answer: PairingSchema,
    },
    ({ body }) => ["pairAnswer", body],
  ),
  ...(
    [
      ["/pair/cancel", "pair cancel", "End a pairing that is under way", "pairCancel", PairingSchema],
      [
        "/pair/rotate",
        "pair rotate",
        "New keys and certificates on both boxes, while they serve",
        "pairRotate",
        PairingSchema,
      ],
      ["/pair/unpair", "pair unpair", "Be alone again", "unpair", Message],
    ] as const
  ).map(([path, verb, summary, method, answer]) =>
    coreRoute({ method: "POST", path, scope: "admin", verb, summary, answer }, () => [method, {}]),
  ),
];

const BOX: readonly Route[] = [
  coreRoute(
    {
      method: "POST",
      path: "/reboot",
      scope: "admin",
      verb: "reboot",
      summary: "Let the peer take over, then start the box anew",
      body: onlyForce,
      answer: Message,
    },
    ({ body }) => ["power", { ...body, end: "reboot" } as const],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/poweroff",
      scope: "admin",
      verb: "poweroff",
      summary: "Let the peer take over, then switch the box off",
      body: onlyForce,
      answer: Message,
    },
    ({ body }) => ["power", { ...body, end: "poweroff" } as const],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/factory-reset",
      scope: "admin",
      verb: "factory-reset",
      summary: "Forget everything, as if the box came out of its carton",
      body: onlyForce,
      answer: Message,
    },
    ({ body }) => ["factoryReset", body],
  ),
  ownRoute(
    {
      method: "POST",
      path: "/backup",
      scope: "admin",
      verb: "backup",
      summary: "The box in one file that only its passphrase opens",
      body: asked({ passphrase: Passphrase }),
      answer: Type.String({ format: "binary" }),
      media: "application/age",
    },
    (exchange, { body }) => backUp(exchange, body.passphrase),
  ),
  ownRoute(
    {
      method: "POST",
      path: "/restore",
      scope: "admin",
      verb: "restore",
      summary: "Make a box of what was backed up",
      body: Type.String({ format: "binary" }),
      bodyMedia: "application/octet-stream",
      bodyBytesMax: RESTORE_BYTES_MAX,
      headers: {
        "futago-passphrase": "The passphrase as base64 of UTF-8.",
        "futago-options": "JSON: {map?: {OLD: NEW}, force?: boolean}.",
      },
      answer: RestoredSchema,
    },
    (exchange) => restore(exchange),
  ),
  coreRoute(
    {
      method: "GET",
      path: "/restore",
      scope: "admin",
      verb: "restore",
      summary: "The backup files that were found on a USB stick",
      answer: StickSchema,
    },
    () => ["stickFiles", {}],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/restore/stick",
      scope: "admin",
      verb: "restore",
      summary: "Make a box of what was backed up on a USB stick",
      body: StickBody,
      answer: RestoredSchema,
    },
    ({ body: { map = {}, force = false, ...wish } }) => ["restoreStick", { ...wish, map, force }],
  ),
];

export const ORDER_ROUTES: readonly Route[] = [...ROLES, ...DIAGNOSTICS, ...PAIR, ...BOX];
