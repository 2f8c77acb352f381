/** What the balancer is asked to do, and the conflicts in it that no table could hold. */
import type { InterfaceAddress, IpAddress } from "@futago/hal/units/address.ts";
import {
  type BackendState,
  type Persistence,
  SERVICE_BACKENDS_MAX,
  type ServiceMode,
  type ServiceProtocol,
} from "@futago/hal/units/balancer.ts";
import { atOnce } from "@futago/hal/units/steps.ts";

/** A service on one address. What is not changed stays the same object from one call to the next: see `plan.ts`. */
export interface BalancedService {
  /** For refusals; need not be unique. */
  readonly name: string;
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: ServiceProtocol;
  readonly mode: ServiceMode;
  readonly persistence: Persistence;
  /** Clients that are served; with any, what neither list names is denied. The longest prefix decides. */
  readonly allow: readonly InterfaceAddress[];
  readonly deny: readonly InterfaceAddress[];
  /** Of one client address; 0 is no limit. */
  readonly newFlowsPerSecond: number;
  /** Open flows at most, in all and of one client address; 0 is no limit. */
  readonly flowsMax: number;
  readonly clientFlowsMax: number;
  /** A flow that was silent for longer is forgotten. */
  readonly idleTimeoutSeconds: number;
  readonly backends: readonly BalancedBackend[];
  /** Serve while no backend of the service can. */
  readonly sorry: readonly BalancedBackend[];
}

export interface BalancedBackend {
  /** Stable across configurations and equal on both boxes, such as "web/s1". */
  readonly id: string;
  readonly address: IpAddress;
  readonly port: number;
  /** 0 takes no new flows. */
  readonly weight: number;
  /** A backup backend: it serves only while no other does. */
  readonly backup: boolean;
  readonly alive: boolean;
  /** Not alive as far as the box sees, which may be cut off itself: it keeps its flows all the same. */
  readonly blind: boolean;
  /** Keeps its flows and takes no new ones. */
  readonly draining: boolean;
  /** How much of its weight counts, in {@link SLOW_START_STEPS} steps, since it returned. */
  readonly step: number;
  /** Bits of its address that name its subnet, where that is on a link of the box; 0 where it is not. */
  readonly subnetBits: number;
  /** Open flows at most; 0 is no limit. */
  readonly flowsMax: number;
}

/** In so many steps a backend that returned comes to its whole weight. */
export const SLOW_START_STEPS = 5;

export type ServiceConflict =
  | { readonly kind: "duplicateService"; readonly service: string; readonly other: string }
  /** Replies of the backend could belong to either service, or it is named twice in one. */
  | { readonly kind: "backendShared"; readonly service: string; readonly other: string; readonly backend: string }
  | { readonly kind: "backendIsVip"; readonly service: string; readonly backend: string }
  | { readonly kind: "backendIsOwn"; readonly service: string; readonly backend: string }
  | { readonly kind: "backendsTooMany"; readonly service: string }
  | { readonly kind: "servicesTooMany" };

export interface Bounds {
  /** The size of the tables. */
  readonly servicesMax: number;
  /** The box's own addresses: what goes there is not forwarded. */
  readonly own: ReadonlySet<IpAddress>;
}

/** The first conflict, or undefined when every service can be held. */
export function findServiceConflict(services: readonly BalancedService[], bounds: Bounds): ServiceConflict | undefined {
  return atOnce(findConflictInSteps(services, bounds));
}

/** As {@link findServiceConflict}; a step is a service. */
export function* findConflictInSteps(
  services: readonly BalancedService[],
  { servicesMax, own }: Bounds,
): Generator<undefined, ServiceConflict | undefined> {
  if (services.length > servicesMax) return { kind: "servicesTooMany" };
  const vips = new Set(services.map((service) => service.address));
  const byVip = new Map<string, string>();
  /** A reply in `nat` is known by its source alone. */
  const natBackends = new Map<string, string>();
  for (const service of services) {
    const vip = serviceKey(service);
    const twin = byVip.get(vip);
    if (twin !== undefined) return { kind: "duplicateService", service: service.name, other: twin };
    byVip.set(vip, service.name);
    const backends = allBackends(service);
    if (backends.length > SERVICE_BACKENDS_MAX) return { kind: "backendsTooMany", service: service.name };
    const taken = service.mode === "nat" ? natBackends : new Map<string, string>();
    for (const { id, address, port } of backends) {
      if (vips.has(address)) return { kind: "backendIsVip", service: service.name, backend: id };
      if (own.has(address)) return { kind: "backendIsOwn", service: service.name, backend: id };
      const key = endpointKey(address, port, service.protocol);
      const other = taken.get(key);
      if (other !== undefined) return { kind: "backendShared", service: service.name, other, backend: id };
      taken.set(key, service.name);
    }
    yield undefined;
  }
  return undefined;
}

/** Names the service as long as it exists. */
export function serviceKey(service: BalancedService): string {
  return endpointKey(service.address, service.port, service.protocol);
}

export function endpointKey(address: IpAddress, port: number, protocol: ServiceProtocol): string {
  return `${protocol} ${address}:${port}`;
}

/** All that can get packets of the service, each with an ordinal of its own. */
export function allBackends(service: BalancedService): readonly BalancedBackend[] {
  return service.sorry.length === 0 ? service.backends : [...service.backends, ...service.sorry];
}

/** A datagram finds another backend, where a connection that is not kept is lost. */
export function keepsFlows({ alive, blind }: BalancedBackend, protocol: ServiceProtocol): boolean {
  return alive || (blind && protocol === "tcp");
}

export function stateOf(backend: BalancedBackend, protocol: ServiceProtocol): BackendState {
  if (!keepsFlows(backend, protocol)) return "dead";
  return backend.draining || !backend.alive ? "draining" : "alive";
}

/**
 * Those that new flows go to: the living primaries, or the living backup backends while there is none, or those of the
 * sorry pool while there is neither.
 */
export function candidates(service: Pick<BalancedService, "backends" | "sorry">): readonly BalancedBackend[] {
  const own = able(service.backends);
  return own.length > 0 ? own : able(service.sorry);
}

function able(backends: readonly BalancedBackend[]): readonly BalancedBackend[] {
  const all = backends.filter(({ alive, draining, weight }) => alive && !draining && weight > 0);
  const primaries = all.filter((backend) => !backend.backup);
  return primaries.length > 0 ? primaries : all;
}
