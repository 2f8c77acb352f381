/** What the balancer is asked to do, and the conflicts in it that no table could hold. */
import type { Ipv4 } from "@futago/hal/units/address.ts";
import { SERVICE_BACKENDS_MAX, type ServiceProtocol } from "@futago/hal/units/balancer.ts";

/** A service in `nat` mode on one address. */
export interface BalancedService {
  /** For refusals; need not be unique. */
  readonly name: string;
  readonly address: Ipv4;
  readonly port: number;
  readonly protocol: ServiceProtocol;
  readonly backends: readonly BalancedBackend[];
}

export interface BalancedBackend {
  /** Stable across configurations and equal on both boxes, such as "web/s1". */
  readonly id: string;
  readonly address: Ipv4;
  readonly port: number;
  /** 0 takes no new flows. */
  readonly weight: number;
  /** A backup backend: it serves only while no other does. */
  readonly backup: boolean;
  readonly alive: boolean;
}

export type ServiceConflict =
  | { readonly kind: "duplicateService"; readonly service: string; readonly other: string }
  /** Replies of the backend could belong to either service. */
  | { readonly kind: "backendShared"; readonly service: string; readonly other: string; readonly backend: string }
  | { readonly kind: "backendIsVip"; readonly service: string; readonly backend: string }
  | { readonly kind: "backendsTooMany"; readonly service: string }
  | { readonly kind: "servicesTooMany" };

/** The first conflict, or undefined when every service can be held. `servicesMax` is the size of the tables. */
export function findServiceConflict(
  services: readonly BalancedService[],
  servicesMax: number,
): ServiceConflict | undefined {
  if (services.length > servicesMax) return { kind: "servicesTooMany" };
  const vips = new Set(services.map((service) => service.address));
  const byVip = new Map<string, string>();
  const byBackend = new Map<string, string>();
  for (const service of services) {
    const vip = endpointKey(service.address, service.port, service.protocol);
    const twin = byVip.get(vip);
    if (twin !== undefined) return { kind: "duplicateService", service: service.name, other: twin };
    byVip.set(vip, service.name);
    if (service.backends.length > SERVICE_BACKENDS_MAX) return { kind: "backendsTooMany", service: service.name };
    for (const { id, address, port } of service.backends) {
      if (vips.has(address)) return { kind: "backendIsVip", service: service.name, backend: id };
      const key = endpointKey(address, port, service.protocol);
      const other = byBackend.get(key);
      if (other !== undefined) return { kind: "backendShared", service: service.name, other, backend: id };
      byBackend.set(key, service.name);
    }
  }
  return undefined;
}

export function endpointKey(address: Ipv4, port: number, protocol: ServiceProtocol): string {
  return `${protocol} ${address}:${port}`;
}

/** Those that new flows go to: the living primaries, or the living backup backends while there is none. */
export function candidates(backends: readonly BalancedBackend[]): readonly BalancedBackend[] {
  const able = backends.filter((backend) => backend.alive && backend.weight > 0);
  const primaries = able.filter((backend) => !backend.backup);
  return primaries.length > 0 ? primaries : able;
}
