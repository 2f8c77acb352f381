/** The devices that the balancer must sit on, and the clients that it serves in another mode than the others. Pure. */
import {
  type Family,
  family,
  formatInterfaceAddress,
  type Ifname,
  inSubnet,
  type InterfaceAddress,
  type IpAddress,
} from "@futago/hal/units/address.ts";
import type { SystemOrders } from "../../../config/compile-system.ts";
import { longestMatch, type SubnetTable } from "../../../config/host-address.ts";
import { subnetsOnLinks } from "../../../config/on-link.ts";
import type { Resolved, ResolvedPool, ResolvedService } from "../../../config/resolved.ts";

/** The devices of a service: where clients come in, and where backends sit. */
export interface ServiceDevices {
  readonly front: Ifname | undefined;
  readonly back: readonly Ifname[];
}

/** By the service's name. */
export function devicesOfServices(config: Resolved, system: SystemOrders): ReadonlyMap<string, ServiceDevices> {
  return new Map(
    config.services.map((service) => {
      const pool = config.pools.find((one) => one.name === service.pool);
      const sorry = config.pools.find((one) => one.name === service.sorryPool);
      const all = [...(pool?.backends ?? []), ...(sorry?.backends ?? [])];
      const back = all.map((backend) => deviceTowards(system, backend.address));
      const known = new Set(back.filter((device) => device !== undefined));
      return [service.name, { front: deviceOfService(config, service), back: [...known] }];
    }),
  );
}

/** Where clients come in and where backends sit. Without services none. */
export function balancedDevices(services: ReadonlyMap<string, ServiceDevices>): readonly Ifname[] {
  const devices = [...services.values()].flatMap(({ front, back }) => [front, ...back]);
  return [...new Set(devices.filter((device) => device !== undefined))];
}

/** The device that carries the service's virtual address. */
export function deviceOfService(config: Resolved, service: ResolvedService): Ifname | undefined {
  const routers = config.groups.flatMap((group) => group.virtualRouters);
  const router = routers.find((one) =>
    one.addresses.some(({ address }) => service.addresses.some((vip) => vip === address)),
  );
  return config.interfaces.find((one) => one.name === router?.interface)?.device;
}

/**
 * The subnets of a `nat` service's backends on the box's links: a backend there answers a client there directly, so
 * such clients are served as in `one-arm`. In the order of the backends.
 */
function oneArmSubnets(
  service: ResolvedService,
  pools: ReadonlyMap<string, ResolvedPool>,
  subnets: SubnetTable<InterfaceAddress>,
): readonly string[] {
  if (service.mode !== "nat") return [];
  const backends = [service.pool, service.sorryPool ?? ""].flatMap((name) => pools.get(name)?.backends ?? []);
  const all = new Set(backends.map(({ address }) => longestMatch(address, subnets)));
  return [...all].flatMap((subnet) => (subnet === undefined ? [] : [formatInterfaceAddress(subnet)]));
}

/** {@link oneArmSubnets} of each service, by its name. */
export function oneArmClients(config: Resolved): ReadonlyMap<string, readonly string[]> {
  const subnets = subnetsOnLinks(config);
  const pools = new Map(config.pools.map((pool) => [pool.name, pool]));
  return new Map(config.services.map((service) => [service.name, oneArmSubnets(service, pools, subnets)]));
}

/** The device that packets to `to` leave by. */
export function deviceTowards(system: SystemOrders, to: IpAddress): Ifname | undefined {
  const neighbour = system.neighbours.find((one) => one.address === to);
  if (neighbour !== undefined) return neighbour.device;
  return [...system.routes]
    .filter((route) => covers(route, to))
    .sort((x, y) => (y.destination?.prefixLength ?? 0) - (x.destination?.prefixLength ?? 0) || x.metric - y.metric)[0]
    ?.device;
}

function covers(
  route: { readonly family: Family; readonly destination: SystemOrders["routes"][number]["destination"] },
  to: IpAddress,
): boolean {
  return route.destination === undefined ? route.family === family(to) : inSubnet(to, route.destination);
}
