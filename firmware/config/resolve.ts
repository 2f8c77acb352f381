/** Turns a document into what one box makes of it: per-box values chosen, defaults filled in, names looked up. */
import {
  family,
  type InterfaceAddress,
  type IpAddress,
  parseIfname,
  parseInterfaceAddress,
  parseIpAddress,
} from "@futago/hal/units/address.ts";
import { dataPorts, standsOn } from "./data-ports.ts";
import {
  advertisementIntervalMsDefault,
  checkIntervalMsDefault,
  checkTimeoutMs,
  dnsPortDefault,
  expectStatusDefault,
  fallDefault,
  flowsDefault,
  heartbeatPortDefault,
  httpPathDefault,
  httpPortDefault,
  httpsPortDefault,
  priorityDefault,
  priorityPreferred,
  riseDefault,
  routeMetricDefault,
  slowStartSecondsDefault,
  tcpIdleTimeoutSecondsDefault,
  udpIdleTimeoutSecondsDefault,
  verifyDefault,
  weightDefault,
} from "./defaults.ts";
import { parseDrillTimes } from "./drill-times.ts";
import { formats } from "./formats.ts";
import type { Box } from "./orders.ts";
import { parsePrefix } from "./prefix.ts";
import type {
  CheckConfig,
  Resolved,
  ResolvedGroup,
  ResolvedPair,
  ResolvedPool,
  ResolvedRoute,
  ResolvedService,
  ResolvedVirtualRouter,
} from "./resolved.ts";
import type {
  CheckDocument,
  Document,
  GroupDocument,
  InterfaceDocument,
  PerBox,
  PoolDocument,
  RouteDocument,
  ServiceDocument,
  VirtualRouterDocument,
} from "./schema.ts";
import { parseStatusRanges } from "./status-ranges.ts";

/**
 * The configuration as `box` sees it. The document's shape must have been checked. A service whose address is no
 * virtual address is left out; `validate` refuses such a document.
 */
export function resolveForBox(
  document: Document,
  box: Box | undefined,
  pools: readonly ResolvedPool[] = resolvePools(document),
): Resolved {
  const side = document.pair === undefined ? undefined : box;
  const groups = (document.failoverGroups ?? []).map((group) => resolveGroup(group, side));
  const interfaces = document.interfaces.map((link) => ({
    name: link.name,
    device: must(parseIfname(chosen(link.device, side))),
    addresses: (chosen(link.addresses, side) ?? []).map(interfaceAddress),
    peerAddresses: peerAddresses(link, side),
  }));
  return {
    box: side,
    system: { hostname: chosen(document.system?.hostname, side), timezone: chosen(document.system?.timezone, side) },
    interfaces,
    routes: (document.routes ?? []).map((route) => resolveRoute(route, side)),
    pair: resolvePair(document, side, { interfaces, groups }),
    groups,
    pools,
    services: (document.services ?? []).flatMap((service) => resolveService(service, groups) ?? []),
    balancer: { flows: document.balancer?.flows ?? flowsDefault },
  };
}

/** What the other box holds on the same interface. */
function peerAddresses(link: InterfaceDocument, box: Box | undefined): readonly InterfaceAddress[] {
  if (box === undefined) return [];
  return (chosen(link.addresses, box === "a" ? "b" : "a") ?? []).map(interfaceAddress);
}

/** The value for one box. */
export function chosen<T>(value: PerBox<T>, box: Box | undefined): T {
  return isPerBox(value) ? value[box ?? "a"] : value;
}

export function isPerBox<T>(value: PerBox<T>): value is { readonly a: T; readonly b: T } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "a" in value;
}

function resolveRoute(route: RouteDocument, box: Box | undefined): ResolvedRoute {
  const via = ipAddress(chosen(route.via, box));
  return {
    destination: route.to === "default" ? undefined : interfaceAddress(route.to),
    family: family(via),
    via,
    interface: route.interface,
    metric: route.metric ?? routeMetricDefault,
  };
}

function resolvePair(
  { pair }: Document,
  box: Box | undefined,
  ports: Pick<Resolved, "interfaces" | "groups">,
): ResolvedPair | undefined {
  if (pair === undefined) return undefined;
  const shut = pair.standby === "cold" ? dataPorts(ports) : [];
  const open = (name: string) => !ports.interfaces.some((link) => link.name === name && standsOn(link.device, shut));
  return {
    standby: pair.standby ?? "hot",
    partition: pair.partition ?? "availability",
    witnesses: (chosen(pair.witnesses, box) ?? []).map(ipAddress),
    heartbeat: {
      over: (pair.heartbeat?.over ?? ports.interfaces.map((link) => link.name)).filter(open),
      profile: pair.heartbeat?.profile ?? "default",
      fixed: pair.heartbeat?.fixed ?? false,
      port: pair.heartbeat?.port ?? heartbeatPortDefault,
    },
    drill: pair.drill === undefined ? undefined : parseDrillTimes(pair.drill),
  };
}

function resolveGroup(group: GroupDocument, box: Box | undefined): ResolvedGroup {
  const written = group.virtualRouters.map((vr) => chosen(vr.priority, box)).find((priority) => priority !== undefined);
  const preferredHere = box !== undefined && group.preferred === box;
  return {
    name: group.name,
    preferred: group.preferred,
    preempt: group.preempt ?? false,
    priority: written ?? (preferredHere ? priorityPreferred : priorityDefault),
    tracks: (group.track ?? []).map(({ check, weight }) => ({
      check: resolveCheck(check, "track"),
      address: "address" in check && check.address !== undefined ? ipAddress(check.address) : undefined,
      penalty: -weight,
    })),
    virtualRouters: group.virtualRouters.map(resolveVirtualRouter),
  };
}

