/**
 * A pair in front of servers for every mode and family: r1 to r4 behind the boxes, whose gateway is the pair, for `nat`
 * and `one-arm`; d1 to d4 on both networks, with the virtual addresses on their loopback, for `direct`. Each server is a
 * host of its own, so that a packet for another's connection is refused there.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import type { Namespace } from "./namespaces.ts";
import { type Box, BOXES, DEVICES, PORTS } from "../lab/topology.ts";
import {
  type Document,
  LAN_VIP,
  other,
  Pair,
  pairDocument,
  type PairOptions,
  switchPort,
  VIP,
} from "./pair-fixture.ts";
import { mounts } from "./running-box.ts";
import { onLines } from "./survival-talk.ts";

export const FAMILIES = {
  IPv4: { vip: VIP, bits: 24, wan: (host: number) => `10.1.0.${host}`, lan: (host: number) => `10.2.0.${host}` },
  IPv6: { vip: "fd01::1", bits: 64, wan: (host: number) => `fd01::${host}`, lan: (host: number) => `fd02::${host}` },
} as const;
export type FamilyName = keyof typeof FAMILIES;

/** The service's port, the port that its servers listen on, and the first server's host number. */
export const MODES = {
  nat: { port: 80, backendPort: 7000, kind: "r", firstHost: 11 },
  "one-arm": { port: 81, backendPort: 7001, kind: "r", firstHost: 11 },
  direct: { port: 82, backendPort: 82, kind: "d", firstHost: 21 },
} as const;
export type ModeName = keyof typeof MODES;

export const ORDINALS = [1, 2, 3, 4] as const;
const HEALTH_PORT = 7099;
const CHECK = { type: "tcp", port: HEALTH_PORT, intervalMs: 200, timeoutMs: 150 };

export function poolName(mode: ModeName, family: FamilyName, protocol = "tcp"): string {
  return `${mode}-${family}-${protocol}`;
}

/** Every mode in both families, each with the four servers of its kind. */
export function survivalDocument(protocols: readonly ("tcp" | "udp")[], more: object = {}): Document {
  const families = Object.keys(FAMILIES) as FamilyName[];
  const modes = Object.keys(MODES) as ModeName[];
  const all = families.flatMap((family) =>
    modes.flatMap((mode) => protocols.map((protocol) => ({ family, mode, protocol }))),
  );
  const { failoverGroups, ...rest } = pairDocument();
  const router = (name: string, vrid: number, address: string) => ({ interface: name, vrid, addresses: [address] });
  return {
    ...rest,
    interfaces: [
      { name: "wan", device: "eth0", addresses: boxAddresses("wan") },
      { name: "lan", device: "eth1", addresses: boxAddresses("lan") },
      { name: "sync", device: "eth2", addresses: { a: ["10.3.0.1/30"], b: ["10.3.0.2/30"] } },
    ],
    failoverGroups: [
      {
        ...failoverGroups[0],
        virtualRouters: [
          router("wan", 10, `${VIP}/24`),
          router("wan", 10, "fd01::1/64"),
          router("lan", 11, `${LAN_VIP}/24`),
          router("lan", 11, "fd02::1/64"),
        ],
      },
    ],
    pools: all.map(({ family, mode, protocol }) => ({
      name: poolName(mode, family, protocol),
      check: CHECK,
      backends: ORDINALS.map((ordinal) => ({
        name: `s${ordinal}`,
        address: FAMILIES[family].lan(MODES[mode].firstHost + ordinal - 1),
        port: MODES[mode].backendPort,
      })),
    })),
    services: all.map(({ family, mode, protocol }) => ({
      name: poolName(mode, family, protocol),
      address: FAMILIES[family].vip,
      port: MODES[mode].port,
      protocol,
      mode,
      pool: poolName(mode, family, protocol),
    })),
    ...more,
  };
}

function boxAddresses(side: "wan" | "lan") {
  const of = (host: number) => Object.values(FAMILIES).map((family) => `${family[side](host)}/${family.bits}`);
  return { a: of(2), b: of(3) };
}

/** Exactly these servers of every pool are healthy, and a check has said so of each. */
export function healthyAre({ services }: BoxStatus, ordinals: readonly number[]): boolean {
  return services.every(({ backends }) =>
    backends.every(
      ({ healthy, reason }, i) =>
        healthy === ordinals.includes(i + 1) && (!healthy || reason === "accepted the connection"),
    ),
  );
}

/** A server's host. */
export interface ServerHost {
  /** r1 to r4, d1 to d4. */
  readonly name: string;
  readonly ordinal: (typeof ORDINALS)[number];
  readonly kind: "r" | "d";
  readonly namespace: Namespace;
  /** Whether its check finds it well; its connections do not notice. */
  setHealthy(healthy: boolean): void;
}

export async function startSurvivalPair(
  document: Document,
  options: Pick<PairOptions, "bare"> = {},
): Promise<{ pair: Pair; servers: ServerHost[] }> {
  const pair = await Pair.start({ document, ...options, before: (_, switches) => takeRedirected(switches) });
  try {
    await calmOffloads(pair.client, "eth0");
    for (const family of Object.values(FAMILIES))
      await pair.client.tryRun(["ip", "addr", "add", `${family.wan(10)}/${family.bits}`, "dev", "eth0"]);
    const servers: ServerHost[] = [];
    for (const kind of ["r", "d"] as const)
      for (const ordinal of ORDINALS) servers.push(await placeServer(pair, kind, ordinal));
    return { pair, servers };
  } catch (error) {
    await pair.destroy();
    throw error;
  }
}

