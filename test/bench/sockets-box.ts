/**
 * A box between clients and servers that speak TCP through the kernel's own sockets. What it costs is the time on a
 * processor of the threads of its ports and of every process on it: a proxy's workers with all that the kernel does on
 * their behalf, and Futago's own processes.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { processesIn } from "../lab/processes.ts";
import { createNetwork, type Namespace, type TestNetwork } from "../netns/namespaces.ts";
import type { Boxes, RunningBox } from "../netns/running-box.ts";
import { BOX_MAC, type BoxKind, GATEWAY, plug, VIP, VIP6 } from "./balanced-box.ts";
import { CLIENTS, CLIENTS6 } from "./frames.ts";
import { type PortThread, processorNanos, startThreads } from "./napi-threads.ts";
import { onProcessors, type Placement } from "./sockets-placement.ts";

const BACKEND_PORT = 8080;
/** Enough that somebody always has something to do; twice as many overrun the ends' own queues now and then. */
const CONCURRENCY = 64;
const SERVER_MILLIS_MAX = 5_000;

export interface Programs {
  readonly client: string;
  readonly server: string;
}

export function buildPrograms(directory: string): Programs {
  const [client = "", server = ""] = ["sockets-client", "sockets-server"].map((name) => {
    const program = join(directory, name);
    execFileSync("cc", ["-std=gnu11", "-O2", "-o", program, join(import.meta.dirname, `${name}.c`)]);
    return program;
  });
  return { client, server };
}

export interface Trial {
  readonly perSecond: number;
  /** Of the box, for each connection that ended well. */
  readonly nanosEach: number;
  /** What the box used of the time of one processor. */
  readonly busyShare: number;
  readonly failed: number;
  /** Ended well, but a segment had to be sent again. */
  readonly late: number;
}

interface Parts {
  readonly kind: BoxKind;
  readonly placement: Placement;
  readonly client: string;
  readonly front: Namespace;
  readonly box: Namespace;
  readonly ports: readonly PortThread[];
  readonly running: RunningBox | undefined;
  readonly network: TestNetwork;
}

export class SocketsBox {
  readonly kind: BoxKind;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.kind = parts.kind;
    this.#parts = parts;
  }

  static async start(
    kind: BoxKind,
    placement: Placement,
    { client, server }: Programs,
    files: Boxes,
  ): Promise<SocketsBox> {
    const network = await createNetwork();
    try {
      const box = await network.namespace("box", { forwarding: true });
      const { front, back } = await plug(network, box);
      await address(network, { box, front, back });
      const running = await kind.start(box, files);
      for (const { pid } of placement.box === undefined ? [] : processesIn(box.path))
        execFileSync("taskset", ["-a", "-c", "-p", String(placement.box), String(pid)], { stdio: "ignore" });
      if (!kind.returns) await answerPastTheBox(back);
      for (const end of [front, back]) await startThreads(end, ["eth0", "eth1"], { cpu: placement.ends });
      const ports = await startThreads(box, ["eth0", "eth1"], { cpu: placement.box });
      await serve(back, onProcessors(placement.ends, [server, String(BACKEND_PORT)]));
      return new SocketsBox({ kind, placement, client, front, box, ports, running, network });
    } catch (error) {
      await network.destroy();
      throw error;
    }
  }

  async trial(millis: number): Promise<Trial> {
    const { name, destination, destinationPort } = this.kind;
    const { client, front, box, ports, placement } = this.#parts;
    const source = destination.includes(":") ? CLIENTS6 : CLIENTS;
    const argv = [client, destination, destinationPort, source, CONCURRENCY, millis].map(String);
    const threads = [...ports, ...threadsOn(box)];
    const from = processorNanos(threads);
    const { code, stdout, stderr } = await front.tryRun(onProcessors(placement.ends, argv));
    const nanos = processorNanos(threads) - from;
    const [inTime = 0, done = 0, failed = 0, late = 0] = stdout.trim().split(" ").map(Number);
    if (code !== 0 || done === 0) throw new Error(`${name}: no connection comes through: ${stderr}`);
    if (stderr !== "") process.stderr.write(`${name}: ${stderr}`);
    return {
      perSecond: inTime / (millis / 1_000),
      nanosEach: nanos / done,
      busyShare: nanos / (millis * 1e6),
      failed,
      late,
    };
  }

  async stop(): Promise<void> {
    await this.#parts.running?.stop();
    await this.#parts.network.destroy();
  }
}

/** Clients have thousands of addresses; what is not for the box's two networks goes to the box. */
async function address(
  network: TestNetwork,
  { box, front, back }: Record<"box" | "front" | "back", Namespace>,
): Promise<void> {
  await network.link(front, "eth1", back, "eth1");
  // What XDP redirects, it redirects without the promise that a card will fill in the checksum.
  for (const end of [front, back]) await end.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off"]);
  for (const end of [front, back]) await end.run(["ethtool", "-K", "eth1", "gro", "on", "tso", "off"]);
  // What a port that segments sends is not polled by a thread of the receiver's port (veth_skb_is_eligible_for_gro of
  // Linux): the box's own thread would receive it, up to the end's socket, and the end's work be on the box's account.
  for (const port of ["eth0", "eth1"]) await box.run(["ethtool", "-K", port, "tso", "off"]);
  await front.sysctl("net.ipv6.ip_nonlocal_bind", 1);
  await front.ip(`route add local ${CLIENTS}/15 dev lo`);
  await front.ip(`-6 route add local ${CLIENTS6}/48 dev lo`);
  for (const vip of [VIP, VIP6, "10.1.0.2"])
    await front.ip(`neigh replace ${vip} lladdr ${BOX_MAC} dev eth0 nud permanent`);
  await front.ip("route add 10.2.0.0/24 via 10.1.0.2");
  await back.ip("route add default via 10.2.0.2");
  await back.ip("-6 route add default via 2001:db8:2::2");
}

async function serve(back: Namespace, argv: readonly string[]): Promise<void> {
  const server = back.spawn(argv, { stdio: ["ignore", "pipe", "inherit"] });
  if (server.stdout === null) throw new Error("the server's output is a pipe");
  await once(server.stdout, "data", { signal: AbortSignal.timeout(SERVER_MILLIS_MAX) });
}

/** The backend owns the VIP, as docs/balancer.md has it, and has another way to the clients. */
async function answerPastTheBox(back: Namespace): Promise<void> {
  await back.sysctl("net.ipv4.conf.all.arp_ignore", 1);
  await back.sysctl("net.ipv4.conf.all.arp_announce", 2);
  await back.ip(`addr add ${VIP}/32 dev lo`);
  await back.ip(`route add ${CLIENTS}/15 via ${GATEWAY} dev eth1 onlink`);
}

/** Of all that runs there; what the kernel does for a process, sending and softirqs in its context, is on its account. */
function threadsOn(box: Namespace): readonly PortThread[] {
  return processesIn(box.path).flatMap(({ pid }) =>
    readdirSync(`/proc/${pid}/task`).map((task) => ({ pid: Number(task) })),
  );
}
