/**
 * The hosts and cables of the lab: every host a network namespace, every cable a veth pair from a host to a bridge
 * that stands for a switch. The switches (wan, lan, and the sync cable as a switch of two ports) live in a namespace
 * of their own, so that pulling a cable is the switch's end going down: the box sees its carrier vanish and can do
 * nothing about it.
 */
import { execFile, spawn } from "node:child_process";
import type { Namespace, TestNetwork } from "../netns/namespaces.ts";

export type Box = "a" | "b";
export const BOXES: readonly Box[] = ["a", "b"];
export type Port = "wan" | "lan" | "sync";
export const PORTS: readonly Port[] = ["wan", "lan", "sync"];
export const DEVICES: Readonly<Record<Port, string>> = { wan: "eth0", lan: "eth1", sync: "eth2" };

/** Where the web UI of a box listens. */
export const WEB_PORT = 8443;
export const VIP = "10.1.0.1";
export const LAN_VIP = "10.2.0.1";
export const CLIENT = "10.1.0.10";
/** Answers on the wan, as the boxes' gateway, witness, and a place to watch ARP from without teaching the client. */
export const GATEWAY = "10.1.0.254";

export type BackendName = "s1" | "s2" | "s3" | "d1" | "d2";
/** The servers behind the boxes. */
export const SERVERS: readonly BackendName[] = ["s1", "s2", "s3"];
/** Those beside the boxes, on the wan, that have the VIP themselves: what `direct` needs. */
export const DIRECT_SERVERS: readonly BackendName[] = ["d1", "d2"];
export const SERVER_ADDRESSES: Readonly<Record<BackendName, string>> = {
  s1: "10.2.0.11",
  s2: "10.2.0.12",
  s3: "10.2.0.13",
  d1: "10.1.0.31",
  d2: "10.1.0.32",
};

/** A host that is not a box: one port, one cable. */
export interface HostLayout {
  readonly port: Port;
  /** With prefix lengths. */
  readonly addresses: readonly string[];
  /** Its default gateways, at most one of each family. */
  readonly gateways: readonly string[];
  /** An address on its loopback device, for which it answers no ARP. */
  readonly loopback?: string;
}

/** What is plugged in where. */
export interface Layout {
  /** The cables of each box; each has a switch. */
  readonly ports: readonly Port[];
  readonly client: HostLayout;
  readonly gateway: HostLayout;
  readonly backends: Readonly<Partial<Record<BackendName, HostLayout>>>;
}

const backend = (name: BackendName): HostLayout => ({
  port: "lan",
  addresses: [`${SERVER_ADDRESSES[name]}/24`],
  gateways: [LAN_VIP],
});

const beside = (name: BackendName): HostLayout => ({
  port: "wan",
  addresses: [`${SERVER_ADDRESSES[name]}/24`],
  gateways: [GATEWAY],
  loopback: `${VIP}/32`,
});

/** The boxes stand between the client and three servers. */
export const BALANCED_LAYOUT: Layout = {
  ports: PORTS,
  client: { port: "wan", addresses: [`${CLIENT}/24`], gateways: [VIP] },
  gateway: { port: "wan", addresses: [`${GATEWAY}/24`], gateways: [] },
  backends: { s1: backend("s1"), s2: backend("s2"), s3: backend("s3") },
};

/** The same, and two more are beside them. */
export const MODES_LAYOUT: Layout = {
  ...BALANCED_LAYOUT,
  backends: { ...BALANCED_LAYOUT.backends, d1: beside("d1"), d2: beside("d2") },
};

/** The Ethernet address of a box's port: locally administered, readable in a capture, the same after each power-on. */
export function boxMac(box: Box, port: Port): string {
  return `02:0${box}:00:00:00:0${PORTS.indexOf(port)}`;
}

export interface Topology {
  readonly layout: Layout;
  readonly client: Namespace;
  readonly gateway: Namespace;
  readonly backends: ReadonlyMap<BackendName, Namespace>;
  /** Undefined while the box has no power. */
  boxNamespace(box: Box): Namespace | undefined;
  /** Makes a fresh box: a namespace that remembers nothing, its ports down, its cables plugged. */
  placeBox(box: Box): Promise<Namespace>;
  /** Takes the box's kernel away, with every address, program and table in it. */
  removeBox(box: Box): Promise<void>;
  /** All cables at once. */
  cutCables(box: Box): Promise<void>;
  setCable(box: Box, port: Port, plugged: boolean): Promise<void>;
}

