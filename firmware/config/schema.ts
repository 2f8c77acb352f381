/**
 * The whole configuration document as one TypeBox schema, and its type. Validation, the reference in
 * docs/configuration.md and the forms of the web UI are made from it. What a value means beside others is
 * checked in `check-*.ts`.
 */
import { type Static, Type } from "typebox";
import {
  advertisementIntervalMsDefault,
  flowsDefault,
  heartbeatPortDefault,
  routeMetricDefault,
  slowStartSecondsDefault,
  tcpIdleTimeoutSecondsDefault,
  udpIdleTimeoutSecondsDefault,
  weightDefault,
} from "./defaults.ts";
import {
  accessEntriesPerServiceMax,
  addressesPerInterfaceMax,
  addressesPerVirtualRouterMax,
  backendsPerPoolMax,
  flowsMax,
  flowsMin,
  groupsMax,
  interfacesMax,
  poolsMax,
  routesMax,
  servicesMax,
  tracksPerGroupMax,
  virtualRoutersPerGroupMax,
  witnessesMax,
} from "./limits.ts";
import { CheckSchema } from "./schema-check.ts";
import { closed, Ip, IpWithPrefix, Name, oneOf, perBox, Port, Prefix } from "./schema-parts.ts";

const SystemSchema = closed(
  {
    hostname: Type.Optional(perBox(Type.String({ format: "hostname", description: "The box's own name." }))),
    timezone: Type.Optional(
      perBox(
        Type.String({ format: "timezone", description: "A name of the time zone database, such as `Asia/Tokyo`." }),
      ),
    ),
  },
  { description: "The box as a computer." },
);

const InterfaceSchema = closed(
  {
    name: { ...Name, description: "What the rest of the document calls this interface." },
    device: perBox(Type.String({ format: "ifname", description: "The Linux network device, such as `eth0`." })),
    addresses: Type.Optional(
      perBox(
        Type.Array(IpWithPrefix, { maxItems: addressesPerInterfaceMax, description: "The box's own addresses here." }),
      ),
    ),
  },
  { description: "A network port and the box's own addresses on it." },
);

const RouteSchema = closed(
  {
    to: Type.String({ format: "destination", description: "`default`, or a subnet such as `10.9.0.0/16`." }),
    via: perBox({ ...Ip, description: "The gateway." }),
    interface: Type.Optional({
      ...Name,
      description: "The interface to leave by; needed when `via` is a link-local address.",
    }),
    metric: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 0xffff_ffff,
        default: routeMetricDefault,
        description: "Of several routes to the same place the lowest metric wins.",
      }),
    ),
  },
  { description: "A static route." },
);

const HeartbeatSchema = closed(
  {
    over: Type.Optional(
      Type.Array(Name, {
        minItems: 1,
        maxItems: interfacesMax,
        description:
          "The interfaces that carry heartbeats. Left out, all of them. In a `cold` pair those of virtual routers carry none: the spare has them shut.",
      }),
    ),
    profile: Type.Optional(
      oneOf(["default", "fast", "calm"], {
        default: "default",
        description: "How soon a silent peer counts as dead: `default` 75 ms, `fast` 15 ms, `calm` 600 ms.",
      }),
    ),
    fixed: Type.Optional(
      Type.Boolean({ default: false, description: "Forbids widening that time on a machine that is itself late." }),
    ),
    port: Type.Optional({ ...Port, default: heartbeatPortDefault, description: "The UDP port of the heartbeats." }),
  },
  { description: "How the boxes of a pair see that the other lives." },
);

const PairSchema = closed(
  {
    standby: Type.Optional(
      oneOf(["hot", "cold"], {
        default: "hot",
        description:
          "`hot`: both boxes run, the standby takes over by itself. `cold`: one box is a spare with the ports of the virtual routers shut, until a person activates it.",
      }),
    ),
    partition: Type.Optional(
      oneOf(["availability", "safety"], {
        default: "availability",
        description:
          "What a box does that sees neither peer nor witness: `availability` goes on serving, `safety` falls silent (needs `witnesses`).",
      }),
    ),
    witnesses: Type.Optional(
      perBox(
        Type.Array(Ip, {
          maxItems: witnessesMax,
          description: "Addresses that answer ICMP echo and tell a dead peer from cut cables, such as the gateway.",
        }),
      ),
    ),
    heartbeat: Type.Optional(HeartbeatSchema),
    drill: Type.Optional(
      Type.String({
        format: "drillTimes",
        description:
          "When the pair tries a real hand-over by itself, in the box's time zone: `Sun 04:00`, `Mon,Thu 23:30`, `daily 04:00`. Left out, only when somebody asks with `futago drill`.",
      }),
    ),
  },
  { description: "The two boxes as a pair. A document without it is for a box alone." },
);

