/**
 * Two real boxes with their web UIs, three web servers and a client with a browser, as the lab has them. Nothing of it
 * leaves the machine, and nothing stays when it is taken down.
 */
import { ask } from "@futago/firmware/cli/client.ts";
import { Browser } from "./browser.ts";
import { createNetwork, type Namespace } from "../netns/namespaces.ts";
import { LabBox } from "../lab/box.ts";
import { labDocument } from "../lab/document.ts";
import { writePairFiles } from "../lab/futago-process.ts";
import { type Janitor, startJanitor } from "../lab/janitor-child.ts";
import {
  type BackendName,
  BALANCED_LAYOUT,
  type Box,
  BOXES,
  createTopology,
  DEVICES,
  SERVERS,
  type Topology,
  VIP,
  WEB_PORT,
} from "../lab/topology.ts";
import { WebServer } from "../lab/web-server.ts";

export interface RigOptions {
  /** The boxes know neither each other nor a configuration, as they come out of their cartons. */
  readonly bare?: boolean;
  /** What the pair is told; left out, the lab's own. */
  readonly document?: unknown;
  /** Makes the updater of a box and returns its socket; left out, the boxes have no slots. */
  readonly updater?: (box: Box, directory: string) => string;
}

const ADDRESSES: Readonly<Record<Box | "vip", string>> = { a: "10.1.0.2", b: "10.1.0.3", vip: VIP };
const WAIT_MILLIS = 20_000;
const POLL_MILLIS = 100;

export class Rig {
  readonly topology: Topology;
  readonly boxes: Readonly<Record<Box, LabBox>>;
  readonly servers: ReadonlyMap<BackendName, WebServer>;
  readonly browser: Browser;
  readonly directory: string;
  readonly #janitor: Janitor;

  private constructor(parts: Omit<Rig, "destroy" | "url" | "claimCode">, janitor: Janitor) {
    this.topology = parts.topology;
    this.boxes = parts.boxes;
    this.servers = parts.servers;
    this.browser = parts.browser;
    this.directory = parts.directory;
    this.#janitor = janitor;
  }

  static async start({ bare = false, document = labDocument("calm"), updater }: RigOptions = {}): Promise<Rig> {
    const network = await createNetwork();
    const janitor = startJanitor(network.prefix);
    const { directory } = janitor;
    try {
      const topology = await createTopology(network, BALANCED_LAYOUT);
      const files = bare ? undefined : writePairFiles(directory, document);
      const before = bare ? { before: reachable } : {};
      const box = (name: Box) =>
        new LabBox(name, topology, {
          directory,
          files,
          webServer: undefined,
          ...before,
          updater: updater?.(name, directory),
        });
      const boxes = { a: box("a"), b: box("b") };
      const servers = new Map(SERVERS.map((name) => [name, serverOf(name, topology, directory)]));
      await Promise.all([...servers.values()].map((server) => server.start()));
      await Promise.all(BOXES.map((name) => boxes[name].powerOn()));
      await Promise.all(BOXES.map((name) => pagesOf(boxes[name])));
      const browser = await Browser.start(topology.client, directory);
      const rig = new Rig({ topology, boxes, servers, browser, directory }, janitor);
      if (!bare) await until("a pair", () => isPair(boxes));
      return rig;
    } catch (error) {
      await janitor.sweep();
      throw error;
    }
  }

  /** Where a box's web UI is for the client; "vip": whichever holds the address. */
  url(where: Box | "vip", path = "/"): string {
    return `https://${ADDRESSES[where]}:${WEB_PORT}${path}`;
  }

  async claimCode(box: Box): Promise<string> {
    const code = (await this.boxes[box].web())?.claimCode;
    if (code === undefined) throw new Error(`box ${box} has no claim code: it is claimed, or does not run`);
    return code;
  }

  async destroy(): Promise<void> {
    await this.browser.close();
    for (const box of BOXES) this.boxes[box].close();
    await this.#janitor.sweep();
  }
}

/** A bare box has no address. Whoever installs it gives it one by hand, and switches its ports on. */
async function reachable(box: Box, host: Namespace): Promise<void> {
  await host.ip(`addr add ${ADDRESSES[box]}/24 dev ${DEVICES.wan}`);
  for (const device of Object.values(DEVICES)) await host.ip(`link set ${device} up`);
}

function serverOf(name: BackendName, topology: Topology, directory: string): WebServer {
  return new WebServer({ name, host: () => topology.backends.get(name), listen: ["80"], directory });
}

function isPair(boxes: Readonly<Record<Box, LabBox>>): boolean {
  const roles = BOXES.map((box) => boxes[box].feed.latest).map((status) => `${status?.role} ${status?.peer?.alive}`);
  const active = boxes.a.feed.latest?.role === "active" ? boxes.a : boxes.b;
  const services = active.feed.latest?.services ?? [];
  const serves = services.some(({ backends }) => backends.some((backend) => backend.healthy));
  return /^active true,(standby|spare) true$/.test(roles.toSorted().join()) && (serves || services.length === 0);
}

/** A box is ready before its pages are. */
export async function pagesOf(box: LabBox): Promise<void> {
  await until("a web UI", async () => (await ask(box.state, "webAccess", {})).urls.length > 0);
}

/** Looks again and again until it holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MILLIS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come true in ${WAIT_MILLIS / 1_000} s`);
    await new Promise((resolve) => void setTimeout(resolve, POLL_MILLIS));
  }
}
