/**
 * A box between a generator of frames and the end where they go, as the rows on cost per packet want it: the clients'
 * side on eth0, the backends behind eth1. A packet costs the box what the threads of its two ports
 * take; generator and far end are on another processor where there is one.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { createNetwork, type Namespace, type TestNetwork } from "../netns/namespaces.ts";
import type { Boxes, RunningBox } from "../netns/running-box.ts";
import { type BuiltFrames, CLIENTS, CLIENTS6, Frames, opening, running, type Template } from "./frames.ts";
import { type PortThread, processorNanos, startThreads } from "./napi-threads.ts";

const IPVS = join(import.meta.dirname, "ipvs");
export const VIP = "10.1.0.1";
export const VIP6 = "2001:db8:1::1";
/** As many as it takes for `one-arm`, which has 31,000 ports to speak to each from. */
const BACKEND_COUNT = 16;
const BACKENDS = Array.from({ length: BACKEND_COUNT }, (_, i) => `10.2.0.${11 + i}`);
const BACKENDS6 = Array.from({ length: BACKEND_COUNT }, (_, i) => `2001:db8:2::${(11 + i).toString(16)}`);
export const GATEWAY = "10.1.0.254";
const GATEWAY6 = "2001:db8:1::fe";
export const BOX_MAC = "02:00:00:00:01:02";
const GENERATOR_CPU = 0;
const BOX_CPU = cpus().length > 1 ? 1 : GENERATOR_CPU;
const FRONT_MAC = "02:00:00:00:01:fe";
const BACK_MAC = "02:00:00:00:02:0b";
/** An emulated machine takes longest. */
const READY_MILLIS_MAX = 60_000;
const ROLE_SECONDS_MAX = "20";
const ESTABLISH_ROUNDS_MAX = 10;

/** What makes a namespace with two ports a box, and how it is spoken to. */
export interface BoxKind {
  readonly name: string;
  readonly destination: string;
  readonly destinationPort: number;
  /** Backends answer through the box. */
  readonly returns: boolean;
  /** Addresses and routes are there; the ports are threaded afterwards. */
  start(box: Namespace, files: Boxes): Promise<RunningBox | undefined>;
}

export class BalancedBox {
  readonly kind: BoxKind;
  readonly namespace: Namespace;
  readonly frames: Frames;
  readonly #threads: readonly PortThread[];
  readonly #running: RunningBox | undefined;
  readonly #network: TestNetwork;

  constructor(kind: BoxKind, namespace: Namespace, frames: Frames, threads: readonly PortThread[], rest: Rest) {
    this.kind = kind;
    this.namespace = namespace;
    this.frames = frames;
    this.#threads = threads;
    this.#running = rest.running;
    this.#network = rest.network;
  }

  /** Sends so many flows through their handshake, each a new one. Returns how many came through. */
  async shake(flows: number, firstFlow: number): Promise<number> {
    const template = this.#template();
    const { returns } = this.kind;
    const packets = returns ? [opening(template)] : [opening(template), running(template)];
    await this.frames.plan({ packets, flows: undefined, firstFlow, answers: returns });
    const arrived = await this.frames.send(returns ? flows : 2 * flows, returns ? 2 : 1);
    return arrived / 2;
  }

