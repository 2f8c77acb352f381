/** One box whose ports take XDP badly or not at all, a client, and two servers of everything behind it. */
import { fileURLToPath } from "node:url";
import type { ServiceStatus } from "@futago/firmware/runtime/control.ts";
import type { Asked } from "../xdp/asker.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";
import { Talker } from "./talker.ts";

const PEER = fileURLToPath(new URL("../xdp/peer.ts", import.meta.url));
const ASKER = fileURLToPath(new URL("../xdp/asker.ts", import.meta.url));
/** Where the servers listen. */
const PORT = 7000;

export interface Stack {
  readonly vip: string;
  readonly server: (host: number) => string;
}

export const STACKS: Readonly<Record<"ipv4" | "ipv6", Stack>> = {
  ipv4: { vip: "10.1.0.1", server: (host) => `10.2.0.${host}` },
  ipv6: { vip: "fd01::1", server: (host) => `fd02::${host}` },
};

const CHECKSUM_ERRORS = ["TcpInCsumErrors", "UdpInCsumErrors", "Udp6InCsumErrors", "IpInHdrErrors", "Ip6InHdrErrors"];

/** A service by what it carries. */
interface Cell {
  readonly family: keyof typeof STACKS;
  readonly protocol: string;
  readonly port: number;
}

/** The document of a box: pools and services are the test's. */
export function boxDocument(pools: readonly object[], services: readonly object[], device = "eth0") {
  const router = (link: string, vrid: number, name: string, address: string) => ({
    interface: link,
    vrid,
    name,
    addresses: [address],
    advertisementIntervalMs: 100,
  });
  return {
    interfaces: [
      { name: "wan", device, addresses: ["10.1.0.2/24", "fd01::2/64"] },
      { name: "lan", device: "eth1", addresses: ["10.2.0.2/24", "fd02::2/64"] },
    ],
    failoverGroups: [
      {
        name: "edge",
        virtualRouters: [
          router("wan", 10, "front", "10.1.0.1/24"),
          router("wan", 10, "front6", "fd01::1/64"),
          router("lan", 11, "back", "10.2.0.1/24"),
          router("lan", 11, "back6", "fd02::1/64"),
        ],
      },
    ],
    pools,
    services,
  };
}

/** s1 and s2 of a family, checked often. */
export function pool(name: string, { server }: Stack, more: object = {}, port = PORT) {
  return {
    name,
    backends: [11, 12].map((host, i) => ({ name: `s${i + 1}`, address: server(host), port })),
    check: { type: "tcp", port: PORT, intervalMs: 200, timeoutMs: 100, rise: 1, fall: 1 },
    ...more,
  };
}

/** By the end of its address. */
const HOSTS = { 11: "one", 12: "two", 13: "three" } as const;
export type Host = keyof typeof HOSTS;
const EVERY_HOST: readonly Host[] = [11, 12, 13];

export class FallbackRig {
  readonly net: TestNetwork;
  readonly host: Namespace;
  readonly client: Namespace;
  readonly servers: Readonly<Record<Host, Namespace>>;
  readonly boxes = new Boxes();
  #box: RunningBox | undefined;

  private constructor(net: TestNetwork, places: Pick<FallbackRig, "host" | "client" | "servers">) {
    this.net = net;
    this.host = places.host;
    this.client = places.client;
    this.servers = places.servers;
  }

  /** The servers at 10.2.0.11 and .12 run, the third does not. */
  static async build(): Promise<FallbackRig> {
    const net = await createNetwork();
    const host = await net.namespace("box");
    const client = await net.namespace("client");
    const lan = await net.namespace("lan");
    const servers = {
      11: await net.namespace("one"),
      12: await net.namespace("two"),
      13: await net.namespace("three"),
    };
    await net.link(host, "eth0", client, "eth0");
    await net.link(host, "eth1", lan, "box");
    for (const last of EVERY_HOST) await net.link(servers[last], "eth0", lan, HOSTS[last]);
    await lan.bridge("lan", ["box", ...Object.values(HOSTS)]);
    const rig = new FallbackRig(net, { host, client, servers });
    await rig.#prepareHosts();
    await Promise.all([rig.serve(11), rig.serve(12)]);
    return rig;
  }

