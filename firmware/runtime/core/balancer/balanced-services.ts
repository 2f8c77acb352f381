/** The devices that the balancer must sit on, and services whose replies would go past it. Pure. */
import { type Family, family, type Ifname, inSubnet, type IpAddress } from "@futago/hal/units/address.ts";
import type { SystemOrders } from "../../../config/compile-system.ts";
import type { Resolved, ResolvedService } from "../../../config/resolved.ts";

/** Where clients come in and where backends sit. Without services none. */
export function balancedDevices(config: Resolved, system: SystemOrders): readonly Ifname[] {
  const devices = config.services.flatMap((service) => {
    const pool = config.pools.find((one) => one.name === service.pool);
    const sorry = config.pools.find((one) => one.name === service.sorryPool);
    const all = [...(pool?.backends ?? []), ...(sorry?.backends ?? [])];
    const backends = all.map((backend) => deviceTowards(system, backend.address));
    return [deviceOfService(config, service), ...backends];
  });
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
 * Services in `nat` whose virtual address lies in a subnet of their backends: the clients that live there get answers
 * that go past the box, and take them for no answers at all. By the service's name, as sentences.
 */
export function bypassedServices(config: Resolved): ReadonlyMap<string, string> {
  const subnets = config.interfaces.flatMap((one) => one.addresses);
  return new Map(
    config.services.flatMap(({ name, mode, addresses, pool }): [string, string][] => {
      if (mode !== "nat") return [];
      const backends = config.pools.find((one) => one.name === pool)?.backends ?? [];
      const shared = subnets.find(
        (subnet) =>
          addresses.some((vip) => inSubnet(vip, subnet)) && backends.some((one) => inSubnet(one.address, subnet)),
      );
      if (shared === undefined) return [];
      const where = `${shared.address}/${shared.prefixLength}`;
      return [
        [
          name,
          `service ${name} is in mode nat and has backends in its own subnet (${where}): clients in that subnet do not get their answers; use mode one-arm`,
        ],
      ];
    }),
  );
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
