/**
 * What the configuration wants of the kernel's network on one box, in the shape that it is compared in. Virtual
 * addresses are named only so that they are left alone: they belong to the sentinel. Pure.
 */
import type { Ifname, InterfaceAddress, IpAddress } from "@futago/hal/units/address.ts";
import type { NeighbourOrders, RouteOrders, SysctlOrders, SystemOrders } from "../../../config/compile-system.ts";
import { standsOn } from "../../../config/data-ports.ts";
import type { Orders } from "../../../config/orders.ts";

export interface DesiredNetwork {
  /** Devices that are ours: without addresses that the configuration does not name. */
  readonly devices: readonly Ifname[];
  /** Those of them that are set down, or left as they are because they stand on one; the others are set up. */
  readonly down: readonly Ifname[];
  readonly untouched: readonly Ifname[];
  readonly addresses: readonly DesiredAddress[];
  readonly routes: readonly RouteOrders[];
  /** Backends and gateways that the kernel shall keep resolved, because XDP traffic refreshes no neighbour entry. */
  readonly neighbours: readonly NeighbourOrders[];
  readonly sysctls: readonly SysctlOrders[];
  /** The sentinel's to add and to remove. */
  readonly virtualAddresses: ReadonlySet<IpAddress>;
}

export interface DesiredAddress {
  readonly device: Ifname;
  readonly address: InterfaceAddress;
}

/** `ports` are those of virtual routers: "silent" is up without an address, as a spare asks around, and "shut" is down. */
export function desiredNetwork(
  system: SystemOrders,
  orders: Orders,
  ports: "open" | "silent" | "shut" = "open",
): DesiredNetwork {
  const routers = orders.groups.flatMap((group) => group.virtualRouters);
  const data = ports === "open" ? [] : [...new Set(routers.map((router) => router.device))];
  const isOpen = ({ device }: { readonly device: Ifname }) => !standsOn(device, data);
  const devices = system.links.map((link) => link.device);
  return {
    devices,
    down: ports === "shut" ? data : [],
    untouched: devices.filter((device) => standsOn(device, data) && !data.includes(device)),
    addresses: system.links
      .filter(isOpen)
      .flatMap(({ device, addresses }) => addresses.map((address) => ({ device, address }))),
    routes: system.routes.filter(isOpen),
    neighbours: system.neighbours.filter(isOpen),
    sysctls: system.sysctls,
    // On a port that is not open nobody holds one: what a dead sentinel left there goes, too.
    virtualAddresses: new Set(
      (ports === "open" ? routers : []).flatMap((router) => router.addresses.map(({ address }) => address)),
    ),
  };
}