function resolveVirtualRouter(vr: VirtualRouterDocument): ResolvedVirtualRouter {
  const addresses = vr.addresses.map(interfaceAddress);
  const [first] = addresses;
  return {
    name: vr.name,
    interface: vr.interface,
    vrid: vr.vrid ?? 0,
    family: first === undefined ? "ipv4" : family(first.address),
    addresses,
    advertisementIntervalMs: vr.advertisementIntervalMs ?? advertisementIntervalMsDefault,
    checksum: vr.checksum ?? "rfc5798",
    virtualMac: vr.virtualMac ?? false,
  };
}

/** The pools, which both boxes see alike. */
export function resolvePools(document: Document): readonly ResolvedPool[] {
  return (document.pools ?? []).map(resolvePool);
}

function resolvePool(pool: PoolDocument): ResolvedPool {
  return {
    name: pool.name,
    backends: pool.backends.map((backend) => ({
      name: backend.name,
      address: ipAddress(backend.address),
      port: backend.port,
      weight: backend.weight ?? weightDefault,
      backup: backend.backup ?? false,
      maxConnections: backend.maxConnections,
    })),
    check: resolveCheck(pool.check ?? checkDefault, "pool"),
    slowStartSeconds: pool.slowStartSeconds ?? slowStartSecondsDefault,
  };
}

/** A pool that says nothing still does not send clients to the dead. */
const checkDefault: CheckDocument = { type: "tcp" };

function resolveCheck(check: CheckDocument, where: "pool" | "track"): CheckConfig {
  if (check.type === "none") return { kind: "none" };
  const intervalMs = check.intervalMs ?? checkIntervalMsDefault;
  const timing = {
    intervalMs,
    timeoutMs: check.timeoutMs ?? checkTimeoutMs(intervalMs),
    rise: check.rise ?? riseDefault,
    fall: check.fall ?? fallDefault,
  };
  switch (check.type) {
    case "icmp":
      return { kind: "icmp", ...timing };
    case "tcp":
      return { kind: "tcp", port: check.port, ...timing };
    case "http":
      return {
        kind: "http",
        port: check.port ?? (where === "track" ? httpPortDefault : undefined),
        ...resolveAnswer(check),
        ...timing,
      };
    case "https":
      return {
        kind: "https",
        port: check.port ?? (where === "track" ? httpsPortDefault : undefined),
        sni: serverNameOf(check),
        verify: check.verify ?? verifyDefault,
        ...resolveAnswer(check),
        ...timing,
      };
    case "dns":
      return {
        kind: "dns",
        port: check.port ?? (where === "track" ? dnsPortDefault : undefined),
        query: check.query,
        expectAnswer: check.expectAnswer === undefined ? undefined : ipAddress(check.expectAnswer),
        ...timing,
      };
  }
}

/** What an HTTP check asks for and expects, over TLS or not. */
function resolveAnswer(check: Extract<CheckDocument, { type: "http" | "https" }>) {
  return {
    path: check.path ?? httpPathDefault,
    host: check.host,
    expectStatus: must(parseStatusRanges(check.expectStatus ?? expectStatusDefault)),
    expectBody: check.expectBody,
  };
}

/** The name to ask for in the handshake: `sni`, else that of `host` unless it is an address (RFC 6066 §3). */
export function serverNameOf({ sni, host }: { readonly sni?: string; readonly host?: string }): string | undefined {
  const name = sni ?? host?.replace(/:[0-9]+$/, "") ?? "";
  return formats.serverName.accepts(name) ? name : undefined;
}

/** The service with its addresses; undefined when its address is no virtual address. */
export function resolveService(
  service: ServiceDocument,
  groups: readonly ResolvedGroup[],
): ResolvedService | undefined {
  const address = parseIpAddress(service.address);
  for (const group of groups) {
    for (const vr of group.virtualRouters) {
      const vips = vr.addresses.map((vip) => vip.address).filter((vip) => family(vip) === vr.family);
      const addresses =
        address === undefined ? (vr.name === service.address ? vips : []) : vips.filter((vip) => vip === address);
      if (addresses.length > 0) return balanced(service, { addresses, family: vr.family, group: group.name });
    }
  }
  return undefined;
}

function balanced(
  service: ServiceDocument,
  place: Pick<ResolvedService, "addresses" | "family" | "group">,
): ResolvedService {
  const { name, protocol, port, pool, sorryPool, newConnectionsPerSecond } = service;
  const { maxConnections, maxConnectionsPerClient } = service;
  const idleDefault = protocol === "tcp" ? tcpIdleTimeoutSecondsDefault : udpIdleTimeoutSecondsDefault;
  return {
    name,
    ...place,
    protocol,
    port,
    pool,
    mode: service.mode ?? "nat",
    persistence: service.persistence ?? "none",
    allow: (service.allow ?? []).map((text) => must(parsePrefix(text))),
    deny: (service.deny ?? []).map((text) => must(parsePrefix(text))),
    sorryPool,
    newConnectionsPerSecond,
    maxConnections,
    maxConnectionsPerClient,
    idleTimeoutSeconds: service.idleTimeoutSeconds ?? idleDefault,
  };
}

function ipAddress(text: string): IpAddress {
  return must(parseIpAddress(text));
}

function interfaceAddress(text: string): InterfaceAddress {
  return must(parseInterfaceAddress(text));
}

/** The shape check accepted the text, so its parser does too. */
function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a document reached resolve without its shape having been checked");
  return value;
}
