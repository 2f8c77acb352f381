/**
 * What the configuration wants of the kernel's network on one box, in the shape that it is compared in. Virtual
 * addresses are named only so that they are left alone: they belong to the sentinel. Pure.
 */
import type { Ifname, InterfaceAddress, IpAddress } from "@futago/hal/units/address.ts";
import type { NeighbourOrders, RouteOrders, SysctlOrders, SystemOrders } from "../../../config/compile-system.ts";
import type { Orders } from "../../../config/orders.ts";

export interface DesiredNetwork {
  /** Devices that are ours: set up, and without addresses that the configuration does not name. */
  readonly devices: readonly Ifname[];
  readonly addresses: readonly DesiredAddress[];
  readonly routes: readonly RouteOrders[];
  /** Backends and gateways that the kernel shall keep resolved, because XDP traffic refreshes no neighbour entry. */
  readonly neighbours: readonly NeighbourOrders[];
  readonly sysctls: readonly SysctlOrders[];
  /** The sentinel's. */
  readonly virtualAddresses: ReadonlySet<IpAddress>;
}

export interface DesiredAddress {
  readonly device: Ifname;
  readonly address: InterfaceAddress;
}

export function desiredNetwork(system: SystemOrders, orders: Orders): DesiredNetwork {
  const routers = orders.groups.flatMap((group) => group.virtualRouters);
  return {
    devices: system.links.map((link) => link.device),
    addresses: system.links.flatMap(({ device, addresses }) => addresses.map((address) => ({ device, address }))),
    routes: system.routes,
    neighbours: system.neighbours,
    sysctls: system.sysctls,
    virtualAddresses: new Set(routers.flatMap((router) => router.addresses.map(({ address }) => address))),
  };
}