const VirtualRouterSchema = closed(
  {
    name: Type.Optional({ ...Name, description: "What services may say instead of the address." }),
    interface: { ...Name, description: "The interface that carries the virtual addresses." },
    vrid: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 255, description: "VRRP's number. Left out, chosen once and written back." }),
    ),
    addresses: Type.Array(IpWithPrefix, {
      minItems: 1,
      maxItems: addressesPerVirtualRouterMax,
      description:
        "The virtual addresses with the prefix length of their subnet, such as `10.1.0.1/24`, all of one family. IPv6 gets a link-local one by itself.",
    }),
    priority: Type.Optional(
      perBox(
        Type.Integer({
          minimum: 1,
          maximum: 255,
          description:
            "VRRP's Priority. Left out: 200 on the preferred box, else 100. 255 only on a box alone that owns the addresses.",
        }),
      ),
    ),
    advertisementIntervalMs: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 40_950,
        multipleOf: 10,
        default: advertisementIntervalMsDefault,
        description: "VRRP's Advertisement_Interval in milliseconds, in steps of 10.",
      }),
    ),
    checksum: Type.Optional(
      oneOf(["rfc5798", "rfc9568"], {
        default: "rfc5798",
        description:
          "The reading of the IPv4 checksum that is sent; both are accepted. `rfc5798` (with pseudo-header) is what keepalived and FRR expect.",
      }),
    ),
    virtualMac: Type.Optional(
      Type.Boolean({ default: false, description: "Answers with VRRP's virtual MAC instead of the port's own." }),
    ),
  },
  { description: "VRRP's unit: an interface, a VRID and virtual addresses." },
);

const TrackSchema = closed(
  {
    check: CheckSchema,
    weight: Type.Integer({ minimum: -254, maximum: -1, description: "Added to the Priority while the check fails." }),
  },
  { description: "A check whose failure makes the box less fit to hold the group." },
);

const GroupSchema = closed(
  {
    name: { ...Name, description: "A letter, then letters, digits, `-` and `_`; at most 63." },
    preferred: Type.Optional(oneOf(["a", "b"], { description: "The box that holds the group when both can." })),
    preempt: Type.Optional(
      Type.Boolean({ default: false, description: "The fitter box takes the group back by itself when it returns." }),
    ),
    track: Type.Optional(
      Type.Array(TrackSchema, {
        maxItems: tracksPerGroupMax,
        description: "Checks that lower the Priority when they fail.",
      }),
    ),
    virtualRouters: Type.Array(VirtualRouterSchema, {
      minItems: 1,
      maxItems: virtualRoutersPerGroupMax,
      description: "What the group consists of.",
    }),
  },
  { description: "Virtual routers that always move together." },
);

const BackendSchema = closed(
  {
    name: { ...Name, description: "What status, logs and paths call it." },
    address: { ...Ip, description: "Its own address." },
    port: { ...Port, description: "The port it listens on." },
    weight: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        default: weightDefault,
        description: "Its share of new connections; 0 takes none.",
      }),
    ),
    backup: Type.Optional(
      Type.Boolean({ default: false, description: "A backup backend: serves only while no other lives." }),
    ),
    maxConnections: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: flowsMax,
        description:
          "Connections that one service keeps with it at most; new ones then go to the others. Left out, no limit.",
      }),
    ),
  },
  { description: "One server of a pool." },
);

const PoolSchema = closed(
  {
    name: { ...Name, description: "A letter, then letters, digits, `-` and `_`; at most 63." },
    backends: Type.Array(BackendSchema, { maxItems: backendsPerPoolMax, description: "At least one." }),
    check: Type.Optional({
      ...CheckSchema,
      description: "How to see whether a backend lives. Left out, a `tcp` check.",
    }),
    slowStartSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600,
        default: slowStartSecondsDefault,
        description:
          "A backend that has become healthy again reaches its whole share after this long, in at most five steps. 0: at once.",
      }),
    ),
  },
  { description: "The backends behind services." },
);

