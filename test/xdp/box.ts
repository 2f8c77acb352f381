/**
 * A box in a namespace, with a client side 10.1.0.0/24 and 2001:db8:1::/64 on eth0 and a backend side 10.2.0.0/24 and
 * 2001:db8:2::/64 on eth1, whose neighbours are written down, and the balancer loaded for it: what packet-in, packet-out tests run against.
 */
import type { Bpf, BpfObject, TestRun } from "@futago/hal/contract/bpf.ts";
import { type IpAddress, type Ifindex, type Ipv4, parseIpAddress } from "@futago/hal/units/address.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { type BalancerTables, balancerTables, gateTables } from "@futago/hal/xdp/tables.ts";
import { compileServices } from "@futago/firmware/balancer/compile.ts";
import { backend as anyBackend, service as anyService } from "@futago/firmware/balancer/services.test-support.ts";
import { diffEntries } from "@futago/firmware/balancer/diff.ts";
import type { BalancedBackend, BalancedService } from "@futago/firmware/balancer/service.ts";
import { createNetwork, type Namespace } from "../netns/namespaces.ts";
import { Groups, mountPins } from "./pins.ts";

export const VIP = "10.1.0.1";
export const GROUP = 2;
export const CLIENT = "10.1.0.9";
export const FAR_CLIENT = "198.51.100.7";
export const OWN = "10.2.0.2";
export const BACKENDS = ["10.2.0.11", "10.2.0.12", "10.2.0.13"] as const;
/** Nobody has told the box its MAC. */
export const UNKNOWN_BACKEND = "10.2.0.99";
export const VIP6 = "2001:db8:1::1";
export const CLIENT6 = "2001:db8:1::9";
export const FAR_CLIENT6 = "2001:db8:f::7";
export const OWN6 = "2001:db8:2::2";
export const OWN_ADDRESSES = ["10.1.0.2", OWN, "2001:db8:1::2", OWN6] as const;
export const BACKENDS6 = ["2001:db8:2::b", "2001:db8:2::c", "2001:db8:2::d"] as const;
export const UNKNOWN_BACKEND6 = "2001:db8:2::63";
export const SEED = "a seed of the pair";

export const CLIENT_MAC = "02:00:00:00:01:09";
export const GATEWAY_MAC = "02:00:00:00:01:fe";
export const BOX_CLIENT_MAC = "02:00:00:00:01:02";
export const BOX_BACKEND_MAC = "02:00:00:00:02:02";
export function backendMac(address: string): string {
  const last = address.includes(":") ? Number(`0x${address.split(":").at(-1)}`) : Number(address.split(".")[3]);
  return `02:00:00:00:02:${last.toString(16).padStart(2, "0")}`;
}

export const XDP_DROP = 1;
export const XDP_PASS = 2;
export const XDP_TX = 3;
export const XDP_REDIRECT = 4;

export interface TestBox {
  readonly bpf: Bpf;
  readonly namespace: Namespace;
  readonly object: BpfObject;
  readonly tables: BalancerTables;
  readonly groups: Groups;
  readonly eth0: Ifindex;
  readonly eth1: Ifindex;
  /** Makes the tables hold these services. */
  serve(services: readonly BalancedService[]): void;
  /** Runs the balancer as if the frame had come in on the client side. */
  readonly fromClient: (frame: Uint8Array) => TestRun;
  readonly fromBackend: (frame: Uint8Array) => TestRun;
  /** Empties the tables of flows and of all else that packets leave behind. */
  forget(): void;
  destroy(): Promise<void>;
}

export function ipv4Of(text: string): Ipv4 {
  return parseIpAddress(text) as Ipv4;
}

export function addressOf(text: string): IpAddress {
  return parseIpAddress(text) as IpAddress;
}

export function backend(address: string, port: number, more: Partial<BalancedBackend> = {}): BalancedBackend {
  return anyBackend(0, { id: `pool/${address}`, address: addressOf(address), port, ...more });
}

export function service(
  port: number,
  backends: readonly BalancedBackend[],
  more: Partial<BalancedService> = {},
): BalancedService {
  return anyService(port, backends, { name: `port ${port}`, address: ipv4Of(VIP), ...more });
}

