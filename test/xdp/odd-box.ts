/**
 * A box in a namespace with a client side on eth0 and a backend side on eth1, IPv4 and IPv6, all neighbours written
 * down, and a service of each mode and protocol in each family: for packet-in, packet-out tests.
 */
import type { BpfObject, TestRun } from "@futago/hal/contract/bpf.ts";
import { type Ifindex, type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import type { ServiceMode } from "@futago/hal/units/balancer.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import type { BalancerReason } from "@futago/hal/xdp/layout.ts";
import { type BalancerTables, balancerTables, gateTables } from "@futago/hal/xdp/tables.ts";
import { compileServices } from "@futago/firmware/balancer/compile.ts";
import { diffEntries } from "@futago/firmware/balancer/diff.ts";
import type { BalancedService } from "@futago/firmware/balancer/service.ts";
import { createNetwork, type Namespace } from "../netns/namespaces.ts";
import { backend, service } from "./box.ts";
import { type Family, frameOf, type Packet, packetOf, type Protocol } from "./odd-packet.ts";
import { ACK, SYN } from "./packet.ts";
import { Groups, mountPins } from "./pins.ts";

export const MODES = ["nat", "one-arm", "direct"] as const;
export const FAMILIES = ["ipv4", "ipv6"] as const;
export const PROTOCOLS = ["tcp", "udp"] as const;
export const GROUP = 1;
export const BOTH = 3;

/** Far is behind the router; the narrow one is reached by a route of 1300 bytes, the tiny one by one of 300. */
export interface Addresses {
  readonly vip: string;
  readonly client: string;
  readonly router: string;
  readonly far: string;
  readonly narrow: string;
  /** IPv4 only. */
  readonly tiny: string;
  readonly own: string;
  readonly backends: Readonly<Record<ServiceMode, string>>;
  /** Its route is of 1300 bytes. */
  readonly narrowBackend: string;
  /** On the backends' side. */
  readonly inside: string;
}

export const ADDRESSES: Readonly<Record<Family, Addresses>> = {
  ipv4: {
    vip: "10.1.0.1",
    client: "10.1.0.9",
    router: "10.1.0.254",
    far: "198.51.100.7",
    narrow: "192.0.2.7",
    tiny: "192.0.2.8",
    own: "10.2.0.2",
    backends: { nat: "10.2.0.11", "one-arm": "10.2.0.12", direct: "10.2.0.13" },
    narrowBackend: "10.2.0.20",
    inside: "10.2.0.254",
  },
  ipv6: {
    vip: "fd00:1::1",
    client: "fd00:1::9",
    router: "fd00:1::fe",
    far: "2001:db8::7",
    narrow: "2001:db8:1::7",
    tiny: "",
    own: "fd00:2::2",
    backends: { nat: "fd00:2::11", "one-arm": "fd00:2::12", direct: "fd00:2::13" },
    narrowBackend: "fd00:2::20",
    inside: "fd00:2::fe",
  },
};

export const MACS = {
  boxClient: "02:00:00:00:01:02",
  boxBackend: "02:00:00:00:02:02",
  client: "02:00:00:00:01:09",
  router: "02:00:00:00:01:fe",
  inside: "02:00:00:00:02:fe",
  narrowBackend: "02:00:00:00:02:20",
  backends: { nat: "02:00:00:00:02:11", "one-arm": "02:00:00:00:02:12", direct: "02:00:00:00:02:13" },
} as const;

/** TCP and UDP each have a service of these ports. */
export const VIP_PORTS: Readonly<Record<ServiceMode, number>> = { nat: 80, "one-arm": 81, direct: 82 };
export const BACKEND_PORTS: Readonly<Record<ServiceMode, number>> = { nat: 8080, "one-arm": 8081, direct: 82 };
/** Added to both for the service whose only backend has a narrow way. */
export const NARROW = 100;
export const CLIENT_PORT = 40_000;

export interface OddBox {
  readonly namespace: Namespace;
  readonly object: BpfObject;
  readonly tables: BalancerTables;
  readonly groups: Groups;
  serve(services: readonly BalancedService[]): void;
  /** A packet as it comes in by the client side, and what is made of it. */
  readonly fromClient: (packet: Uint8Array, mac?: string) => TestRun;
  readonly fromBackend: (packet: Uint8Array, mac?: string) => TestRun;
  destroy(): Promise<void>;
}

export function address(text: string): IpAddress {
  const parsed = parseIpAddress(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

/** Every mode, protocol and family; `dead` modes have no living backend. */
export function allServices(dead: readonly ServiceMode[] = []): readonly BalancedService[] {
  return FAMILIES.flatMap((family) =>
    PROTOCOLS.flatMap((protocol) =>
      MODES.flatMap((mode) => {
        const { vip, backends, narrowBackend } = ADDRESSES[family];
        const alive = !dead.includes(mode);
        const one = (extra: number, to: string) =>
          service(
            VIP_PORTS[mode] + extra,
            [backend("10.2.0.99", BACKEND_PORTS[mode] + extra, { id: to, address: address(to), alive })],
            { name: `${family} ${protocol} ${mode} ${extra}`, address: address(vip), protocol, mode },
          );
        return [one(0, backends[mode]), one(NARROW, narrowBackend)];
      }),
    ),
  );
}

export async function createOddBox(): Promise<OddBox> {
  const net = await createNetwork();
  const namespace = await net.namespace("box", { forwarding: true });
  const outside = await net.namespace("outside");
  await net.link(namespace, "eth0", outside, "eth0");
  await net.link(namespace, "eth1", outside, "eth1");
  for (const port of ["eth0", "eth1"]) await outside.run(["ethtool", "-K", port, "gro", "on"]);
  for (const command of setUp()) await namespace.ip(command);
  const bpf = openBpf();
  const pins = mountPins(bpf);
  const object = bpf.load("balancer", pins.directory, { established: 1024, half_open: 1024, udp_flows: 1024 });
  const program = object.program("futago_balancer");
  const tables = balancerTables(object);
  const vips = FAMILIES.map((family) => [address(ADDRESSES[family].vip), GROUP] as const);
  gateTables(object).setVips(new Map(vips));
  tables.setOwn(FAMILIES.map((family) => address(ADDRESSES[family].own)));
  const eth0 = (await namespace.ifindex("eth0")) as Ifindex;
  const eth1 = (await namespace.ifindex("eth1")) as Ifindex;
  // Both ports take redirected frames, as they do when the root program is attached to them.
  namespace.inside(() => [eth0, eth1].map((ifindex) => bpf.attachXdp(ifindex, program)));
  // As ports of a network card, which send frames back by themselves.
  for (const [key] of object.map("futago_veths").entries()) object.map("futago_veths").delete(key);
  const run = (frame: Uint8Array, ifindex: Ifindex) => namespace.inside(() => program.testRun(frame, 1, ifindex));
  return {
    namespace,
    object,
    tables,
    groups: new Groups(object.map("futago_groups")),
    serve: (services) => {
      const standing = tables.read();
      const compiled = compileServices({ seed: "odd", services, servicesMax: 256, own: new Set() }, standing);
      if (!compiled.ok) throw new Error(JSON.stringify(compiled.reason));
      tables.apply(diffEntries(standing, compiled.value));
    },
    fromClient: (packet, from = MACS.client) => run(frameOf(packet, { to: MACS.boxClient, from }), eth0),
    fromBackend: (packet, from = MACS.inside) => run(frameOf(packet, { to: MACS.boxBackend, from }), eth1),
    destroy: async () => {
      object.close();
      pins.remove();
      await net.destroy();
    },
  };
}

function setUp(): readonly string[] {
  const { ipv4, ipv6 } = ADDRESSES;
  const neighbours = (["ipv4", "ipv6"] as const).flatMap((family) => {
    const { client, router, inside, narrowBackend, backends } = ADDRESSES[family];
    const known = (to: string, mac: string, dev: string) =>
      `neigh replace ${to} lladdr ${mac} dev ${dev} nud permanent`;
    return [
      known(client, MACS.client, "eth0"),
      known(router, MACS.router, "eth0"),
      known(inside, MACS.inside, "eth1"),
      known(narrowBackend, MACS.narrowBackend, "eth1"),
      ...MODES.map((mode) => known(backends[mode], MACS.backends[mode], "eth1")),
    ];
  });
  return [
    `link set eth0 address ${MACS.boxClient}`,
    `link set eth1 address ${MACS.boxBackend}`,
    "addr add 10.1.0.2/24 dev eth0",
    `addr add ${ipv4.own}/24 dev eth1`,
    "addr add fd00:1::2/64 dev eth0 nodad",
    `addr add ${ipv6.own}/64 dev eth1 nodad`,
    `route add default via ${ipv4.router}`,
    `-6 route add default via ${ipv6.router}`,
    `route add ${ipv4.narrow}/32 via ${ipv4.router} mtu lock 1300`,
    `route add ${ipv4.tiny}/32 via ${ipv4.router} mtu lock 300`,
    `-6 route add ${ipv6.narrow}/128 via ${ipv6.router} mtu lock 1300`,
    `route add ${ipv4.narrowBackend}/32 dev eth1 mtu lock 1300`,
    `-6 route add ${ipv6.narrowBackend}/128 dev eth1 mtu lock 1300`,
    ...neighbours,
  ];
}

/** A flow as its three ends see it. */
export interface KnownFlow {
  readonly family: Family;
  readonly mode: ServiceMode;
  readonly protocol: Protocol;
  /** From the client to the VIP, and back. */
  readonly request: Packet;
  readonly answer: Packet;
  /** From the box or the client to the backend, and back. */
  readonly inner: Packet;
  readonly reply: Packet;
}

/** The four packets of a flow, of which the backend sees `innerPort` for the client's. */
export function flowOf(
  family: Family,
  mode: ServiceMode,
  protocol: Protocol,
  innerPort: number,
  more: { readonly client?: string; readonly narrow?: boolean } = {},
): KnownFlow {
  const { vip, client: near, backends, narrowBackend } = ADDRESSES[family];
  const { client = near, narrow = false } = more;
  const extra = narrow ? NARROW : 0;
  const server = narrow ? narrowBackend : backends[mode];
  const outward = { vip: VIP_PORTS[mode] + extra, backend: BACKEND_PORTS[mode] + extra };
  const request = between(client, CLIENT_PORT, vip, outward.vip, protocol);
  const seen = mode === "one-arm" ? { address: vip, port: innerPort } : { address: client, port: CLIENT_PORT };
  const inner = mode === "direct" ? request : between(seen.address, seen.port, server, outward.backend, protocol);
  return { family, mode, protocol, request, answer: turned(request), inner, reply: turned(inner) };
}

function between(source: string, sourcePort: number, to: string, port: number, protocol: Protocol): Packet {
  return { source, sourcePort, destination: to, destinationPort: port, protocol };
}

export function turned(packet: Packet): Packet {
  const { source, sourcePort, destination, destinationPort } = packet;
  return {
    ...packet,
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
  };
}

/** Opens the flow, packet by packet; returns it with the port that `one-arm` chose. */
export function openFlow(
  box: OddBox,
  family: Family,
  mode: ServiceMode,
  protocol: Protocol,
  more: { readonly client?: string; readonly narrow?: boolean } = {},
): KnownFlow {
  const guess = flowOf(family, mode, protocol, 0, more);
  const first = box.fromClient(packetOf({ ...guess.request, flags: SYN }));
  const ports = new DataView(first.output.slice(family === "ipv6" ? 54 : 34).buffer);
  const flow = flowOf(family, mode, protocol, ports.getUint16(0), more);
  if (mode !== "direct") box.fromBackend(packetOf({ ...flow.reply, flags: SYN | ACK, sequence: 2000 }));
  if (protocol === "tcp") box.fromClient(packetOf({ ...flow.request, sequence: 1001, acknowledgement: 2001 }));
  return flow;
}

/** What was counted while something was done. */
export function countedBy(box: OddBox, act: () => void): Partial<Record<BalancerReason, number>> {
  const before = box.tables.counters();
  act();
  const after = Object.entries(box.tables.counters()) as [BalancerReason, number][];
  return Object.fromEntries(after.filter(([reason, n]) => n !== before[reason]).map(([r, n]) => [r, n - before[r]]));
}

/** The lease holds, every service has its backend and no flow is known. */
export function startOver(box: OddBox): void {
  box.groups.set(GROUP, BOTH);
  box.serve(allServices());
  for (const name of ["established", "half_open", "udp_flows", "returns", "half_returns", "fragments"]) {
    const map = box.object.map(name);
    for (const [key] of map.entries()) map.delete(key);
  }
  // Every processor may answer as much as it ever may.
  const tokens = box.object.map("answer_tokens");
  for (const [key, value] of tokens.entries()) tokens.update(key, value.fill(0));
}

/** Every combination that has a flow. */
export const FLOWS = FAMILIES.flatMap((family) =>
  MODES.flatMap((mode) => PROTOCOLS.map((protocol) => ({ family, mode, protocol }))),
);
