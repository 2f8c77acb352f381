/** What the lab shows beside `nat` over TCP: `one-arm`, `direct` and UDP. Their configuration, servers and traffic. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../netns/namespaces.ts";
import type { DatagramCounts } from "./datagram-load.ts";
import { type LabDocument, webCheck } from "./document.ts";
import type { HttpCounts } from "./http-load.ts";
import { type BackendName, DIRECT_SERVERS, SERVER_ADDRESSES, VIP } from "./topology.ts";
import { HttpTraffic } from "./traffic.ts";

/** Where the servers of each listen, and the service too. */
export const RELAY_PORT = 8080;
export const DIRECT_PORT = 8081;
const ECHO_PORT = 7;
const DATAGRAM_LOAD = fileURLToPath(new URL("datagram-load.ts", import.meta.url));
const ECHO_SERVER = fileURLToPath(new URL("echo-server.ts", import.meta.url));

const RELAYS: readonly BackendName[] = ["s1", "s2"];
const backendsOf = (names: readonly BackendName[], port: number) =>
  names.map((name) => ({ name, address: SERVER_ADDRESSES[name], port }));

/** The configuration with a service of each more. */
export function withModes(document: LabDocument): unknown {
  const service = { address: "front", protocol: "tcp" };
  return {
    ...document,
    pools: [
      ...document.pools,
      { name: "relay", backends: backendsOf(RELAYS, RELAY_PORT), check: webCheck },
      { name: "direct", backends: backendsOf(DIRECT_SERVERS, DIRECT_PORT), check: webCheck },
      { name: "echo", backends: backendsOf(RELAYS, ECHO_PORT), check: { type: "icmp" } },
    ],
    services: [
      ...document.services,
      { ...service, name: "relay", port: RELAY_PORT, pool: "relay", mode: "one-arm" },
      { ...service, name: "direct", port: DIRECT_PORT, pool: "direct", mode: "direct" },
      { ...service, name: "echo", protocol: "udp", port: ECHO_PORT, pool: "echo", mode: "nat" },
    ],
  };
}

/** Sends datagrams back, with its name. */
export function startEchoServers(hosts: ReadonlyMap<BackendName, Namespace>): void {
  for (const name of RELAYS) {
    const argv = [process.execPath, ECHO_SERVER, name, SERVER_ADDRESSES[name], String(ECHO_PORT)];
    hosts.get(name)?.spawn(argv, { stdio: "ignore" });
  }
}

export interface ModeCounts {
  readonly oneArm: HttpCounts;
  readonly direct: HttpCounts;
  readonly datagrams: DatagramCounts;
}

const REQUESTS_PER_SECOND = 50;
const CONNECTIONS = 10;
const NOTHING: DatagramCounts = { clients: 0, sent: 0, answered: 0, lost: 0, moved: 0 };

/** What the client asks of them, all the time. */
export class ModeTraffic {
  readonly #oneArm: HttpTraffic;
  readonly #direct: HttpTraffic;
  readonly #datagrams: ChildProcess;
  #counts = NOTHING;

  constructor(client: Namespace) {
    const load = { addresses: [VIP], requestsPerSecond: REQUESTS_PER_SECOND, keptConnections: CONNECTIONS };
    this.#oneArm = new HttpTraffic(client, { ...load, port: RELAY_PORT });
    this.#direct = new HttpTraffic(client, { ...load, port: DIRECT_PORT });
    const argv = [process.execPath, DATAGRAM_LOAD, VIP, String(ECHO_PORT), String(CONNECTIONS)];
    this.#datagrams = client.spawn(argv, { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#datagrams.stdout === null) throw new Error("the client of datagrams has no output");
    createInterface({ input: this.#datagrams.stdout }).on("line", (text) => {
      this.#counts = JSON.parse(text) as DatagramCounts;
    });
  }

  get counts(): ModeCounts {
    return { oneArm: this.#oneArm.counts, direct: this.#direct.counts, datagrams: this.#counts };
  }
}
