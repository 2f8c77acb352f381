/** What the box says of itself, as JSON Schema: the twins of the control socket's types. */
import type {
  BoxStatus,
  CheckStatus,
  LogLine,
  NeighbourShown,
  TimelineEvent,
} from "@futago/firmware/runtime/control.ts";
import type { SentinelEvent } from "@futago/firmware/runtime/messages.ts";
import { type Static, Type } from "typebox";
import { orNull, type Same, Time, words } from "./schema-parts.ts";

export const SurvivalSchema = Type.Object(
  {
    survives: words(["yes", "no", "partly"]),
    reasons: Type.Array(
      Type.Object({
        reason: Type.String(),
        weight: words(["no", "partly", "remark"]),
        parameters: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
        sentence: Type.String(),
      }),
    ),
  },
  { description: "Whether the pair would survive the death of either box now, and why not." },
);

export const SystemSchema = Type.Object(
  {
    version: Type.String(),
    slot: orNull(words(["a", "b"])),
    passwordRequest: Type.Boolean({ description: "Chosen at the boot menu: the console sets a password." }),
  },
  { description: "The system that the box was started from." },
);

export const TrafficSchema = Type.Object(
  {
    packetsIn: Type.Number(),
    bytesIn: Type.Number(),
    packetsOut: Type.Number(),
    bytesOut: Type.Number(),
    flows: Type.Number({ description: "Connections that began." }),
  },
  { description: "What the balancer carried since it was loaded." },
);

export const BackendSchema = Type.Object({
  name: Type.String(),
  address: Type.String(),
  port: Type.Integer(),
  weight: Type.Number(),
  backup: Type.Boolean({ description: "Serves only when no other backend of the pool lives." }),
  healthy: Type.Boolean(),
  reason: Type.String(),
  flows: Type.Number(),
  draining: Type.Boolean(),
  limit: orNull(Type.Number()),
  traffic: TrafficSchema,
});

export const ConnectionsSchema = Type.Object(
  { established: Type.Number(), replicated: orNull(Type.Number()) },
  { description: "Of how many connections how many would survive a fail-over now." },
);

const ATTACH = ["native", "generic", "nftables", "none"] as const;

export const ServiceSchema = Type.Object({
  name: Type.String(),
  attach: words(ATTACH),
  attachReason: orNull(Type.String()),
  address: Type.String(),
  port: Type.Integer(),
  protocol: Type.String(),
  pool: Type.String(),
  mode: words(["nat", "one-arm", "direct"]),
  family: words(["ipv4", "ipv6"]),
  persistence: words(["none", "source"]),
  traffic: TrafficSchema,
  connections: ConnectionsSchema,
  oneArmClients: Type.Array(Type.String()),
  backends: Type.Array(BackendSchema),
});

export const GroupSchema = Type.Object({
  name: Type.String(),
  state: words(["initialize", "standby", "active", "fault", "maintenance", "spare"]),
  since: Time,
  reason: Type.String(),
  addresses: Type.Array(Type.String()),
  priority: Type.Number(),
  answering: Type.Boolean(),
});

const PeerSchema = Type.Object({
  alive: Type.Boolean(),
  role: Type.String(),
  revision: Type.String(),
  paths: Type.Array(Type.Object({ interface: Type.String(), alive: Type.Boolean(), rttMicros: orNull(Type.Number()) })),
  addresses: Type.Array(Type.Object({ address: Type.String(), device: Type.String(), ifindex: Type.Integer() })),
});

const HeartbeatSchema = Type.Object({
  profile: words(["default", "fast", "calm"]),
  deadMs: Type.Number(),
  leaseMs: Type.Number(),
  latenessP999Ms: Type.Number(),
  counters: Type.Record(Type.String(), Type.Number()),
});

const AlarmSchema = Type.Object({ kind: Type.String(), since: Time, sentence: Type.String() });

const LastDrillSchema = Type.Object({
  at: Time,
  how: words(["planned", "killed"]),
  passed: Type.Boolean(),
  lost: Type.Number(),
  silenceMicros: orNull(Type.Number()),
  sentence: Type.String(),
  provenAt: orNull(Time),
  provenLost: orNull(Type.Number()),
});

const WatchdogSchema = Type.Object({
  device: Type.String(),
  state: words(["armed", "none", "refused", "starving"]),
  identity: orNull(Type.String()),
  seconds: orNull(Type.Number()),
  neverStops: Type.Boolean(),
  reason: orNull(Type.String()),
});

const LightSchema = Type.Optional(words(["off", "on", "blink"]));

