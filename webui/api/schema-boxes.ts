/** The pair's boxes as things with ports, pairing, drills and diagnostics, as JSON Schema. */
import type { DrillsShown } from "@futago/firmware/runtime/control-drill.ts";
import type { PairingShown } from "@futago/firmware/runtime/control-pairing.ts";
import type { BoxesShown, PingEvent, TracerouteEvent } from "@futago/firmware/runtime/control-ports.ts";
import type { CaptureQuery, DrainShown, FlowsShown, TraceShown } from "@futago/firmware/runtime/control.ts";
import { type Static, Type } from "typebox";
import { asked, orNull, type Same, ShortText, Time, words } from "./schema-parts.ts";
import { SurvivalSchema } from "./schema-status.ts";

export const PortSchema = Type.Object({
  device: Type.String(),
  interface: orNull(Type.String()),
  mac: orNull(Type.String()),
  up: Type.Boolean(),
  carrier: Type.Boolean(),
  speedMbps: orNull(Type.Number()),
  mtu: Type.Integer(),
  addresses: Type.Array(Type.String()),
  virtualAddresses: Type.Array(Type.String()),
  receivedBytes: Type.Number(),
  sentBytes: Type.Number(),
  receivedPackets: Type.Number(),
  sentPackets: Type.Number(),
  troubles: Type.Number(),
  heartbeat: orNull(Type.Object({ alive: Type.Boolean(), rttMicros: orNull(Type.Number()) })),
});

export const BoxSchema = Type.Object({
  box: Type.String(),
  own: Type.Boolean(),
  hostname: Type.String(),
  version: Type.String(),
  role: Type.String(),
  revision: Type.String(),
  uptimeSeconds: orNull(Type.Number()),
  at: Time,
  urls: Type.Array(Type.String()),
  ports: Type.Array(PortSchema),
});

export const BoxesSchema = Type.Object(
  {
    boxes: Type.Array(BoxSchema),
    survival: SurvivalSchema,
  },
  { description: "The boxes that answer, this one first, and whether the pair would survive the next failure." },
);

const RELEASE = Type.Object({ protocol: Type.Number(), release: Type.String() });
const VERSIONS = Type.Object({ here: RELEASE, there: RELEASE });

const EndingSchema = Type.Union([
  Type.Object({
    kind: words(["paired"]),
    role: words(["inviter", "joiner"]),
    letter: words(["a", "b"]),
    versions: VERSIONS,
    clockAheadMillis: Type.Number(),
    clockWithinMillis: Type.Number(),
    clock: words(["level", "set", "kept", "refused"]),
  }),
  Type.Object({
    kind: words(["failed"]),
    refusal: Type.String(),
    by: words(["here", "there"]),
    versions: Type.Optional(VERSIONS),
  }),
]);

export const PairingSchema = Type.Object(
  {
    kind: words(["alone", "key", "paired", "left"]),
    box: orNull(words(["a", "b"])),
    linked: Type.Boolean(),
    configuredAlone: Type.Boolean(),
    pairing: orNull(
      Type.Object({
        since: Time,
        fingerprint: orNull(Type.String()),
        peerFingerprint: orNull(Type.String()),
        device: Type.String(),
        rotating: Type.Boolean(),
      }),
    ),
    trouble: orNull(Type.String()),
    ceremony: Type.Object({
      phase: words(["idle", "inviting", "joining", "talking", "comparing", "waiting"]),
      code: orNull(Type.String()),
      secondsLeft: orNull(Type.Number()),
      digits: orNull(Type.String()),
      versions: orNull(VERSIONS),
      wrongTries: Type.Number(),
      last: orNull(EndingSchema),
    }),
  },
  { description: "Whose peer this box is, and how far a pairing is." },
);

const DrillBoxSchema = Type.Object({ hostname: Type.String(), version: Type.String() });

export const DrillResultSchema = Type.Object({
  id: Type.String(),
  how: words(["planned", "killed"]),
  at: Time,
  by: Type.String(),
  revision: Type.String(),
  tookMillis: Type.Number(),
  vips: Type.Array(
    Type.Object({
      group: Type.String(),
      address: Type.String(),
      silenceMicros: orNull(Type.Number()),
      sent: Type.Number(),
      lost: Type.Number(),
      pauseMicros: Type.Number(),
      from: words(["a", "b"]),
    }),
  ),
  connections: Type.Object({ before: Type.Number(), after: Type.Number() }),
  allowed: Type.Object({ silenceMicros: Type.Number(), lost: orNull(Type.Number()) }),
  worse: Type.Array(Type.String()),
  back: words(["stayed", "ordered", "worse", "failed"]),
  boxes: Type.Object({ a: DrillBoxSchema, b: DrillBoxSchema }),
});