/** The power of a box comes back: its kernel remembers nothing. Both are settled, with the other one active. */
export async function powerOn(pair: Pair, box: Box): Promise<void> {
  const host = pair.hosts[box];
  for (const { mount } of mounts(pair.files.state(box))) await host.run(["umount", "-l", mount]);
  for (const device of Object.values(DEVICES)) {
    await host.ip(`link set dev ${device} xdp off`);
    // Only those that carry a virtual address have one.
    await host.tryRun(["tc", "qdisc", "del", "dev", device, "clsact"]);
    await host.ip(`addr flush dev ${device} scope global`);
  }
  for (const port of PORTS) await pair.setCable(box, port, true);
  await pair.startBox(box);
  await pair.settled(other(box));
}

async function placeServer(pair: Pair, kind: "r" | "d", ordinal: ServerHost["ordinal"]): Promise<ServerHost> {
  const name = `${kind}${ordinal}`;
  const namespace = await pair.net.namespace(name);
  await plug(pair, namespace, "eth1", "lan");
  const host = MODES[kind === "r" ? "nat" : "direct"].firstHost + ordinal - 1;
  for (const family of Object.values(FAMILIES)) {
    await namespace.ip(`addr add ${family.lan(host)}/${family.bits} dev eth1`);
    if (kind === "r") await namespace.ip(`route add default via ${family.lan(1)}`);
  }
  if (kind === "d") await makeDirect(pair, namespace, host);
  let health: Server | undefined;
  const setHealthy = (healthy: boolean) => {
    health?.close();
    health = healthy ? listening(namespace, HEALTH_PORT, (socket) => socket.destroy()) : undefined;
  };
  return { name, ordinal, kind, namespace, setHealthy };
}

/** As docs/balancer.md tells its owner to; answers leave by the port on the clients' own network. */
async function makeDirect(pair: Pair, namespace: Namespace, host: number): Promise<void> {
  await plug(pair, namespace, "eth0", "wan");
  await namespace.sysctl("net.ipv4.conf.all.arp_ignore", 1);
  await namespace.sysctl("net.ipv4.conf.all.arp_announce", 2);
  await namespace.sysctl("net.ipv4.conf.eth1.rp_filter", 2);
  for (const [name, family] of Object.entries(FAMILIES)) {
    await namespace.ip(`addr add ${family.wan(host)}/${family.bits} dev eth0`);
    await namespace.ip(`addr add ${family.vip}/${name === "IPv4" ? 32 : 128} dev lo`);
  }
}

async function plug(pair: Pair, namespace: Namespace, device: string, lan: "wan" | "lan"): Promise<void> {
  const port = `${lan}-${namespace.name}`;
  await pair.net.link(namespace, device, pair.switches, port);
  await pair.switches.ip(`link set ${port} master ${lan}`);
  await calmOffloads(namespace, device);
}

/** A virtual device takes what its other end redirects only while it gathers; what it gathered it must not pass on so. */
async function takeRedirected(switches: Namespace): Promise<void> {
  for (const box of BOXES) for (const port of PORTS) await calmOffloads(switches, switchPort(box, port), "gro", "on");
}

/** What is left to a virtual device to checksum or cut, nobody does. */
async function calmOffloads(namespace: Namespace, device: string, ...more: readonly string[]): Promise<void> {
  await namespace.run(["ethtool", "-K", device, "tx", "off", "tso", "off", ...more]);
}

/** On every address of the host: a name to listen on would be looked up, and by then this thread is elsewhere. */
function listening(namespace: Namespace, port: number, take: (socket: Socket) => void): Server {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    take(socket);
  });
  namespace.inside(() => server.listen({ port, backlog: 1_024 }));
  return server;
}

/** The servers of every mode, and what their clients said. */
export class Servers {
  /** Which host has the connection. */
  readonly hostOf = new Map<number, ServerHost>();
  /** Connections that answered each word. */
  readonly answered = new Map<string, Set<number>>();
  readonly #sockets = new Map<number, Socket>();
  readonly #listening: readonly Server[];

  constructor(hosts: readonly ServerHost[]) {
    const ports = (kind: string) =>
      new Set(Object.values(MODES).flatMap((one) => (one.kind === kind ? one.backendPort : [])));
    this.#listening = hosts.flatMap((host) =>
      [...ports(host.kind)].map((port) => listening(host.namespace, port, (socket) => this.#serve(host, socket))),
    );
  }

  /** The servers speak first. */
  ask(ids: readonly number[], word: string): void {
    for (const id of ids) this.#sockets.get(id)?.write(`ask ${word}\n`);
  }

  close(): void {
    for (const server of this.#listening) server.close();
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #serve(host: ServerHost, socket: Socket): void {
    let id = -1;
    onLines(socket, (verb, word) => {
      if (verb === "hello") {
        id = Number(word);
        this.#sockets.set(id, socket);
        this.hostOf.set(id, host);
        socket.write(`hello ${word}\n`);
      } else if (verb === "say") {
        socket.write(`said ${word}\n`);
      } else if (verb === "answer") {
        const all = this.answered.get(word) ?? new Set();
        this.answered.set(word, all.add(id));
      }
    });
  }
}
