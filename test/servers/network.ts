/**
 * One box between servers and a client, both behind routers, IPv4 and IPv6:
 *
 *   client – home – near – (wan) – box – far – site – server        nat, one-arm
 *                            |
 *                          beside                                   direct
 *
 * Or the box has one cable, to a switch at which `wan` and `far` are two VLANs.
 *
 * Whoever ends a connection makes and verifies every checksum: nothing is left to a device, nothing is gathered.
 */
import { createNetwork, type Namespace, type TestNetwork } from "../netns/namespaces.ts";

export const FAMILIES = ["ipv4", "ipv6"] as const;
export type Family = (typeof FAMILIES)[number];
export const MODES = ["nat", "one-arm", "direct"] as const;
export type Mode = (typeof MODES)[number];

/** Where each mode's service is reached, and the address that its server has of its own. */
export const VIPS: Readonly<Record<Family, Readonly<Record<Mode, string>>>> = {
  ipv4: { nat: "10.1.0.1", "one-arm": "10.1.0.21", direct: "10.1.0.31" },
  ipv6: { nat: "fd00:1::1", "one-arm": "fd00:1::21", direct: "fd00:1::31" },
};
export const SERVERS: Readonly<Record<Family, Readonly<Record<Mode, string>>>> = {
  ipv4: { nat: "10.4.0.11", "one-arm": "10.4.0.12", direct: "10.1.0.13" },
  ipv6: { nat: "fd00:4::11", "one-arm": "fd00:4::12", direct: "fd00:1::13" },
};
export const CLIENT: Readonly<Record<Family, string>> = { ipv4: "10.9.0.9", ipv6: "fd00:9::9" };

/** How the box is plugged in: by a port for each side, or by one for both. */
export type Wire = "ports" | "vlans";
/** The box's devices. */
export const DEVICES: Readonly<Record<Wire, { readonly wan: string; readonly lan: string }>> = {
  ports: { wan: "eth0", lan: "eth1" },
  vlans: { wan: "eth0.10", lan: "eth0.20" },
};

/** The links that can be narrow, and their two ends. With VLANs the box's are named otherwise: see `ON_THE_CABLE`. */
const LINKS = {
  "between the client's routers": [
    ["home", "eth1"],
    ["near", "eth1"],
  ],
  "at the box, towards the clients": [
    ["near", "eth0"],
    ["wan", "near"],
    ["wan", "box"],
    ["box", "eth0"],
  ],
  "at the box, towards the servers": [
    ["box", "eth1"],
    ["far", "eth0"],
  ],
  "between the servers' routers": [
    ["far", "eth1"],
    ["site", "eth1"],
  ],
} as const;
export type Place = keyof typeof LINKS;
export const PLACES = Object.keys(LINKS) as readonly Place[];

const ON_THE_CABLE: Readonly<Record<string, string>> = {
  "box eth0": DEVICES.vlans.wan,
  "box eth1": DEVICES.vlans.lan,
  "wan box": "box.10",
};

const WIDE = 1500;
const NAMES = ["client", "home", "near", "wan", "beside", "box", "far", "site", "server"] as const;
type Name = (typeof NAMES)[number];
type Hosts = Readonly<Record<Name, Namespace>>;
/** Those between whom connections are. */
export const ENDS = ["client", "server", "beside"] as const;

export interface ServersNetwork extends Hosts {
  /** The host on which a mode's servers run. */
  serverOf(mode: Mode): Namespace;
  /** Sets how many bytes a packet may have on a link; on those not named, 1,500. */
  setWidths(widths: Readonly<Partial<Record<Place, number>>>): Promise<void>;
  /** The ends forget what they have learned of paths. */
  forgetPaths(): Promise<void>;
  destroy(): Promise<void>;
}

export async function createServersNetwork(wire: Wire = "ports"): Promise<ServersNetwork> {
  const net = await createNetwork();
  const hosts = {} as Record<Name, Namespace>;
  for (const name of NAMES) hosts[name] = await net.namespace(name, { forwarding: ROUTERS.has(name) });
  await plug(net, hosts, wire);
  for (const [name, commands] of Object.entries(ADDRESSING)) {
    for (const command of commands) await hosts[name as Name].ip(command);
  }
  await hosts.beside.sysctl("net.ipv4.conf.all.arp_ignore", 1);
  await hosts.beside.sysctl("net.ipv4.conf.all.arp_announce", 2);
  return {
    ...hosts,
    serverOf: (mode) => (mode === "direct" ? hosts.beside : hosts.server),
    setWidths: async (widths) => {
      for (const place of PLACES) {
        const width = widths[place] ?? WIDE;
        for (const [name, ifname] of LINKS[place]) {
          const device = (wire === "vlans" ? ON_THE_CABLE[`${name} ${ifname}`] : undefined) ?? ifname;
          await hosts[name].ip(`link set ${device} mtu ${width}`);
        }
      }
    },
    forgetPaths: async () => {
      const flush = "ip route flush cache; ip -6 route flush cache";
      await Promise.all(ENDS.map((name) => hosts[name].run(["sh", "-c", flush])));
    },
    destroy: () => net.destroy(),
  };
}