const ServiceSchema = closed(
  {
    name: { ...Name, description: "A letter, then letters, digits, `-` and `_`; at most 63." },
    address: Type.String({ format: "nameOrIp", description: "A virtual address, or the `name` of a virtual router." }),
    protocol: oneOf(["tcp", "udp"], { description: "The transport protocol." }),
    port: { ...Port, description: "The port that clients connect to." },
    pool: { ...Name, description: "The pool that serves it." },
    mode: Type.Optional(
      oneOf(["nat", "one-arm", "direct"], {
        default: "nat",
        description:
          "`nat`: the box is the backends' gateway, the client's address is kept. `one-arm`: backends see the virtual address as their client, and need nothing. `direct`: backends have the virtual address themselves and answer past the box.",
      }),
    ),
    persistence: Type.Optional(
      oneOf(["none", "source"], {
        default: "none",
        description: "`source`: all connections of one client address go to one backend.",
      }),
    ),
    allow: Type.Optional(
      Type.Array(Prefix, {
        maxItems: accessEntriesPerServiceMax,
        description:
          "Clients that are served, as subnets or addresses; with any, all others are denied. Of entries here and in `deny` the one with the longest prefix decides.",
      }),
    ),
    deny: Type.Optional(
      Type.Array(Prefix, {
        maxItems: accessEntriesPerServiceMax,
        description: "Clients whose packets are dropped, as subnets or addresses.",
      }),
    ),
    sorryPool: Type.Optional({
      ...Name,
      description: "The pool that serves while no backend of `pool` lives, not even a backup backend.",
    }),
    newConnectionsPerSecond: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: "New connections of one client address a second; what is beyond is dropped. Left out, no limit.",
      }),
    ),
    maxConnections: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: flowsMax,
        description:
          "Connections that the service has open at a time; new ones beyond are dropped. Left out, no limit.",
      }),
    ),
    maxConnectionsPerClient: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: flowsMax,
        description:
          "Connections that one client address has open at a time; new ones beyond are dropped. Left out, no limit.",
      }),
    ),
    idleTimeoutSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 604_800,
        description: `A connection that is silent for this long is forgotten. Left out, ${tcpIdleTimeoutSecondsDefault} with tcp (RFC 5382 REQ-5) and ${udpIdleTimeoutSecondsDefault} with udp (RFC 4787 REQ-5).`,
      }),
    ),
  },
  { description: "A virtual address, protocol and port that a pool answers." },
);

const BalancerSchema = closed(
  {
    flows: Type.Optional(
      Type.Integer({
        minimum: flowsMin,
        maximum: flowsMax,
        default: flowsDefault,
        description: "Connections that the box can remember at a time, of all services together.",
      }),
    ),
  },
  { description: "What the services share." },
);

/** The configuration document. */
export const DocumentSchema = closed(
  {
    system: Type.Optional(SystemSchema),
    interfaces: Type.Array(InterfaceSchema, {
      minItems: 1,
      maxItems: interfacesMax,
      description: "The network ports that Futago uses.",
    }),
    routes: Type.Optional(Type.Array(RouteSchema, { maxItems: routesMax, description: "Static routes." })),
    pair: Type.Optional(PairSchema),
    failoverGroups: Type.Optional(
      Type.Array(GroupSchema, { maxItems: groupsMax, description: "What moves between the boxes." }),
    ),
    pools: Type.Optional(Type.Array(PoolSchema, { maxItems: poolsMax, description: "Servers by what they serve." })),
    services: Type.Optional(
      Type.Array(ServiceSchema, { maxItems: servicesMax, description: "What clients connect to." }),
    ),
    balancer: Type.Optional(BalancerSchema),
  },
  { notBuilt: ["names", "firewall"], description: "The configuration of a box alone or of a pair." },
);

type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** A configuration as written: defaults left out, values that differ per box as `{a, b}`. */
export type Document = Immutable<Static<typeof DocumentSchema>>;
export type InterfaceDocument = Document["interfaces"][number];
export type RouteDocument = NonNullable<Document["routes"]>[number];
export type GroupDocument = NonNullable<Document["failoverGroups"]>[number];
export type VirtualRouterDocument = GroupDocument["virtualRouters"][number];
export type PoolDocument = NonNullable<Document["pools"]>[number];
export type ServiceDocument = NonNullable<Document["services"]>[number];
export type CheckDocument = Immutable<Static<typeof CheckSchema>>;
/** A value that may differ per box. */
export type PerBox<T> = T | { readonly a: T; readonly b: T };