  async #prepareHosts(): Promise<void> {
    const { client, servers } = this;
    for (const address of ["10.1.0.10/24", "10.1.0.11/24", "fd01::10/64"])
      await client.ip(`addr add ${address} dev eth0`);
    for (const last of EVERY_HOST) {
      await servers[last].ip(`addr add 10.2.0.${last}/24 dev eth0`);
      await servers[last].ip(`addr add fd02::${last}/64 dev eth0`);
      await servers[last].ip("route add default via 10.2.0.1");
      await servers[last].ip("-6 route add default via fd02::1");
    }
    // What the receivers verify must be what was on the wire.
    for (const namespace of [client, ...Object.values(servers)])
      await namespace.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off", "gro", "on"]);
  }

  /** Names itself and echoes, over TCP and UDP and both families. Returns what ends it. */
  async serve(last: Host): Promise<() => Promise<void>> {
    const at = Object.values(STACKS).map(({ server }) => server(last));
    const argv = [process.execPath, PEER, "echo", HOSTS[last], String(PORT), ...at];
    const child = this.servers[last].spawn(argv, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once("data", () => resolve());
      child.once("exit", (code) => reject(new Error(`server ${HOSTS[last]} ended with ${code}`)));
    });
    return () => {
      child.kill("SIGKILL");
      return ended;
    };
  }

  async start(document: object): Promise<RunningBox> {
    const box = this.boxes.start(this.host, this.boxes.state(), "--import", this.boxes.document("box.json", document));
    this.#box = box;
    await box.ready();
    await box.futago("wait", "--role", "active", "--timeout", "10");
    return box;
  }

  get box(): RunningBox {
    if (this.#box === undefined) throw new Error("no box runs");
    return this.#box;
  }

  async service(name: string): Promise<ServiceStatus> {
    const { services } = await this.box.status();
    const found = services.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no service ${name}`);
    return found;
  }

  /** Opens flows at once, each of which sends so many bytes and wants them back. */
  async ask(protocol: string, vip: string, port: number, count = 24, bytes = 1, from = this.client): Promise<Asked> {
    const argv = [process.execPath, ASKER, protocol, vip, port, count, bytes].map(String);
    return JSON.parse(await from.run(argv)) as Asked;
  }

  /** The names of the servers that answered. */
  async answering(protocol: string, vip: string, port: number, count = 24): Promise<readonly string[]> {
    return Object.keys((await this.ask(protocol, vip, port, count)).servers).sort();
  }

  talk(vip: string, port: number): Talker {
    return new Talker(this.client, [process.execPath, PEER, "talk", vip, String(port)]);
  }

  /** Two dozen small questions and two large ones, and how many checksums were found wrong meanwhile. */
  async exchange({ family, protocol, port }: Cell) {
    const { vip } = STACKS[family];
    const before = await this.#checksumErrors();
    const small = await this.ask(protocol, vip, port);
    const large = await this.ask(protocol, vip, port, 2, protocol === "tcp" ? 300_000 : 1_400);
    return {
      small: small.right,
      large: large.right,
      errors: [...small.errors, ...large.errors],
      servers: Object.keys(small.servers).toSorted(),
      wrongSums: (await this.#checksumErrors()) - before,
    };
  }

  async #checksumErrors(): Promise<number> {
    const counts = await Promise.all(
      [this.client, ...Object.values(this.servers)].map((one) => one.run(["nstat", "-asz", ...CHECKSUM_ERRORS])),
    );
    const numbers = counts.join("\n").matchAll(/^\S+Errors\s+(\d+)/gm);
    return [...numbers].reduce((sum, [, number]) => sum + Number(number), 0);
  }

  /** The rules that serve services; "" while there are none. */
  async rules(): Promise<string> {
    const { code, stdout } = await this.host.tryRun(["nft", "list", "table", "inet", "futago_balancer"]);
    return code === 0 ? stdout : "";
  }

  async xdp(device: string): Promise<string> {
    return /(xdp\S*)\/id:|prog\/(xdp\S*) id/.exec(await this.host.ip(`-d link show dev ${device}`))?.[0] ?? "none";
  }

  async destroy(): Promise<void> {
    await this.boxes.destroy([this.host]);
    await this.net.destroy();
  }
}