const ROUTERS: ReadonlySet<Name> = new Set<Name>(["home", "near", "far", "site"]);

type Cable = readonly [Name, string, Name, string];
const CABLES: readonly Cable[] = [
  ["client", "eth0", "home", "eth0"],
  ["home", "eth1", "near", "eth1"],
  ["near", "eth0", "wan", "near"],
  ["beside", "eth0", "wan", "beside"],
  ["box", "eth0", "wan", "box"],
  ["far", "eth1", "site", "eth1"],
  ["site", "eth0", "server", "eth0"],
];

const FAR_CABLE: Readonly<Record<Wire, Cable>> = {
  ports: ["box", "eth1", "far", "eth0"],
  vlans: ["far", "eth0", "wan", "far"],
};

async function plug(net: TestNetwork, hosts: Hosts, wire: Wire): Promise<void> {
  for (const [a, portA, b, portB] of [...CABLES, FAR_CABLE[wire]]) {
    await net.link(hosts[a], portA, hosts[b], portB);
    for (const [name, port] of [[a, portA] as const, [b, portB] as const]) {
      // Frames that are redirected into a veth pair arrive only where the far end gathers them, or has a program.
      const gather = (name === "far" && port === "eth0") || (name === "wan" && port === "box") ? "on" : "off";
      const off = ["tx", "rx", "tso", "gso", "sg"].flatMap((offload) => [offload, "off"]);
      await hosts[name].run(["ethtool", "-K", port, ...off, "gro", gather]);
    }
  }
  if (wire === "ports") return hosts.wan.bridge("br0", ["near", "beside", "box"]);
  for (const id of [10, 20]) {
    await hosts.box.ip(`link add link eth0 name eth0.${id} type vlan id ${id}`);
    await hosts.box.ip(`link set eth0.${id} up`);
    await hosts.wan.ip(`link add link box name box.${id} type vlan id ${id}`);
  }
  await hosts.wan.bridge("br0", ["near", "beside", "box.10"]);
  await hosts.wan.bridge("br1", ["far", "box.20"]);
}

/** The box has no addresses here: it is told them by its configuration. */
const ADDRESSING: Readonly<Record<Exclude<Name, "wan" | "box">, readonly string[]>> = {
  client: [...addresses("eth0", "10.9.0.9", "fd00:9::9"), ...gateway("10.9.0.254", "fd00:9::fe")],
  home: [
    ...addresses("eth0", "10.9.0.254", "fd00:9::fe"),
    ...addresses("eth1", "10.8.0.2", "fd00:8::2"),
    ...gateway("10.8.0.254", "fd00:8::fe"),
  ],
  near: [
    ...addresses("eth1", "10.8.0.254", "fd00:8::fe"),
    ...addresses("eth0", "10.1.0.254", "fd00:1::fe"),
    "route add 10.9.0.0/24 via 10.8.0.2",
    "route add fd00:9::/64 via fd00:8::2",
  ],
  beside: [
    ...addresses("eth0", "10.1.0.13", "fd00:1::13"),
    ...gateway("10.1.0.254", "fd00:1::fe"),
    `addr add ${VIPS.ipv4.direct}/32 dev lo`,
    `addr add ${VIPS.ipv6.direct}/128 dev lo`,
  ],
  far: [
    ...addresses("eth0", "10.2.0.254", "fd00:2::fe"),
    ...addresses("eth1", "10.3.0.254", "fd00:3::fe"),
    ...gateway("10.2.0.1", "fd00:2::1"),
    "route add 10.4.0.0/24 via 10.3.0.2",
    "route add fd00:4::/64 via fd00:3::2",
  ],
  site: [
    ...addresses("eth1", "10.3.0.2", "fd00:3::2"),
    ...addresses("eth0", "10.4.0.254", "fd00:4::fe"),
    ...gateway("10.3.0.254", "fd00:3::fe"),
  ],
  server: [
    ...addresses("eth0", SERVERS.ipv4.nat, SERVERS.ipv6.nat),
    ...addresses("eth0", SERVERS.ipv4["one-arm"], SERVERS.ipv6["one-arm"]),
    ...gateway("10.4.0.254", "fd00:4::fe"),
  ],
};

function addresses(device: string, ipv4: string, ipv6: string): readonly string[] {
  return [`addr add ${ipv4}/24 dev ${device}`, `addr add ${ipv6}/64 dev ${device} nodad`];
}

function gateway(ipv4: string, ipv6: string): readonly string[] {
  return [`route add default via ${ipv4}`, `route add default via ${ipv6}`];
}
