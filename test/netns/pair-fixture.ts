/**
 * Two whole boxes of one pair on three switches, for tests of what the pair does when something goes wrong.
 *
 * The switches stand in a namespace of their own, so that what is cut there is seen by the boxes as what is gone. A
 * client sits on the wan; a stranger has a port on each switch. Every wait is bounded and says what it last saw.
 */
import { randomBytes } from "node:crypto";
import { ask } from "@futago/firmware/cli/client.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import type { SentinelEvent } from "@futago/firmware/runtime/messages.ts";
import { type Box, BOXES, DEVICES, type Port, PORTS } from "../lab/topology.ts";
import { processesIn, signalAll } from "../lab/processes.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

export const VIP = "10.1.0.1";
export const LAN_VIP = "10.2.0.1";
export const CLIENT = "10.1.0.10";
export const BEAT_PORT = 7405;
/** For {@link Pair.lose}: what the two cores say to each other, and nothing else. */
export const CORE_LINK = ["dport", "sport"].map((end) => `ether type ip6 tcp ${end} ${BEAT_PORT} drop`);

const WAIT_MILLIS = 20_000;
const POLL_MILLIS = 40;
const LOG_TAIL_CHARACTERS = 3_000;

export interface Document {
  readonly [key: string]: unknown;
  readonly interfaces: readonly object[];
  readonly pair: object;
  readonly failoverGroups: readonly object[];
}

/** Both VIPs in one group that prefers a, over three heartbeat paths; calm, so that a stall of the machine is no fault. */
export function pairDocument(pair: object = {}, group: object = {}): Document {
  return {
    interfaces: [
      { name: "wan", device: "eth0", addresses: { a: ["10.1.0.2/24"], b: ["10.1.0.3/24"] } },
      { name: "lan", device: "eth1", addresses: { a: ["10.2.0.2/24"], b: ["10.2.0.3/24"] } },
      { name: "sync", device: "eth2", addresses: { a: ["10.3.0.1/30"], b: ["10.3.0.2/30"] } },
    ],
    pair: { heartbeat: { over: ["sync", "lan", "wan"], profile: "calm" }, ...pair },
    failoverGroups: [
      {
        name: "edge",
        preferred: "a",
        virtualRouters: [
          { interface: "wan", vrid: 10, name: "front", addresses: [`${VIP}/24`] },
          { interface: "lan", vrid: 11, addresses: [`${LAN_VIP}/24`] },
        ],
        ...group,
      },
    ],
  };
}

export interface PairOptions {
  readonly document?: Document;
  /** Each box gets a key of its own: a mistake in the pairing. */
  readonly differentKeys?: boolean;
  /** Both boxes are started as a. */
  readonly sameLetter?: boolean;
  /** Done in the boxes' namespaces, and at the switches, before the boxes are started. */
  readonly before?: (hosts: Readonly<Record<Box, Namespace>>, switches: Namespace) => Promise<void>;
  /** The boxes are bare hosts: what runs there is the caller's to start. */
  readonly bare?: boolean;
  /** Leaves duplicate address detection on in the boxes, as the kernel has it. */
  readonly duplicateDetection?: boolean;
}

export class Pair {
  readonly net: TestNetwork;
  readonly switches: Namespace;
  readonly client: Namespace;
  readonly stranger: Namespace;
  readonly hosts: Readonly<Record<Box, Namespace>>;
  readonly files = new Boxes();
  readonly #document: Document;
  readonly #keys: Readonly<Record<Box, string>>;
  readonly #letters: Readonly<Record<Box, Box>>;
  readonly #running = new Map<Box, RunningBox>();

  private constructor(
    net: TestNetwork,
    places: Pick<Pair, "switches" | "client" | "stranger" | "hosts">,
    options: PairOptions,
  ) {
    this.net = net;
    this.switches = places.switches;
    this.client = places.client;
    this.stranger = places.stranger;
    this.hosts = places.hosts;
    this.#document = options.document ?? pairDocument();
    this.#letters = { a: "a", b: options.sameLetter === true ? "a" : "b" };
    const key = () => randomBytes(32).toString("hex");
    const a = this.files.file("a.key", key());
    this.#keys = { a, b: options.differentKeys === true ? this.files.file("b.key", key()) : a };
  }

  /** Builds the network and starts both boxes; they are ready, and have no roles yet. */
  static async start(options: PairOptions = {}): Promise<Pair> {
    const net = await createNetwork();
    const pair = new Pair(net, await buildNetwork(net, options), options);
    try {
      await options.before?.(pair.hosts, pair.switches);
      if (options.bare !== true) await Promise.all([pair.startBox("a"), pair.startBox("b")]);
    } catch (error) {
      await pair.destroy();
      throw error;
    }
    return pair;
  }

