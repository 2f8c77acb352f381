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
import { lookup } from "../../../config/lookup.ts";
import type { Resolved, ResolvedService } from "../../../config/resolved.ts";

/** The devices of a service: where clients come in, and where backends sit. */
export interface ServiceDevices {
  readonly front: Ifname | undefined;
  readonly back: readonly Ifname[];
}

/** By the service's name. */
export function devicesOfServices(config: Resolved, system: SystemOrders): ReadonlyMap<string, ServiceDevices> {
  const { pools } = lookup(config);
  // Many services use one pool.
  const towards = new Map<string, readonly Ifname[]>();
  const devicesOf = (name: string) => {
    const known = towards.get(name);
    if (known !== undefined) return known;
    const all = new Set<Ifname>();
    for (const { address } of pools.get(name)?.backends ?? []) {
      const device = deviceTowards(system, address);
      if (device !== undefined) all.add(device);
    }
    const devices = [...all];
    towards.set(name, devices);
    return devices;
  };
  return new Map(
    config.services.map((service) => {
      const back = [service.pool, service.sorryPool ?? ""].flatMap(devicesOf);
      return [service.name, { front: deviceOfService(config, service), back: [...new Set(back)] }];
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
  for (const group of config.groups) {
    for (const router of group.virtualRouters) {
      if (!router.addresses.some(({ address }) => service.addresses.includes(address))) continue;
      return config.interfaces.find((one) => one.name === router.interface)?.device;
    }
  }
  return undefined;
}

/**
 * The subnets of a `nat` service's backends on the box's links: a backend there answers a client there directly, so
 * such clients are served as in `one-arm`. In the order of the backends.
 */
export function oneArmSubnets(
  config: Resolved,
  service: ResolvedService,
  subnets: SubnetTable<InterfaceAddress>,
): readonly string[] {
  if (service.mode !== "nat") return [];
  const { pools } = lookup(config);
  const backends = [service.pool, service.sorryPool ?? ""].flatMap((name) => pools.get(name)?.backends ?? []);
  const all = new Set(backends.map(({ address }) => longestMatch(address, subnets)));
  return [...all].flatMap((subnet) => (subnet === undefined ? [] : [formatInterfaceAddress(subnet)]));
}

/** The device that packets to `to` leave by. */
export function deviceTowards(system: SystemOrders, to: IpAddress): Ifname | undefined {
  const neighbour = neighboursOf(system).get(to);
  if (neighbour !== undefined) return neighbour;
  return [...system.routes]
    .filter((route) => covers(route, to))
    .sort((x, y) => (y.destination?.prefixLength ?? 0) - (x.destination?.prefixLength ?? 0) || x.metric - y.metric)[0]
    ?.device;
}

/** The devices of neighbours, of which a large configuration has a hundred thousand. */
const made = new WeakMap<SystemOrders, ReadonlyMap<IpAddress, Ifname>>();

function neighboursOf(system: SystemOrders): ReadonlyMap<IpAddress, Ifname> {
  const known = made.get(system) ?? new Map(system.neighbours.map(({ address, device }) => [address, device]));
  made.set(system, known);
  return known;
}

function covers(
  route: { readonly family: Family; readonly destination: SystemOrders["routes"][number]["destination"] },
  to: IpAddress,
): boolean {
  return route.destination === undefined ? route.family === family(to) : inSubnet(to, route.destination);
}
