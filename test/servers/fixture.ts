/** The whole of it: network, servers, one running box that serves, the client's programs and what watches them. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { Boxes, type RunningBox } from "../netns/running-box.ts";
import { Clients } from "./clients.ts";
import { documentFor } from "./document.ts";
import { Evidence } from "./evidence.ts";
import { createServersNetwork, FAMILIES, type Mode, SERVERS, type ServersNetwork, VIPS, type Wire } from "./network.ts";
import { type Cargo, LARGE_BYTES, makeCargo, type Servers, SMALL_BYTES, startServers } from "./servers.ts";

/** VLANs are tried on emulated machines, which take their time. */
const LIMITS: Readonly<
  Record<Wire, { listenMillis: number; readyMillis: number; activeSeconds: number; healthyMillis: number }>
> = {
  ports: { listenMillis: 10_000, readyMillis: 30_000, activeSeconds: 20, healthyMillis: 20_000 },
  vlans: { listenMillis: 60_000, readyMillis: 120_000, activeSeconds: 60, healthyMillis: 120_000 },
};

export interface Fixture {
  readonly net: ServersNetwork;
  readonly box: RunningBox;
  readonly clients: Clients;
  readonly evidence: Evidence;
  readonly large: Cargo;
  readonly small: Cargo;
  /** What serves in a mode. */
  servers(mode: Mode): Servers;
  /** What nginx stored of what the client brought. */
  broughtPath(mode: Mode, name: string): string;
  destroy(): Promise<void>;
}

export async function startFixture(wire: Wire = "ports"): Promise<Fixture> {
  const boxes = new Boxes();
  const limits = LIMITS[wire];
  const net = await createServersNetwork(wire);
  const destroy = async () => {
    await boxes.destroy([net.box]);
    await net.destroy();
  };
  try {
    const shared = boxes.directory;
    makeKeys(shared);
    const [large, small] = [makeCargo(shared, "large", LARGE_BYTES), makeCargo(shared, "small", SMALL_BYTES)];
    const directoryOf = (mode: Mode) => join(shared, mode === "direct" ? "beside" : "server");
    const start = (mode: Mode, addresses: readonly string[]) =>
      startServers(
        {
          namespace: net.serverOf(mode),
          directory: directoryOf(mode),
          addresses,
          listenMillisMax: limits.listenMillis,
        },
        shared,
      );
    const own = (mode: Mode) => FAMILIES.map((family) => SERVERS[family][mode]);
    // In `direct` the VIP is where they answer; the checks ask the address that is their own.
    const direct = [...own("direct"), ...FAMILIES.map((family) => VIPS[family].direct)];
    const [server, beside] = await Promise.all([
      start("nat", [...own("nat"), ...own("one-arm")]),
      start("direct", direct),
    ]);
    const box = boxes.start(net.box, boxes.state(), "--import", boxes.document("box.json", documentFor(wire)));
    await box.ready(limits.readyMillis);
    await box.futago("wait", "--role", "active", "--timeout", String(limits.activeSeconds));
    await healthy(box, limits.healthyMillis);
    const evidence = await Evidence.start(net);
    const clients = new Clients(net.client, shared);
    const broughtPath = (mode: Mode, name: string) => join(directoryOf(mode), "put", name);
    const servers = (mode: Mode) => (mode === "direct" ? beside : server);
    return { net, box, clients, evidence, large, small, servers, broughtPath, destroy };
  } catch (error) {
    await destroy();
    throw error;
  }
}

/** Every backend has been looked at and was found well. */
async function healthy(box: RunningBox, limitMillis: number): Promise<void> {
  const all = async () => {
    const { services } = await box.status();
    return services.every((one) => one.backends.every((backend) => backend.healthy && backend.reason !== ""));
  };
  await vi.waitUntil(all, { timeout: limitMillis, interval: 200 }).catch(async () => {
    throw new Error(`not every backend is healthy:\n${(await box.futago("show", "health")).stdout}\n${box.stderr()}`);
  });
}

/** The server's key, which the client knows, and the client's, which the server does. */
export function makeKeys(directory: string): void {
  for (const name of ["host_key", "client_key"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, name)]);
  }
  writeFileSync(join(directory, "known_hosts"), `* ${readFileSync(join(directory, "host_key.pub"), "utf8")}`);
}
