/**
 * Two machines from the image, three cables each, a client with a browser, three web servers and a router that gives
 * addresses by DHCP, as somebody's rack has them. The boxes come out of their cartons: nobody configured them.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Namespace } from "../../netns/namespaces.ts";
import { WebServer } from "../../lab/web-server.ts";
import { Cabling } from "./cabling.ts";
import { type Firmware, Machine, type MachineOptions } from "./machine.ts";

export const VIP = "10.1.0.1";
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
  readonly #leases: string;

  private constructor(
    parts: Pick<Twins, "a" | "b" | "client" | "router" | "servers">,
    cabling: Cabling,
    leases: string,
  ) {
    this.a = parts.a;
    this.b = parts.b;
    this.client = parts.client;
    this.router = parts.router;
    this.servers = parts.servers;
    this.#cabling = cabling;
    this.#leases = leases;
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
    const a = await machine("a");
    const b = await machine("b");
    const client = await cabling.host("client", "wan", "10.1.0.50/24");
    const router = await cabling.host("router", "wan", "10.1.0.254/24");
    const leases = join(directory, "leases");
    givesAddresses(router, leases);
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
    return new Twins({ a, b, client, router, servers }, cabling, leases);
  }

  /** What the router gave to the port with this MAC; undefined before the port asked. */
  leaseOf(mac: string): string | undefined {
    // "1764460000 52:54:00:00:00:01 10.1.0.117 futago-0001 *"
    const lines = existsSync(this.#leases) ? readFileSync(this.#leases, "utf8").split("\n") : [];
    return lines.map((line) => line.split(" ")).find(([, found]) => found === mac)?.[2];
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

function givesAddresses(router: Namespace, leases: string): void {
  router.spawn(
    [
      "dnsmasq",
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--port=0",
      "--user=root",
      "--interface=eth0",
      "--bind-interfaces",
      "--dhcp-range=10.1.0.100,10.1.0.150,1h",
      "--dhcp-authoritative",
      "--no-ping",
      `--dhcp-leasefile=${leases}`,
      "--pid-file",
    ],
    { stdio: "ignore" },
  );
}
