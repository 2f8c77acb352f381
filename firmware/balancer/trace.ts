/**
 * Where a packet of a client would go and why, in the order in which the data plane decides: from the same tables, by
 * the same hash. Decides nothing itself, and moves nothing: the tables are as `facts` found them.
 */
import { family, inSubnet, type IpAddress, type Mac } from "@futago/hal/units/address.ts";
import {
  type AccessEntry,
  type BackendState,
  RING_SIZE,
  SERVICE_BACKENDS_MAX,
  type ServiceEntry,
} from "@futago/hal/units/balancer.ts";
import { flowHash, slotsOf } from "./flow-hash.ts";
import * as say from "./trace-sentences.ts";

export interface TraceFacts {
  readonly client: IpAddress;
  /** Undefined: any. */
  readonly clientPort: number | undefined;
  readonly serviceName: string;
  /** Undefined: the tables do not hold the service. */
  readonly service: ServiceEntry | undefined;
  readonly group: GroupFacts;
  /** How the balancer sits on the port that carries the VIP. */
  readonly port: { readonly device: string | undefined; readonly attach: "native" | "generic" | "none" };
  /** The entry of the service's access lists that decides about the client. */
  readonly access: AccessEntry | undefined;
  /** What the service has open in all, and the client there. */
  readonly open: { readonly all: number; readonly client: number };
  /** What is left of the client's new connections; undefined: it made none lately. */
  readonly tokens: number | undefined;
  readonly flow: FlowFacts | undefined;
  readonly ring: Uint16Array;
  /** By number. */
  readonly backends: ReadonlyMap<number, BackendFacts>;
}

export interface GroupFacts {
  readonly name: string;
  readonly state: string;
  readonly reason: string;
  /** The bits of the group while its lease holds; undefined: it has lapsed. */
  readonly lease: { readonly answer: boolean; readonly forward: boolean } | undefined;
}

/** An entry of the flow tables. */
export interface FlowFacts {
  readonly table: "established" | "half-open" | "udp";
  readonly backend: number;
  readonly address: IpAddress;
  readonly port: number;
  readonly vipSourcePort: number;
  readonly idleSeconds: number;
}

export interface BackendFacts {
  /** "web/s1". */
  readonly id: string;
  readonly address: IpAddress;
  readonly port: number;
  readonly state: BackendState;
  /** Bits of its address that name its subnet, where that is on a link of the box; else 0. */
  readonly subnetBits: number;
  /** What its check says. */
  readonly reason: string;
  /** Open connections and how many it may have; 0 is no limit. */
  readonly open: number;
  readonly openMax: number;
  readonly hop: HopFacts | undefined;
}

/** The next hop, by the kernel's routes and neighbours. */
export interface HopFacts {
  readonly device: string;
  /** Undefined: the destination itself is on the link. */
  readonly via: IpAddress | undefined;
  readonly mac: Mac | undefined;
  readonly mtu: number;
}

export interface TraceStep {
  /** Stable word for scripts. */
  readonly step:
    | "vip"
    | "port"
    | "service"
    | "access"
    | "entry"
    | "limit"
    | "ring"
    | "backend"
    | "mode"
    | "hop"
    | "rewrite"
    | "else";
  readonly sentence: string;
  /** The packet goes no further. */
  readonly ends: boolean;
}

export interface TraceShown {
  /** "backend": one; "shares": the client's port decides between several; "kernel": not balanced, the kernel gets it. */
  readonly outcome: "backend" | "shares" | "dropped" | "kernel";
  readonly backends: readonly { readonly id: string; readonly share: number }[];
  /** The counter that would move, such as "dropDenied"; null: none. */
  readonly counter: string | null;
  readonly steps: readonly TraceStep[];
}

/** A packet is followed until something ends its way. */
class Way {
  readonly steps: TraceStep[] = [];

  note(step: TraceStep["step"], sentence: string): void {
    this.steps.push({ step, sentence, ends: false });
  }

  end(step: TraceStep["step"], sentence: string, outcome: "dropped" | "kernel", counter: string | null): TraceShown {
    return { outcome, backends: [], counter, steps: [...this.steps, { step, sentence, ends: true }] };
  }
}