/** Entries that the tables of flows have. */
export const FLOWS = { established: 1024, half_open: 256, returns: 1024, half_returns: 512, udp_flows: 512 } as const;
/** What `forget` empties. */
const TABLES = [...Object.keys(FLOWS), "client_open", "sources", "client_hops", "fragments"];

/** Addresses, routes and neighbours of the box. */
const COMMANDS: readonly string[] = [
  `link set eth0 address ${BOX_CLIENT_MAC}`,
  `link set eth1 address ${BOX_BACKEND_MAC}`,
  "addr add 10.1.0.2/24 dev eth0",
  `addr add ${OWN}/24 dev eth1`,
  "route add default via 10.1.0.254",
  "route add blackhole 203.0.113.0/24",
  "route add 192.0.2.0/24 via 10.1.0.254 mtu lock 1000",
  `neigh replace ${CLIENT} lladdr ${CLIENT_MAC} dev eth0 nud permanent`,
  `neigh replace 10.1.0.254 lladdr ${GATEWAY_MAC} dev eth0 nud permanent`,
  "addr add 2001:db8:1::2/64 dev eth0",
  `addr add ${OWN6}/64 dev eth1`,
  "route add default via 2001:db8:1::fe",
  "route add blackhole 2001:db8:dead::/48",
  "route add 2001:db8:3::/48 via 2001:db8:1::fe mtu lock 1280",
  `neigh replace ${CLIENT6} lladdr ${CLIENT_MAC} dev eth0 nud permanent`,
  `neigh replace 2001:db8:1::fe lladdr ${GATEWAY_MAC} dev eth0 nud permanent`,
  ...[...BACKENDS, ...BACKENDS6].map(
    (address) => `neigh replace ${address} lladdr ${backendMac(address)} dev eth1 nud permanent`,
  ),
];

/** `sizes` of tables, where those of {@link FLOWS} are too small. */
export async function createTestBox(sizes: Readonly<Record<string, number>> = {}): Promise<TestBox> {
  const net = await createNetwork();
  const namespace = await net.namespace("box", { forwarding: true });
  const outside = await net.namespace("outside");
  await net.link(namespace, "eth0", outside, "eth0");
  await net.link(namespace, "eth1", outside, "eth1");
  for (const port of ["eth0", "eth1"]) await outside.run(["ethtool", "-K", port, "gro", "on"]);
  for (const command of COMMANDS) await namespace.ip(command);
  const bpf = openBpf();
  const pins = mountPins(bpf);
  const object = bpf.load("balancer", pins.directory, { ...FLOWS, ...sizes });
  const program = object.program("futago_balancer");
  const tables = balancerTables(object);
  gateTables(object).setVips(new Map([VIP, VIP6].map((vip) => [addressOf(vip), GROUP])));
  tables.setOwn(OWN_ADDRESSES.map(addressOf));
  const eth0 = (await namespace.ifindex("eth0")) as Ifindex;
  const eth1 = (await namespace.ifindex("eth1")) as Ifindex;
  // Both ports take redirected frames, as they do when the root program is attached to them.
  namespace.inside(() => [eth0, eth1].map((ifindex) => bpf.attachXdp(ifindex, program)));
  // As ports of a network card, which send frames back by themselves.
  for (const [key] of object.map("futago_veths").entries()) object.map("futago_veths").delete(key);
  const run = (frame: Uint8Array, ifindex: Ifindex) => namespace.inside(() => program.testRun(frame, 1, ifindex));
  return {
    bpf,
    namespace,
    object,
    tables,
    groups: new Groups(object.map("futago_groups")),
    eth0,
    eth1,
    serve: (services) => {
      const standing = tables.read();
      const compiled = compileServices({ seed: SEED, services, servicesMax: 256, own: new Set() }, standing);
      if (!compiled.ok) throw new Error(JSON.stringify(compiled.reason));
      tables.apply(diffEntries(standing, compiled.value));
    },
    fromClient: (frame) => run(frame, eth0),
    fromBackend: (frame) => run(frame, eth1),
    forget: () => {
      for (const name of TABLES) {
        const map = object.map(name);
        for (const [key] of map.entries()) map.delete(key);
      }
      tables.nextGeneration();
    },
    destroy: async () => {
      object.close();
      pins.remove();
      await net.destroy();
    },
  };
}