  /** Each of the first flows goes through its handshake, again where the machine lost a packet of it. */
  async establish(flows: number): Promise<void> {
    for (let round = 0; round < ESTABLISH_ROUNDS_MAX; round++) {
      const shaken = await this.shake(flows, 0);
      const known = (await this.#running?.status())?.services[0]?.backends.reduce((sum, { flows: of }) => sum + of, 0);
      if ((known ?? shaken) >= flows) return;
    }
    throw new Error(`${this.kind.name}: the flows do not all begin`);
  }

  /** Packets of flows that are established, in turns. */
  async planEstablished(flows: number): Promise<void> {
    await this.frames.plan({ packets: [running(this.#template())], flows, firstFlow: 0, answers: false });
  }

  /** Each packet opens a flow, and is not answered. */
  async planNew(firstFlow: number): Promise<void> {
    await this.frames.plan({ packets: [opening(this.#template())], flows: undefined, firstFlow, answers: false });
  }

  /** Nanoseconds on a processor of what the box does meanwhile. */
  async cost(work: () => Promise<number>): Promise<{ readonly nanos: number; readonly done: number }> {
    const from = processorNanos(this.#threads);
    const done = await work();
    return { nanos: processorNanos(this.#threads) - from, done };
  }

  async stop(): Promise<void> {
    this.frames.close();
    await this.#running?.stop();
    await this.#network.destroy();
  }

  #template(): Omit<Template, "flags"> {
    const { destination, destinationPort } = this.kind;
    return { destination, destinationPort, mac: BOX_MAC };
  }
}

interface Rest {
  readonly running: RunningBox | undefined;
  readonly network: TestNetwork;
}

export async function startBalancedBox(kind: BoxKind, built: BuiltFrames, files: Boxes): Promise<BalancedBox> {
  const network = await createNetwork();
  try {
    const box = await network.namespace("box", { forwarding: true });
    const ends = await plug(network, box);
    const started = await kind.start(box, files);
    const frames = await Frames.start(built, { namespace: ends.front, cpu: GENERATOR_CPU, ends });
    const waits = BOX_CPU === GENERATOR_CPU;
    for (const end of [ends.front, ends.back]) await startThreads(end, ["eth0"], { cpu: GENERATOR_CPU, waits });
    const threads = await startThreads(box, ["eth0", "eth1"], { cpu: BOX_CPU });
    return new BalancedBox(kind, box, frames, threads, { running: started, network });
  } catch (error) {
    await network.destroy();
    throw error;
  }
}

export async function plug(network: TestNetwork, box: Namespace) {
  const [front, back] = [await network.namespace("front"), await network.namespace("back")];
  await network.link(front, "eth0", box, "eth0");
  await network.link(back, "eth0", box, "eth1");
  await network.link(front, "spare0", front, "spare1");
  await front.ip(`link set eth0 address ${FRONT_MAC}`);
  await back.ip(`link set eth0 address ${BACK_MAC}`);
  await box.ip(`link set eth0 address ${BOX_MAC}`);
  await front.ip(`addr add ${GATEWAY}/24 dev eth0`);
  await front.ip(`addr add ${GATEWAY6}/64 dev eth0`);
  for (const address of BACKENDS) await back.ip(`addr add ${address}/24 dev eth0`);
  for (const address of BACKENDS6) await back.ip(`addr add ${address}/64 dev eth0`);
  // Frames that an XDP program redirects to a port arrive only while that has a poll of its own; so does GRO need one.
  for (const end of [front, back]) await end.run(["ethtool", "-K", "eth0", "gro", "on"]);
  for (const port of ["eth0", "eth1"]) await box.run(["ethtool", "-K", port, "gro", "on"]);
  return { front, frontDevice: "eth0", frontSpareDevice: "spare0", back, backDevice: "eth0" };
}

/** The kernel's own forwarding, with what its documentation advises for a router (ip-sysctl.rst). */
export function kernelBox(name: string, ...rulesets: readonly string[]): BoxKind {
  const [destination, destinationPort] = rulesets.length === 0 ? ["10.2.0.11", 8080] : [VIP, 80];
  return {
    name,
    destination,
    destinationPort,
    returns: true,
    start: async (box) => {
      for (const switched of [
        "net.ipv4.conf.all.rp_filter",
        "net.ipv4.conf.default.rp_filter",
        "net.ipv4.ip_early_demux",
      ])
        await box.sysctl(switched, 0);
      for (const port of ["eth0", "eth1"]) await box.sysctl(`net.ipv4.conf.${port}.rp_filter`, 0);
      await box.ip("addr add 10.1.0.2/24 dev eth0");
      await box.ip("addr add 10.2.0.2/24 dev eth1");
      await box.ip(`route add ${CLIENTS}/15 via ${GATEWAY}`);
      await box.ip(`neigh replace ${GATEWAY} lladdr ${FRONT_MAC} dev eth0 nud permanent`);
      for (const address of BACKENDS)
        await box.ip(`neigh replace ${address} lladdr ${BACK_MAC} dev eth1 nud permanent`);
      for (const file of rulesets) await box.run(["nft", "-f", join(import.meta.dirname, "nftables", file)]);
      return undefined;
    },
  };
}

/** IPVS on top of that, tuned as its documentation advises: the files in `ipvs/` say how. */
export function ipvsBox(mode: "nat" | "direct"): BoxKind {
  const kernel = kernelBox(`IPVS ${mode}`);
  return {
    ...kernel,
    destination: VIP,
    destinationPort: servicePort(mode),
    returns: passesBack(mode),
    start: async (box, files) => {
      await kernel.start(box, files);
      await box.ip(`addr add ${VIP}/24 dev eth0`);
      await box.run(["modprobe", "--config", join(IPVS, "modprobe.conf"), "ip_vs"]);
      await box.run(["sysctl", "--quiet", `--load=${join(IPVS, "sysctl.conf")}`]);
      await box.run(["sh", "-c", 'ipvsadm --restore <"$1"', "sh", join(IPVS, `${mode}.rules`)]);
      return undefined;
    },
  };
}

export type Mode = "nat" | "one-arm" | "direct";

/** A whole box, alone, with one service. */
export function futagoBox(mode: Mode, family: "ipv4" | "ipv6"): BoxKind {
  const name = `Futago ${mode}${family === "ipv6" ? ", IPv6" : ""}`;
  return {
    name,
    destination: family === "ipv6" ? VIP6 : VIP,
    destinationPort: servicePort(mode),
    returns: passesBack(mode),
    start: async (box, files) => {
      const id = `${mode}-${family}`;
      const document = files.document(`${id}.json`, futagoDocument(mode, family));
      const started = files.start(box, files.state(id), "--import", document);
      await started.ready(READY_MILLIS_MAX);
      const { code, stderr } = await started.futago("wait", "--role", "active", "--timeout", ROLE_SECONDS_MAX);
      if (code !== 0) throw new Error(`${name} does not become active: ${stderr}`);
      return started;
    },
  };
}

function servicePort(mode: Mode): number {
  return mode === "direct" ? 8080 : 80;
}

function passesBack(mode: Mode): boolean {
  return mode !== "direct";
}

function futagoDocument(mode: Mode, family: "ipv4" | "ipv6"): unknown {
  const [front, lan, backends, via, clients] =
    family === "ipv4"
      ? ([`${VIP}/24`, "10.2.0.1/24", BACKENDS, GATEWAY, `${CLIENTS}/15`] as const)
      : ([`${VIP6}/64`, "2001:db8:2::1/64", BACKENDS6, GATEWAY6, `${CLIENTS6}/48`] as const);
  const own = family === "ipv4" ? ["10.1.0.2/24", "10.2.0.2/24"] : ["2001:db8:1::2/64", "2001:db8:2::2/64"];
  return {
    interfaces: [
      { name: "wan", device: "eth0", addresses: [own[0]] },
      { name: "lan", device: "eth1", addresses: [own[1]] },
    ],
    routes: [{ to: clients, via }],
    failoverGroups: [
      {
        name: "edge",
        virtualRouters: [
          { interface: "wan", vrid: 10, name: "front", addresses: [front], advertisementIntervalMs: 100 },
          { interface: "lan", vrid: 11, addresses: [lan], advertisementIntervalMs: 100 },
        ],
      },
    ],
    pools: [
      {
        name: "web",
        backends: backends.map((address, i) => ({ name: `s${i}`, address, port: 8080 })),
        check: { type: "none" },
      },
    ],
    services: [{ name: "www", address: "front", protocol: "tcp", port: servicePort(mode), pool: "web", mode }],
  };
}
