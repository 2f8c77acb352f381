/** The services as the balancer is asked to serve them, and the devices that it must sit on. Pure. */
import { type Family, family, type Ifname, inSubnet, type IpAddress, type Ipv4 } from "@futago/hal/units/address.ts";
import type { BalancedService } from "../../../balancer/service.ts";
import type { SystemOrders } from "../../../config/compile-system.ts";
import type { Resolved, ResolvedService } from "../../../config/resolved.ts";
import { type Judgement, key } from "../checks/backend-health.ts";

export function balancedServices(config: Resolved, health: ReadonlyMap<string, Judgement>): readonly BalancedService[] {
  return config.services.flatMap((service) => {
    const pool = config.pools.find((one) => one.name === service.pool);
    const backends = (pool?.backends ?? []).flatMap((backend) => {
      if (!isIpv4(backend.address)) return [];
      const id = `${service.pool}/${backend.name}`;
      // What nobody has looked at yet is given the benefit of the doubt: a box that starts shall serve.
      const alive = health.get(key(service.pool, backend.name))?.healthy ?? true;
      const { address, port, weight, backup } = backend;
      return [{ id, address, port, weight, backup, alive }];
    });
    const { name, port, protocol } = service;
    return service.addresses.map((address) => ({ name, address, port, protocol, backends }));
  });
}

/** Where clients come in and where backends sit. Without services none. */
export function balancedDevices(config: Resolved, system: SystemOrders): readonly Ifname[] {
  const devices = config.services.flatMap((service) => {
    const pool = config.pools.find((one) => one.name === service.pool);
    const backends = (pool?.backends ?? []).map((backend) => deviceTowards(system, backend.address));
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

function isIpv4(address: IpAddress): address is Ipv4 {
  return family(address) === "ipv4";
}