export const DrillsSchema = Type.Object({
  running: orNull(Type.Object({ id: Type.String(), phase: Type.String() })),
  results: Type.Array(DrillResultSchema),
  trouble: orNull(Type.String()),
  schedule: orNull(Type.String()),
});

export const FlowsSchema = Type.Object({
  total: Type.Number(),
  open: Type.Number(),
  flows: Type.Array(
    Type.Object({
      state: words(["established", "half-open", "udp"]),
      client: Type.String(),
      clientPort: Type.Number(),
      vip: Type.String(),
      vipPort: Type.Number(),
      protocol: words(["tcp", "udp"]),
      service: orNull(Type.String()),
      mode: orNull(words(["nat", "one-arm", "direct"])),
      backend: orNull(Type.String()),
      backendAddress: Type.String(),
      backendPort: Type.Number(),
      sourcePort: orNull(Type.Number()),
      idleMillis: Type.Number(),
      remarks: Type.Array(
        words(["client closed", "backend closed", "reset", "began anew", "told by the peer", "backend dead"]),
      ),
    }),
  ),
});

export const TraceSchema = Type.Object({
  outcome: words(["backend", "shares", "dropped", "kernel"]),
  backends: Type.Array(Type.Object({ id: Type.String(), share: Type.Number() })),
  counter: orNull(Type.String()),
  steps: Type.Array(
    Type.Object({
      step: words([
        "vip",
        "port",
        "service",
        "access",
        "entry",
        "limit",
        "ring",
        "backend",
        "mode",
        "hop",
        "rewrite",
        "else",
      ]),
      sentence: Type.String(),
      ends: Type.Boolean(),
    }),
  ),
});

export const DrainSchema = Type.Object({
  pool: Type.String(),
  backend: Type.String(),
  draining: Type.Boolean(),
  message: Type.String(),
});

export const CaptureBody = asked({
  service: Type.Optional(ShortText),
  client: Type.Optional(ShortText),
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: "Packets; the default is 1,000." })),
  seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600, description: "The default is 60." })),
  snap: Type.Optional(Type.Integer({ minimum: 1, maximum: 256, description: "Bytes of each frame." })),
});

export const PingBody = asked({
  to: ShortText,
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: "The default is 4." })),
});
export const TracerouteBody = asked({ to: ShortText });

const began = Type.Object({ kind: words(["began"]), address: Type.String() });

export const PingEventSchema = Type.Union([
  began,
  Type.Object({ kind: words(["answer"]), sequence: Type.Integer(), rttMicros: Type.Number() }),
  Type.Object({ kind: words(["silence"]), sequence: Type.Integer() }),
  Type.Object({
    kind: words(["unreachable"]),
    sequence: Type.Integer(),
    from: orNull(Type.String()),
    reason: Type.String(),
  }),
  Type.Object({ kind: words(["ended"]), sent: Type.Integer(), received: Type.Integer() }),
]);

export const TracerouteEventSchema = Type.Union([
  began,
  Type.Object({
    kind: words(["hop"]),
    hop: Type.Integer(),
    from: orNull(Type.String()),
    rttMicros: orNull(Type.Number()),
    reason: orNull(Type.String()),
  }),
  Type.Object({ kind: words(["ended"]), reached: Type.Boolean() }),
]);

/** Each line compiles only while a schema says what core's type says. */
export const TWINS = [
  true satisfies Same<Static<typeof BoxesSchema>, BoxesShown>,
  true satisfies Same<keyof Static<typeof PairingSchema>, keyof PairingShown>,
  true satisfies Same<Static<typeof DrillsSchema>, DrillsShown>,
  true satisfies Same<Static<typeof FlowsSchema>, FlowsShown>,
  true satisfies Same<Static<typeof TraceSchema>, TraceShown>,
  true satisfies Same<Static<typeof DrainSchema>, DrainShown>,
  true satisfies Same<Static<typeof PingEventSchema>, PingEvent>,
  true satisfies Same<Static<typeof TracerouteEventSchema>, TracerouteEvent>,
  true satisfies Same<Static<typeof CaptureBody>, CaptureQuery>,
] as const;
