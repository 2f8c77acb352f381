/**
 * A network with routers on both sides of a box, IPv4 and IPv6, for transfers over paths of different widths:
 *
 *   client – near – (lan) – box – far – server          nat, one-arm
 *                     |
 *                  neighbour                            direct
 *
 * `far` stands before the server, `near` before the client; their ways to them can be narrow, and those of the box.
 */
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import type { Ifindex } from "@futago/hal/units/address.ts";
import type { ServiceMode } from "@futago/hal/units/balancer.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { type BalancerTables, balancerTables, gateTables } from "@futago/hal/xdp/tables.ts";
import { compileServices } from "@futago/firmware/balancer/compile.ts";
import { diffEntries } from "@futago/firmware/balancer/diff.ts";
import { createNetwork, type Namespace, type TestNetwork } from "../netns/namespaces.ts";
import { backend, service } from "./box.ts";
import { address, FAMILIES, MODES, PROTOCOLS } from "./odd-box.ts";
import type { Family } from "./odd-packet.ts";
import { Groups, mountPins } from "./pins.ts";

export const NET: Readonly<Record<Family, Readonly<Record<"vip" | "client" | "server" | "neighbour", string>>>> = {
  ipv4: { vip: "10.1.0.1", client: "10.9.0.9", server: "10.3.0.11", neighbour: "10.1.0.13" },
  ipv6: { vip: "fd00:1::1", client: "fd00:9::9", server: "fd00:3::11", neighbour: "fd00:1::13" },
};
export const PORT_OF: Readonly<Record<ServiceMode, number>> = { nat: 80, "one-arm": 81, direct: 82 };
export const SERVER_PORT: Readonly<Record<ServiceMode, number>> = { nat: 8080, "one-arm": 8081, direct: 82 };
/** Added to the ports of a service whose server's port nobody listens at. */
export const DESERTED = 10;
export const hostOf = (mode: ServiceMode) => (mode === "direct" ? "neighbour" : "server");

const GROUP = 0;
const BOTH = 3;

export interface OddNetwork {
  readonly box: Namespace;
  readonly client: Namespace;
  readonly server: Namespace;
  readonly neighbour: Namespace;
  readonly near: Namespace;
  readonly far: Namespace;
  readonly object: BpfObject;
  readonly tables: BalancerTables;
  /** Every host forgets what it learned of the paths, and the links have these widths. */
  setWidths(widths: { readonly near?: number; readonly far?: number; readonly box?: number }): Promise<void>;
  destroy(): Promise<void>;
}