/** Builds everything but the boxes. The caller removes what is left by the network's prefix, see sweep.ts. */
export async function createTopology(network: TestNetwork, layout: Layout = BALANCED_LAYOUT): Promise<Topology> {
  const { ports } = layout;
  const switches = await network.namespace("switches");
  await batch(
    switches,
    ports.flatMap((port) => [
      `link add ${port} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set ${port} up`,
    ]),
  );
  const client = await addHost(network, switches, "client", layout.client);
  const gateway = await addHost(network, switches, "gateway", layout.gateway);
  const backends = new Map<BackendName, Namespace>();
  for (const name of [...SERVERS, ...DIRECT_SERVERS]) {
    const host = layout.backends[name];
    if (host !== undefined) backends.set(name, await addHost(network, switches, name, host));
  }
  const boxes = new Map<Box, Namespace>();
  return {
    layout,
    client,
    gateway,
    backends,
    boxNamespace: (box) => boxes.get(box),
    placeBox: async (box) => {
      const namespace = await network.namespace(box, { duplicateDetection: true });
      boxes.set(box, namespace);
      await plugBox(switches, namespace, box, ports);
      return namespace;
    },
    removeBox: async (box) => {
      const namespace = boxes.get(box);
      boxes.delete(box);
      if (namespace === undefined) return;
      // The kernel takes a namespace down in its own time; the cables must be gone before new ones of their name come.
      await batch(
        switches,
        ports.map((port) => `link del ${port}-${box}`),
      );
      await deleteNamespace(namespace);
    },
    cutCables: (box) =>
      batch(
        switches,
        ports.map((port) => `link set ${port}-${box} down`),
      ),
    setCable: (box, port, plugged) => batch(switches, [`link set ${port}-${box} ${plugged ? "up" : "down"}`]),
  };
}

async function addHost(
  network: TestNetwork,
  switches: Namespace,
  name: string,
  { port, addresses, gateways, loopback }: HostLayout,
): Promise<Namespace> {
  const host = await network.namespace(name);
  const end = `${port}-${name}`;
  await batch(switches, [
    `link add ${end} type veth peer name eth0 netns ${host.fullName}`,
    `link set ${end} master ${port} up`,
  ]);
  await batch(host, [
    ...addresses.map((address) => `addr add ${address} dev eth0`),
    "link set eth0 up",
    ...gateways.map((gateway) => `route add default via ${gateway}`),
    ...(loopback === undefined ? [] : [`addr add ${loopback} dev lo`]),
  ]);
  if (loopback !== undefined) {
    await host.sysctl("net.ipv4.conf.all.arp_ignore", 1);
    await host.sysctl("net.ipv4.conf.all.arp_announce", 2);
  }
  await Promise.all([plainFrames(switches, end), plainFrames(host, "eth0")]);
  return host;
}

async function plugBox(switches: Namespace, box: Namespace, name: Box, ports: readonly Port[]): Promise<void> {
  await batch(
    switches,
    ports.flatMap((port) => {
      const peer = `peer name ${DEVICES[port]} address ${boxMac(name, port)} netns ${box.fullName}`;
      return [`link add ${port}-${name} type veth ${peer}`, `link set ${port}-${name} master ${port} up`];
    }),
  );
  await Promise.all(ports.map((port) => plainFrames(switches, `${port}-${name}`)));
}

/**
 * Makes an end of a veth pair behave like a network card towards XDP: frames redirected to it arrive only while GRO
 * is on (veth_xdp_xmit in drivers/net/veth.c), and what it sends has its checksum filled in and fits the wire.
 */
async function plainFrames(namespace: Namespace, device: string): Promise<void> {
  await namespace.run(["ethtool", "-K", device, "gro", "on", "tx", "off", "tso", "off"]);
}

function deleteNamespace(namespace: Namespace): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile("ip", ["netns", "del", namespace.fullName], (error) => (error === null ? resolve() : reject(error)));
  });
}

/** One `ip` process for many commands: three ports go down within about a millisecond. */
function batch(namespace: Namespace, commands: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const ip = spawn("ip", ["-n", namespace.fullName, "-batch", "-"], { stdio: ["pipe", "ignore", "pipe"] });
    let problems = "";
    ip.stderr.on("data", (text: Buffer) => (problems += text.toString()));
    ip.once("error", reject);
    ip.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`ip -batch in ${namespace.fullName}: ${problems.trim()}`)),
    );
    ip.stdin.end(`${commands.join("\n")}\n`);
  });
}
