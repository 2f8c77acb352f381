/**
 * Two machines from the image, three cables each, a client, three web servers and a router that gives addresses by DHCP,
 * as somebody's rack has them. The boxes come out of their cartons: nobody configured them.
 */
import { mkdirSync } from "node:fs";
import type { Namespace } from "../../netns/namespaces.ts";
import { WebServer } from "../../lab/web-server.ts";
import { Cabling } from "./cabling.ts";
import { type Firmware, Machine, type MachineOptions } from "./machine.ts";

export const VIP = "10.1.0.1";
/** What the boxes have before anybody configured them. */
export const CARTON_ADDRESSES = { a: "10.1.0.2", b: "10.1.0.3" } as const;
const NETWORKS = ["wan", "lan", "sync"] as const;
const SERVERS = { s1: "10.2.0.11", s2: "10.2.0.12", s3: "10.2.0.13" } as const;
const SERVER_GATEWAY = "10.2.0.1";

export interface TwinsOptions {
  readonly image: string;
  readonly directory: string;
  readonly firmware?: Firmware;
  readonly devices?: MachineOptions["devices"];
}

export class Twins {
  readonly a: Machine;
  readonly b: Machine;
  readonly client: Namespace;
  readonly router: Namespace;
  readonly servers: readonly WebServer[];
  readonly #cabling: Cabling;

  private constructor(parts: Pick<Twins, "a" | "b" | "client" | "router" | "servers">, cabling: Cabling) {
    this.a = parts.a;
    this.b = parts.b;
    this.client = parts.client;
    this.router = parts.router;
    this.servers = parts.servers;
    this.#cabling = cabling;
  }

  /** Everything but the boxes is on. */
  static async make({ image, directory, firmware = "bios", devices = [] }: TwinsOptions): Promise<Twins> {
    mkdirSync(directory, { recursive: true });
    const cabling = await Cabling.start(NETWORKS);
    const machine = async (name: "a" | "b") =>
      new Machine({
        name,
        directory,
        image,
        firmware,
        devices,
        host: cabling.switches,
        cables: await cabling.cables(name, NETWORKS),
      });
    const [a, b] = [await machine("a"), await machine("b")];
    const client = await cabling.host("client", "wan", "10.1.0.50/24");
    const router = await cabling.host("router", "wan", "10.1.0.254/24");
    givesAddresses(router, [a, b]);
    const servers = await Promise.all(
      Object.entries(SERVERS).map(async ([name, address]) => {
        const host = await cabling.host(name, "lan", `${address}/24`);
        await host.ip(`route add default via ${SERVER_GATEWAY}`);
        const server = new WebServer({
          name: name as keyof typeof SERVERS,
          host: () => host,
          listen: ["80"],
          directory,
        });
        await server.start();
        return server;
      }),
    );
    return new Twins({ a, b, client, router, servers }, cabling);
  }

  /** The name of the server that a client gets at the virtual address; nothing where none answers. */
  async served(): Promise<string> {
    const { stdout } = await this.client.tryRun(["curl", "-s", "-m", "2", `http://${VIP}/`]);
    return stdout.trim();
  }

  async destroy(): Promise<void> {
    for (const machine of [this.a, this.b]) await machine.cut();
    await this.#cabling.destroy();
  }
}

/** Whoever owns the router gave each box's first port an address of its own. */
function givesAddresses(router: Namespace, machines: readonly Machine[]): void {
  const options = [
    "--keep-in-foreground --conf-file=/dev/null --port=0 --user=root --interface=eth0 --bind-interfaces --no-ping",
    "--dhcp-range=10.1.0.100,10.1.0.150,1h --dhcp-authoritative --leasefile-ro --pid-file",
    ...machines.map(({ macs, name }) => `--dhcp-host=${macs[0]},${CARTON_ADDRESSES[name as "a" | "b"]}`),
  ];
  router.spawn(["dnsmasq", ...options.flatMap((words) => words.split(" "))], { stdio: "ignore" });
}