  /** `more` are further arguments; left out, the box takes the pair's document. */
  async startBox(name: Box, more?: readonly string[]): Promise<RunningBox> {
    const imports = more ?? ["--import", this.files.document(`${name}.json`, this.#document)];
    const argv = ["--box", this.#letters[name], "--pair-key", this.#keys[name], ...imports];
    const box = this.files.start(this.hosts[name], this.files.state(name), ...argv);
    this.#running.set(name, box);
    await box.ready(WAIT_MILLIS);
    return box;
  }

  async destroy(): Promise<void> {
    await this.files.destroy(Object.values(this.hosts));
    await this.net.destroy();
  }

  box(name: Box): RunningBox {
    const box = this.#running.get(name);
    if (box === undefined) throw new Error(`box ${name} does not run`);
    return box;
  }

  /** The same answer as `futago status --json`, without a process of its own for each look. */
  status(name: Box): Promise<BoxStatus> {
    return ask(this.files.state(name), "status", {});
  }

  why(name: Box): Promise<readonly SentinelEvent[]> {
    return ask(this.files.state(name), "why", {});
  }

  /** Waits until what the box says satisfies the test. */
  async until(name: Box, what: string, holds: (status: BoxStatus) => boolean): Promise<BoxStatus> {
    const deadline = performance.now() + WAIT_MILLIS;
    let seen: BoxStatus | undefined;
    let problem = "";
    while (performance.now() < deadline) {
      try {
        seen = await this.status(name);
        if (holds(seen)) return seen;
      } catch (error) {
        // Its core is starting; the next look tells.
        problem = String(error);
      }
      await pause(POLL_MILLIS);
    }
    const logs = [...this.#running].map(([box, run]) => `${box} said\n${run.stderr().slice(-LOG_TAIL_CHARACTERS)}`);
    throw new Error(`${name}: ${what} did not come true: ${problem}\n${JSON.stringify(seen)}\n${logs.join("\n")}`);
  }

  async role(name: Box, role: string): Promise<BoxStatus> {
    return this.until(name, `role ${role}`, (status) => status.role === role);
  }

  async alarm(name: Box, kind: string): Promise<string> {
    const status = await this.until(name, `alarm ${kind}`, ({ alarms }) => alarms.some((one) => one.kind === kind));
    return status.alarms.find((one) => one.kind === kind)!.sentence;
  }

  async noAlarm(name: Box, kind: string): Promise<void> {
    await this.until(name, `no alarm ${kind}`, ({ alarms }) => !alarms.some((one) => one.kind === kind));
  }

  /** `active` holds everything, the other one is standby, and they hear each other on every path. */
  async settled(active: Box): Promise<void> {
    await this.until(active, "active with a peer", (status) => status.role === "active" && hearsAll(status));
    await this.until(other(active), "standby with a peer", (status) => status.role === "standby" && hearsAll(status));
  }

  /** How many role changes each box has told of since its core was started. */
  async moves(): Promise<Readonly<Record<Box, number>>> {
    const count = async (name: Box) => (await this.why(name)).filter(({ event }) => event === "role").length;
    return { a: await count("a"), b: await count("b") };
  }

  /** Brings a group to a box by the commands of a person. */
  async bringTo(name: Box): Promise<void> {
    if ((await this.status(name)).role !== "active") await this.box(name).futago("switchover");
    await this.settled(name);
  }

  counters(name: Box): Promise<Readonly<Record<string, number>>> {
    return this.status(name).then((status) => status.heartbeat?.counters ?? {});
  }

  /** Replaces the list of heartbeats that the switches lose: "a sync" is what a sends over sync. */
  async lose(lost: readonly `${Box} ${Port}`[], more: readonly string[] = []): Promise<void> {
    const rules = lost.map((one) => {
      const [box, port] = one.split(" ") as [Box, Port];
      return `iifname "${switchPort(box, port)}" ether type ip6 udp dport ${BEAT_PORT} drop`;
    });
    const chain = ["chain forward {", "type filter hook forward priority 0", ...rules, ...more, "}"];
    const table = ["table bridge lost", "delete table bridge lost", "table bridge lost {", ...chain, "}", ""];
    await this.switches.run(["nft", "-f", "-"], { input: table.join("\n") });
  }

  async setCable(name: Box, port: Port, plugged: boolean): Promise<void> {
    await this.switches.ip(`link set ${switchPort(name, port)} ${plugged ? "up" : "down"}`);
  }

  /** No process, no cable: what is left is silent for ever. */
  async powerOff(name: Box): Promise<void> {
    const pids = processesIn(this.hosts[name].path).map(({ pid }) => pid);
    signalAll(pids, "SIGSTOP");
    for (const port of PORTS) await this.setCable(name, port, false);
    signalAll(pids, "SIGKILL");
    await this.#running.get(name)?.ended();
  }

  /** The Ethernet address of a host's port. */
  async mac(host: Namespace, device = "eth0"): Promise<string> {
    const [link] = JSON.parse(await host.ip(`-j link show dev ${device}`)) as { address: string }[];
    return link!.address;
  }

  /** To which Ethernet address the client sends what is for the VIP; undefined while it has no entry. */
  async clientSendsTo(address: string): Promise<string | undefined> {
    const text = await this.client.ip(`-j neigh show to ${address} dev eth0`);
    return (JSON.parse(text === "" ? "[]" : text) as { lladdr?: string }[])[0]?.lladdr;
  }
}

export function other(name: Box): Box {
  return name === "a" ? "b" : "a";
}

/** The switch's end of a box's cable. */
export function switchPort(box: Box, port: Port): string {
  return `${port}-${box}`;
}

export function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

function hearsAll(status: BoxStatus): boolean {
  return status.peer?.alive === true && status.peer.paths.every((path) => path.alive);
}

async function buildNetwork(net: TestNetwork, { duplicateDetection = false }: PairOptions) {
  const switches = await net.namespace("switches");
  const a = await net.namespace("a", { duplicateDetection });
  const b = await net.namespace("b", { duplicateDetection });
  const hosts = { a, b };
  const client = await net.namespace("client");
  const stranger = await net.namespace("stranger");
  for (const port of PORTS) {
    const device = DEVICES[port];
    for (const box of BOXES) await net.link(hosts[box], device, switches, switchPort(box, port));
    await net.link(stranger, device, switches, `${port}-x`);
    await switches.bridge(port, [switchPort("a", port), switchPort("b", port), `${port}-x`]);
  }
  await net.link(client, "eth0", switches, "wan-c");
  await switches.ip("link set wan-c master wan");
  await client.ip(`addr add ${CLIENT}/24 dev eth0`);
  return { switches, client, stranger, hosts };
}