export function trace(facts: TraceFacts): TraceShown {
  const way = new Way();
  const { service, serviceName } = facts;
  if (service === undefined) return way.end("service", say.serviceAway(serviceName), "kernel", "passNoService");
  return arrive(facts, service, way) ?? balance(facts, service, way);
}

/** From the wire to the service. */
function arrive({ group, port, serviceName }: TraceFacts, service: ServiceEntry, way: Way): TraceShown | undefined {
  if (group.lease?.forward !== true) return way.end("vip", say.vipClosed(service, group), "dropped", "passVipClosed");
  way.note("vip", say.vipOpen(service, group));
  if (port.attach === "none") return way.end("port", say.notAttached(port.device), "kernel", null);
  way.note("port", say.attached(port.device, port.attach));
  way.note("service", say.serviceFound(serviceName, service));
  return undefined;
}

function balance(facts: TraceFacts, service: ServiceEntry, way: Way): TraceShown {
  const { access, client, flow, group } = facts;
  if (family(client) !== family(service.address)) {
    return way.end("service", say.otherFamily(client, service), "dropped", null);
  }
  const isDenied = access === undefined ? service.access === "listedOnly" : !access.allowed;
  const sentence = say.accessOf(client, service.access, access);
  if (isDenied) return way.end("access", sentence, "dropped", "dropDenied");
  way.note("access", sentence);
  const known = followEntry(facts, service, way);
  if (known !== undefined) return known;
  if (flow === undefined && service.protocol === "tcp" && group.lease?.answer !== true) {
    return way.end("vip", say.newFlowClosed(group), "dropped", "passNewFlowClosed");
  }
  return overLimit(facts, service, way) ?? followRing(facts, service, way);
}

/** Undefined when there is no entry that counts. */
function followEntry(facts: TraceFacts, service: ServiceEntry, way: Way): TraceShown | undefined {
  const { flow } = facts;
  if (facts.clientPort === undefined) {
    way.note("entry", say.entryNeedsPort());
    return undefined;
  }
  if (flow === undefined) {
    way.note("entry", say.noEntry(service));
    return undefined;
  }
  const backend = facts.backends.get(flow.backend);
  const isSame = backend?.address === flow.address && backend.port === flow.port;
  if (backend !== undefined && isSame && backend.state !== "dead") {
    way.note("entry", say.entryOf(flow, backend));
    return reach(facts, service, [{ backend, share: 1 }], way);
  }
  const gone = say.entryOfDead(flow, isSame ? backend : undefined);
  if (service.protocol === "tcp") return way.end("entry", gone, "dropped", "dropDeadBackend");
  way.note("entry", gone);
  return undefined;
}

function overLimit({ client, tokens, open }: TraceFacts, service: ServiceEntry, way: Way): TraceShown | undefined {
  const { newFlowsPerSecond, flowsMax, clientFlowsMax } = service;
  if (newFlowsPerSecond !== 0) {
    const sentence = say.limit(client, newFlowsPerSecond, tokens ?? newFlowsPerSecond);
    if (tokens === 0) return way.end("limit", sentence, "dropped", "dropSourceLimit");
    way.note("limit", sentence);
  }
  for (const [whose, limit, has, counter] of [
    ["The service", flowsMax, open.all, "dropServiceFull"],
    [client, clientFlowsMax, open.client, "dropClientFull"],
  ] as const) {
    if (limit === 0) continue;
    const sentence = say.openLimit(whose, has, limit);
    if (has >= limit) return way.end("limit", sentence, "dropped", counter);
    way.note("limit", sentence);
  }
  return undefined;
}

