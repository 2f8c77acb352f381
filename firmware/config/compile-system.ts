/**
 * What the kernel of one box shall be brought to, apart from what sentinel and the balancer do: links up, own
 * addresses, routes, neighbours to keep fresh, switches. Core compares it with the kernel and changes the difference.
 */
import { family, type Ifname, type InterfaceAddress, type IpAddress } from "@futago/hal/units/address.ts";
import { interfaceOf, type Reach, reachOf } from "./on-link.ts";
import type { Resolved, ResolvedRoute } from "./resolved.ts";

export interface SystemOrders {
  /** Links that shall be up, with the box's own addresses. Virtual addresses are sentinel's. */
  readonly links: readonly LinkOrders[];
  readonly routes: readonly RouteOrders[];
  /** Backends and gateways on a link: XDP traffic does not refresh them, so the kernel is asked to. */
  readonly neighbours: readonly NeighbourOrders[];
  /** In the order to be written; a dot in a device's name is written as a slash, as in sysctl(8). */
  readonly sysctls: readonly SysctlOrders[];
}

export interface LinkOrders {
  /** The name in the configuration. */
  readonly name: string;
  readonly device: Ifname;
  readonly addresses: readonly InterfaceAddress[];
}

/** A route as RTPROT_FUTAGO marks it. */
export interface RouteOrders {
  readonly family: "ipv4" | "ipv6";
  /** Undefined is the default route. */
  readonly destination: InterfaceAddress | undefined;
  readonly via: IpAddress;
  readonly device: Ifname;
  readonly metric: number;
}

export interface NeighbourOrders {
  readonly device: Ifname;
  readonly address: IpAddress;
}

export interface SysctlOrders {
  readonly name: string;
  readonly value: string;
  /** A higher number is left as it is, and a switch that this network namespace does not have is not missed. */
  readonly atLeast?: true;
}

export function compileSystem(resolved: Resolved): SystemOrders {
  const devices = new Map(resolved.interfaces.map((link) => [link.name, link.device]));
  const reach = reachOf(resolved);
  const neighbours = compileNeighbours(resolved, reach, devices);
  return {
    links: resolved.interfaces.map(({ name, device, addresses }) => ({ name, device, addresses })),
    routes: resolved.routes.flatMap((route) => compileRoute(route, reach, devices)),
    neighbours,
    sysctls: [
      ...sysctlsOfBox,
      ...neighbourTables(neighbours),
      ...resolved.interfaces.flatMap((link) => sysctlsOfDevice(link.device)),
    ],
  };
}

type Devices = ReadonlyMap<string, Ifname>;

function compileRoute(route: ResolvedRoute, reach: Reach, devices: Devices): readonly RouteOrders[] {
  const device = devices.get(route.interface ?? interfaceOf(route.via, reach) ?? "");
  const { destination, via, metric } = route;
  return device === undefined ? [] : [{ family: route.family, destination, via, device, metric }];
}

function compileNeighbours(resolved: Resolved, reach: Reach, devices: Devices): readonly NeighbourOrders[] {
  const neighbours = new Map<string, NeighbourOrders>();
  const add = (address: IpAddress, link: string | undefined) => {
    const device = devices.get(link ?? "");
    if (device !== undefined) neighbours.set(`${device} ${address}`, { device, address });
  };
  for (const { via, interface: link } of resolved.routes) add(via, link ?? interfaceOf(via, reach));
  for (const address of addressesOfBackends(resolved)) add(address, interfaceOf(address, reach));
  return [...neighbours.values()];
}

/** Of pools that services use, each address once: many services use the same hosts. */
function addressesOfBackends({ pools, services }: Resolved): ReadonlySet<IpAddress> {
  const used = new Set(services.flatMap((service) => [service.pool, service.sorryPool]));
  const addresses = new Set<IpAddress>();
  for (const pool of pools) {
    if (used.has(pool.name)) for (const { address } of pool.backends) addresses.add(address);
  }
  return addresses;
}

/** What the kernel leaves for the hosts of a link without being asked, its default gc_thresh3. */
const NEIGHBOURS_OF_OTHERS = 1_024;

/** The kernel's tables hold 1,024 neighbours of a family, fewer than a large configuration has backends. */
function neighbourTables(neighbours: readonly NeighbourOrders[]): readonly SysctlOrders[] {
  return (["ipv4", "ipv6"] as const).flatMap((of): readonly SysctlOrders[] => {
    const count = neighbours.filter(({ address }) => family(address) === of).length;
    if (2 * count <= NEIGHBOURS_OF_OTHERS) return [];
    const held = count + NEIGHBOURS_OF_OTHERS;
    const order = (name: string, value: number) => ({ name, value: String(value), atLeast: true }) as const;
    return [order(`net.${of}.neigh.default.gc_thresh3`, 2 * held), order(`net.${of}.neigh.default.gc_thresh2`, held)];
  });
}

const sysctlsOfBox: readonly SysctlOrders[] = [
  { name: "net.ipv4.ip_forward", value: "1" },
  { name: "net.ipv6.conf.all.forwarding", value: "1" },
  // The kernel joins this with each device's own switch by "or".
  { name: "net.ipv4.conf.all.send_redirects", value: "0" },
];

/** @see Documentation/networking/ip-sysctl.rst of Linux */
function sysctlsOfDevice(device: Ifname): readonly SysctlOrders[] {
  const ipv4 = `net.ipv4.conf.${device.replaceAll(".", "/")}`;
  const ipv6 = `net.ipv6.conf.${device.replaceAll(".", "/")}`;
  return [
    // A virtual address is answered for on its own link only, and is never the sender of our own ARP requests.
    { name: `${ipv4}.arp_ignore`, value: "1" },
    { name: `${ipv4}.arp_announce`, value: "2" },
    // Replies of backends may come in where the client's route does not lead out.
    { name: `${ipv4}.rp_filter`, value: "2" },
    // A reply that the balancer rewrote and left to the kernel has a virtual address, a local one, as its source.
    { name: `${ipv4}.accept_local`, value: "1" },
    // Hosts that were redirected past a virtual router do not follow when it moves (RFC 9568 §8.1.1).
    { name: `${ipv4}.send_redirects`, value: "0" },
    // Removing an own address must not take the virtual ones of the same subnet along.
    { name: `${ipv4}.promote_secondaries`, value: "1" },
    // Heartbeats travel between link-local addresses.
    { name: `${ipv6}.disable_ipv6`, value: "0" },
  ];
}