export async function createOddNetwork(): Promise<OddNetwork> {
  const net = await createNetwork();
  const routing = { forwarding: true };
  const [box, near, far] = [
    await net.namespace("box", routing),
    await net.namespace("near", routing),
    await net.namespace("far", routing),
  ];
  const [lan, client, server, neighbour] = [
    await net.namespace("lan"),
    await net.namespace("client"),
    await net.namespace("server"),
    await net.namespace("neighbour"),
  ];
  const all = { box, near, far, lan, client, server, neighbour };
  await join(net, all);
  for (const [name, commands] of Object.entries(ADDRESSING)) {
    const namespace = all[name as keyof typeof all];
    await namespace.run(["sh", "-c", SYSCTLS]);
    for (const command of commands) await namespace.ip(command);
  }
  await neighbour.run(["sh", "-c", "cd /proc/sys/net/ipv4/conf/all && echo 1 >arp_ignore && echo 2 >arp_announce"]);
  const bpf = openBpf();
  const pins = mountPins(bpf);
  const object = bpf.load("balancer", pins.directory, { established: 1024, half_open: 1024, udp_flows: 1024 });
  const tables = balancerTables(object);
  gateTables(object).setVips(new Map(FAMILIES.map((family) => [address(NET[family].vip), GROUP] as const)));
  new Groups(object.map("futago_groups")).set(GROUP, BOTH);
  tables.setOwn(["10.1.0.2", "10.2.0.2", "fd00:1::2", "fd00:2::2"].map(address));
  serveAll(tables);
  const ports = [(await box.ifindex("eth0")) as Ifindex, (await box.ifindex("eth1")) as Ifindex];
  box.inside(() => ports.forEach((port) => bpf.attachXdp(port, object.program("futago_balancer"), "native")));
  await Promise.all(KNOWN.map((to) => box.tryRun(["ping", "-c1", "-W1", to])));
  return {
    ...all,
    object,
    tables,
    setWidths: async ({ near: nearWidth = 1500, far: farWidth = 1500, box: boxWidth = 1500 }) => {
      // A link of a veth pair that is narrow itself drops what comes in, too.
      for (const route of NEAR_ROUTES) await near.ip(`${route} mtu lock ${nearWidth}`);
      for (const route of FAR_ROUTES) await far.ip(`${route} mtu lock ${farWidth}`);
      for (const route of BOX_ROUTES) await box.ip(`${route} mtu lock ${boxWidth}`);
      for (const namespace of Object.values(all)) {
        await namespace.ip("route flush cache");
        await namespace.ip("-6 route flush cache");
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

/** Whom the box must know the Ethernet addresses of. */
const KNOWN = ["10.1.0.254", "10.2.0.254", "10.1.0.13", "fd00:1::fe", "fd00:2::fe", "fd00:1::13"];

/** The box's routes to the three hosts. */
const BOX_ROUTES = [
  "route replace 10.9.0.0/24 via 10.1.0.254",
  "route replace 10.3.0.0/24 via 10.2.0.254",
  "route replace 10.1.0.13/32 dev eth0",
  "-6 route replace fd00:9::/64 via fd00:1::fe",
  "-6 route replace fd00:3::/64 via fd00:2::fe",
  "-6 route replace fd00:1::13/128 dev eth0",
];

const NEAR_ROUTES = ["route replace 10.9.0.9/32 dev eth1", "-6 route replace fd00:9::9/128 dev eth1"];
const FAR_ROUTES = ["route replace 10.3.0.11/32 dev eth1", "-6 route replace fd00:3::11/128 dev eth1"];

const SYSCTLS = `cd /proc/sys/net/ipv4/conf
for dev in *; do echo 0 >$dev/rp_filter; echo 1 >$dev/accept_local; echo 0 >$dev/send_redirects; done`;

const ADDRESSING: Readonly<Record<"box" | "near" | "far" | "client" | "server" | "neighbour", readonly string[]>> = {
  box: [
    "addr add 10.1.0.2/24 dev eth0",
    "addr add 10.1.0.1/24 dev eth0",
    "addr add 10.2.0.2/24 dev eth1",
    "addr add fd00:1::2/64 dev eth0 nodad",
    "addr add fd00:1::1/128 dev eth0 nodad",
    "addr add fd00:2::2/64 dev eth1 nodad",
    ...BOX_ROUTES,
  ],
  near: [
    "addr add 10.1.0.254/24 dev eth0",
    "addr add 10.9.0.254/24 dev eth1",
    "addr add fd00:1::fe/64 dev eth0 nodad",
    "addr add fd00:9::fe/64 dev eth1 nodad",
  ],
  far: [
    "addr add 10.2.0.254/24 dev eth0",
    "addr add 10.3.0.254/24 dev eth1",
    "route add default via 10.2.0.2",
    "addr add fd00:2::fe/64 dev eth0 nodad",
    "addr add fd00:3::fe/64 dev eth1 nodad",
    "-6 route add default via fd00:2::2",
  ],
  client: [
    "addr add 10.9.0.9/24 dev eth0",
    "route add default via 10.9.0.254",
    "addr add fd00:9::9/64 dev eth0 nodad",
    "-6 route add default via fd00:9::fe",
  ],
  server: [
    "addr add 10.3.0.11/24 dev eth0",
    "route add default via 10.3.0.254",
    "addr add fd00:3::11/64 dev eth0 nodad",
    "-6 route add default via fd00:3::fe",
  ],
  neighbour: [
    "addr add 10.1.0.13/24 dev eth0",
    "addr add 10.1.0.1/32 dev lo",
    "route add default via 10.1.0.254",
    "addr add fd00:1::13/64 dev eth0 nodad",
    "addr add fd00:1::1/128 dev lo nodad",
    "-6 route add default via fd00:1::fe",
  ],
};

async function join(net: TestNetwork, all: Readonly<Record<string, Namespace>>): Promise<void> {
  const at = (name: string) => {
    const namespace = all[name];
    if (namespace === undefined) throw new Error(`no namespace ${name}`);
    return namespace;
  };
  await net.link(at("box"), "eth0", at("lan"), "box");
  await net.link(at("near"), "eth0", at("lan"), "near");
  await net.link(at("neighbour"), "eth0", at("lan"), "neighbour");
  await net.link(at("near"), "eth1", at("client"), "eth0");
  await net.link(at("box"), "eth1", at("far"), "eth0");
  await net.link(at("far"), "eth1", at("server"), "eth0");
  await at("lan").bridge("br0", ["box", "near", "neighbour"]);
  // Checksums are made by the sender, segments too, and the far ends of the box's ports take redirected frames.
  const senders = [
    ["client", "eth0"],
    ["server", "eth0"],
    ["neighbour", "eth0"],
    ["near", "eth0"],
    ["near", "eth1"],
    ["far", "eth0"],
    ["far", "eth1"],
    ["lan", "box"],
  ] as const;
  for (const [name, port] of senders)
    await at(name).run(["ethtool", "-K", port, "tx", "off", "tso", "off", "gso", "off", "gro", "on"]);
}

function serveAll(tables: BalancerTables): void {
  const services = FAMILIES.flatMap((family) =>
    PROTOCOLS.flatMap((protocol) =>
      MODES.flatMap((mode) => {
        const to = NET[family][hostOf(mode)];
        return [0, DESERTED].map((extra) =>
          service(
            PORT_OF[mode] + extra,
            [backend("10.3.0.99", SERVER_PORT[mode] + extra, { id: `${mode} ${to}`, address: address(to) })],
            { name: `${family} ${protocol} ${mode} ${extra}`, address: address(NET[family].vip), protocol, mode },
          ),
        );
      }),
    ),
  );
  const compiled = compileServices({ seed: "path", services, servicesMax: 256, own: new Set() }, tables.read());
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.reason));
  tables.apply(diffEntries(tables.read(), compiled.value));
}