const PanelSchema = Type.Object(
  {
    board: Type.String(),
    locating: Type.Boolean(),
    lights: Type.Object({ role: LightSchema, peer: LightSchema, alarm: LightSchema, locate: LightSchema }),
    button: words(["none", "missing", "ready", "stuck"]),
    watchdog: orNull(WatchdogSchema),
  },
  { description: "Lights, button and watchdog of the machine." },
);

export const StatusSchema = Type.Object(
  {
    box: Type.String(),
    role: Type.String(),
    hostname: Type.String(),
    revision: Type.String(),
    editors: Type.Array(Type.Object({ author: Type.String(), time: Time })),
    unconfirmed: orNull(Type.Object({ revision: Type.String(), author: Type.String(), rollsBackAt: Time })),
    groups: Type.Array(GroupSchema),
    pairing: Type.Object({ kind: words(["alone", "key", "paired", "left"]), linked: Type.Boolean() }),
    peer: orNull(PeerSchema),
    heartbeat: orNull(HeartbeatSchema),
    activation: orNull(Type.Object({ epoch: Type.Number(), active: words(["a", "b", "nobody", "undecided"]) })),
    services: Type.Array(ServiceSchema),
    connections: ConnectionsSchema,
    replication: orNull(
      Type.Object({
        linked: Type.Boolean(),
        whole: Type.Boolean(),
        position: Type.Number(),
        acknowledged: Type.Number(),
        received: Type.Number(),
      }),
    ),
    system: SystemSchema,
    lastDrill: orNull(LastDrillSchema),
    survival: SurvivalSchema,
    panel: orNull(PanelSchema),
    alarms: Type.Array(AlarmSchema),
    counters: Type.Record(Type.String(), Type.Number(), {
      description: "Named counts of what was refused or went wrong.",
    }),
  },
  { description: "What a box does now, and its peer." },
);

const RecordedTimeSchema = Type.Object({
  endedMicros: Type.Number(),
  lastedMicros: Type.Number(),
  paths: Type.Array(Type.Object({ interface: Type.String(), beats: Type.Number(), longestPauseMicros: Type.Number() })),
  latenessMicros: Type.Number(),
  stealPercent: orNull(Type.Number()),
  down: Type.Array(Type.String()),
});

const eventFields = {
  at: Time,
  event: Type.String(),
  // Left out where there is none.
  group: Type.Optional(Type.String()),
  from: Type.Optional(Type.String()),
  to: Type.Optional(Type.String()),
  reason: Type.String(),
  evidence: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
  record: Type.Optional(Type.Object({ whole: RecordedTimeSchema, cells: Type.Array(RecordedTimeSchema) })),
};

export const EventSchema = Type.Object(eventFields, {
  description: "Something that happened, such as a change of role.",
});

export const TimelineSchema = Type.Array(
  Type.Object({
    ...eventFields,
    box: Type.String(),
    clock: orNull(Type.Object({ offsetMillis: Type.Number(), exactMillis: Type.Number() })),
  }),
);

export const HealthSchema = Type.Array(
  Type.Object({
    subject: Type.String(),
    check: Type.String(),
    target: Type.String(),
    healthy: Type.Boolean(),
    reason: Type.String(),
    since: Time,
    rttMicros: orNull(Type.Number()),
    source: words(["own", "active"]),
  }),
);

export const LogSchema = Type.Array(
  Type.Object({
    at: Time,
    level: Type.String(),
    event: Type.String(),
    fields: Type.Record(Type.String(), Type.Unknown()),
  }),
);

export const NeighboursSchema = Type.Array(
  Type.Object({
    device: Type.String(),
    address: Type.String(),
    mac: orNull(Type.String()),
    state: Type.String(),
    managed: Type.Boolean(),
  }),
);

/** Each line compiles only while a schema says what core's type says. */
export const TWINS = [
  true satisfies Same<keyof Static<typeof StatusSchema>, keyof BoxStatus>,
  true satisfies Same<Static<typeof ServiceSchema>, BoxStatus["services"][number]>,
  true satisfies Same<Static<typeof PanelSchema>, NonNullable<BoxStatus["panel"]>>,
  true satisfies Same<keyof Static<typeof EventSchema>, keyof SentinelEvent>,
  true satisfies Same<keyof Static<typeof TimelineSchema>[number], keyof TimelineEvent>,
  true satisfies Same<Static<typeof HealthSchema>, readonly CheckStatus[]>,
  true satisfies Same<Static<typeof LogSchema>, readonly LogLine[]>,
  true satisfies Same<Static<typeof NeighboursSchema>, readonly NeighbourShown[]>,
] as const;
