/**
 * Everything that core looks at: the backends of pools, what failover groups track, the gateways of default routes.
 * Made from the configuration; whether something is healthy is decided elsewhere. Pure.
 */
import {
  family,
  type Ifname,
  inSubnet,
  type InterfaceAddress,
  type IpAddress,
  parseIpAddress,
} from "@futago/hal/units/address.ts";
import type { SystemOrders } from "../../../config/compile-system.ts";
import { deviceTowards } from "../balancer/balanced-services.ts";
import type { CheckConfig, CheckTiming, Resolved, ResolvedPool } from "../../../config/resolved.ts";

export type Probe = Exclude<CheckConfig, { kind: "none" }>;

export interface Subject {
  /** A path of the configuration: "pools.web.backends.s1"; the key by which a state survives a commit. */
  readonly path: string;
  readonly about: /** `at` is the backend's own address and port, "10.2.0.11:80", whatever the check looks at. */
    | { readonly kind: "backend"; readonly pool: string; readonly backend: string; readonly at: string }
    | { readonly kind: "track"; readonly group: string; readonly penalty: number }
    | { readonly kind: "gateway"; readonly device: Ifname };
  readonly probe: Probe;
  readonly address: IpAddress;
  /** The port that packets to it leave by, where the configuration says. */
  readonly device: Ifname | undefined;
  /** For icmp it has no meaning. */
  readonly port: number;
  /** The box's own address to ask from, so that a VIP is never the source; undefined lets the kernel choose. */
  readonly source: IpAddress | undefined;
}

const LOOPBACK = { ipv4: parseIpAddress("127.0.0.1"), ipv6: parseIpAddress("::1") };
const HTTP_PORT = 80;
/** Seen as lost after 1.5 s: slower than any carrier event, faster than people. */
const GATEWAY_TIMING: CheckTiming = { intervalMs: 500, timeoutMs: 400, rise: 2, fall: 3 };

export class SubjectList {
  #ground = "";
  /** What became of a pool that is the same object as before is the same, too. */
  #made: ReadonlyMap<ResolvedPool, readonly Subject[]> = new Map();

  /** A step is a pool. */
  *configure(config: Resolved, system: SystemOrders): Generator<undefined, readonly Subject[]> {
    const ground = JSON.stringify([system.links, system.routes]);
    const former = ground === this.#ground ? this.#made : new Map<ResolvedPool, readonly Subject[]>();
    const made = new Map<ResolvedPool, readonly Subject[]>();
    const all: Subject[] = [];
    for (const pool of config.pools) {
      const subjects = former.get(pool) ?? backends(pool, system);
      made.set(pool, subjects);
      for (const subject of subjects) all.push(subject);
      yield undefined;
    }
    this.#ground = ground;
    this.#made = made;
    return all.concat(tracks(config, system), gateways(system));
  }
}

function backends({ name: pool, check, backends: all }: ResolvedPool, system: SystemOrders): readonly Subject[] {
  if (check.kind === "none") return [];
  return all.map((backend) => ({
    path: pathOf(pool, backend.name),
    about: { kind: "backend", pool, backend: backend.name, at: `${backend.address}:${backend.port}` } as const,
    probe: check,
    address: backend.address,
    device: deviceTowards(system, backend.address),
    port: portOf(check, backend.port),
    source: sourceFor(system, backend.address),
  }));
}

/** Where the configuration has the backend. */
export function pathOf(pool: string, backend: string): string {
  return `pools.${pool}.backends.${backend}`;
}

function tracks(config: Resolved, system: SystemOrders): readonly Subject[] {
  return config.groups.flatMap(({ name: group, tracks: all }) =>
    all.flatMap(({ check, address, penalty }, i): Subject[] => {
      const target = address ?? LOOPBACK.ipv4;
      if (check.kind === "none" || target === undefined) return [];
      const path = `failoverGroups.${group}.track.${i}`;
      const about = { kind: "track", group, penalty } as const;
      const source = address === undefined ? undefined : sourceFor(system, target);
      const device = address === undefined ? undefined : deviceTowards(system, address);
      return [{ path, about, probe: check, address: target, device, port: portOf(check, HTTP_PORT), source }];
    }),
  );
}

function gateways(system: SystemOrders): readonly Subject[] {
  return system.routes
    .filter((route) => route.destination === undefined)
    .map((route) => ({
      path: `routes.default.${route.via}`,
      about: { kind: "gateway", device: route.device } as const,
      probe: { kind: "icmp", ...GATEWAY_TIMING } as const,
      address: route.via,
      device: route.device,
      port: 0,
      source: undefined,
    }));
}

function portOf(check: Probe, otherwise: number): number {
  return check.kind === "icmp" ? 0 : (check.port ?? otherwise);
}

/** The box's own address in the longest subnet that holds `to`, or on the device that the route to it leaves by. */
export function sourceFor(system: SystemOrders, to: IpAddress): IpAddress | undefined {
  const own = system.links.flatMap(({ device, addresses }) => addresses.map((address) => ({ device, address })));
  const onLink = longest(own.filter(({ address }) => inSubnet(to, address)));
  if (onLink !== undefined) return onLink.address.address;
  const device = deviceTowards(system, to);
  const vias = system.routes.filter((route) => route.device === device).map((route) => route.via);
  const leaving = own.filter((one) => one.device === device && family(one.address.address) === family(to));
  const nextToGateway = leaving.find(({ address }) => vias.some((via) => inSubnet(via, address)));
  return (nextToGateway ?? leaving[0])?.address.address;
}

function longest<T extends { readonly address: InterfaceAddress }>(all: readonly T[]): T | undefined {
  return [...all].sort((x, y) => y.address.prefixLength - x.address.prefixLength)[0];
}