function followRing(facts: TraceFacts, service: ServiceEntry, way: Way): TraceShown {
  if (facts.clientPort === undefined && service.persistence === "none") return shares(facts, service, way);
  const ends = { client: facts.client, clientPort: facts.clientPort ?? 0, vip: service.address };
  const hash = flowHash({ ...ends, vipPort: service.port, protocol: service.protocol }, service);
  const passed: BackendFacts[] = [];
  for (const slot of slotsOf(hash)) {
    const backend = backendAt(facts, service, slot);
    if (backend === undefined) return way.end("ring", say.ringEmpty(slot), "dropped", "dropNoBackend");
    if (backend.state === "alive" && !isFull(backend)) {
      way.note("ring", say.ring({ hash, slot, backend, passed, persistence: service.persistence }));
      return reach(facts, service, [{ backend, share: 1 }], way);
    }
    if (!passed.includes(backend)) passed.push(backend);
  }
  const counter = passed.some(({ state }) => state === "alive") ? "dropBackendFull" : "dropNoBackend";
  return way.end("ring", say.ringRefuses(passed), "dropped", counter);
}

/** Without the client's port there are as many answers as the ring has backends. */
function shares(facts: TraceFacts, service: ServiceEntry, way: Way): TraceShown {
  const slots = new Map<BackendFacts, number>();
  for (let slot = 0; slot < facts.ring.length; slot++) {
    const backend = backendAt(facts, service, slot);
    if (backend !== undefined) slots.set(backend, (slots.get(backend) ?? 0) + 1);
  }
  if (slots.size === 0) return way.end("ring", say.ringEmpty(undefined), "dropped", "dropNoBackend");
  const parts = [...slots].map(([backend, owned]) => ({ backend, share: owned / RING_SIZE }));
  parts.sort((a, b) => b.share - a.share || (a.backend.id < b.backend.id ? -1 : 1));
  way.note("ring", say.shares(parts));
  return reach(facts, service, parts, way);
}

function backendAt({ ring, backends }: TraceFacts, service: ServiceEntry, slot: number): BackendFacts | undefined {
  const ordinal = ring[slot];
  if (ordinal === undefined || ordinal >= SERVICE_BACKENDS_MAX) return undefined;
  return backends.get(service.index * SERVICE_BACKENDS_MAX + ordinal);
}

function isFull({ open, openMax }: BackendFacts): boolean {
  return openMax !== 0 && open >= openMax;
}

/** From the choice of a backend to the wire. */
function reach(
  facts: TraceFacts,
  service: ServiceEntry,
  parts: readonly { readonly backend: BackendFacts; readonly share: number }[],
  way: Way,
): TraceShown {
  for (const { backend } of parts) way.note("backend", say.standing(backend));
  const beside = service.mode === "nat" ? parts.filter(({ backend }) => isBeside(facts, backend)) : [];
  if (beside.length > 0) way.note("mode", say.beside(facts.client, beside));
  for (const { backend } of parts) {
    const isLost =
      parts.length === 1 && (backend.hop === undefined || (unresolved(backend) && service.mode === "direct"));
    if (isLost) return way.end("hop", say.hop(backend, service.mode), "dropped", "dropNoRoute");
    way.note("hop", say.hop(backend, service.mode));
  }
  const [first] = parts;
  const mode = parts.length > 0 && beside.length === parts.length ? "one-arm" : service.mode;
  if (first !== undefined)
    way.note("rewrite", say.rewrite(facts, service, mode, parts.length === 1 ? first.backend : undefined));
  way.note("else", say.otherwise(service, first?.backend.hop?.mtu));
  const counter = parts.length === 1 && first !== undefined && unresolved(first.backend) ? "passNoNeighbour" : null;
  const backends = parts.map(({ backend, share }) => ({ id: backend.id, share }));
  return { outcome: parts.length === 1 ? "backend" : "shares", backends, counter, steps: way.steps };
}

/** In `nat`: a client in the backend's subnet is served as in `one-arm`, as is whoever has a port that stands for it. */
function isBeside({ client, flow }: TraceFacts, { address, subnetBits }: BackendFacts): boolean {
  if (flow !== undefined && flow.address === address) return flow.vipSourcePort !== 0;
  return subnetBits !== 0 && inSubnet(client, { address, prefixLength: subnetBits });
}

function unresolved({ hop }: BackendFacts): boolean {
  return hop !== undefined && hop.mac === undefined;
}
