/** The whole lab of a scenario: boxes, web servers, client and traffic, put together, watched, and taken apart. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { createNetwork, type TestNetwork } from "../netns/namespaces.ts";
import { LabBox, type WebShown } from "./box.ts";
import type { Profile } from "./document.ts";
import { EventLog } from "./event-log.ts";
import { type PairFiles, writeDocument, writePairFiles } from "./futago-process.ts";
import { type Janitor, startJanitor } from "./janitor-child.ts";
import { Prober, type ProbeLine } from "./prober.ts";
import { isBackend, type Scenario, type ServerName } from "./scenario.ts";
import { DIRECT_PORT, ModeTraffic, RELAY_PORT, startEchoServers } from "./modes.ts";
import { sweep } from "./sweep.ts";
import {
  type BackendName,
  type Box,
  BOXES,
  boxMac,
  createTopology,
  DIRECT_SERVERS,
  SERVER_ADDRESSES,
  type Topology,
} from "./topology.ts";
import { HttpTraffic, startStreamServer, Stream } from "./traffic.ts";
import { Observer } from "./observer.ts";
import { WebServer } from "./web-server.ts";

export interface LabOptions {
  readonly scenario: Scenario;
  readonly profile: Profile;
  readonly requestsPerSecond: number;
  readonly keptConnections: number;
  readonly streamMegabitsPerSecond: number;
}

const PROGRAMS = ["ip", "nsenter", "ethtool", "nginx", "iperf3"];
const ANSWER_MILLIS_MAX = 20_000;
const HEALTHY_MILLIS_MAX = 10_000;
const LOG_LINES = 15;

export class Lab {
  readonly scenario: Scenario;
  readonly topology: Topology;
  readonly boxes: Readonly<Record<Box, LabBox>>;
  readonly servers: ReadonlyMap<ServerName, WebServer>;
  readonly log: EventLog;
  readonly observer: Observer;
  readonly prober: Prober;
  readonly #janitor: Janitor;
  readonly #files: PairFiles;
  readonly #profile: Profile;
  #traffic: Traffic | undefined;
  #arpWatch: Prober | undefined;

  private constructor(parts: LabParts, options: LabOptions, prober: Prober) {
    this.scenario = options.scenario;
    this.#profile = options.profile;
    this.#files = parts.files;
    this.topology = parts.topology;
    this.boxes = parts.boxes;
    this.servers = parts.servers;
    this.log = parts.log;
    this.observer = parts.observer;
    this.#janitor = parts.janitor;
    this.prober = prober;
  }

  /** Everything up and the VIP answering. Leaves nothing behind when it fails or is told to stop. */
  static async start(options: LabOptions, log: EventLog, stop: AbortSignal): Promise<Lab> {
    requirePrograms(PROGRAMS);
    const network = await createNetwork();
    const janitor = startJanitor(network.prefix);
    const stopped = new Promise<never>((_, reject) => {
      stop.addEventListener("abort", () => reject(new Error("interrupted while starting")), { once: true });
    });
    const building = Lab.#build(network, janitor, options, log);
    try {
      return await Promise.race([building, stopped]);
    } catch (error) {
      // What is being built fails once the ground is gone; what it started until then goes with the second sweep.
      sweep(network.prefix, janitor.directory);
      await Promise.allSettled([building]);
      await janitor.sweep();
      throw error;
    }
  }

  static async #build(network: TestNetwork, janitor: Janitor, options: LabOptions, log: EventLog): Promise<Lab> {
    const { scenario } = options;
    const topology = await createTopology(network, scenario.layout);
    const parts = prepare(topology, janitor, log, options);
    const behind = scenario.servers.filter(isBackend);
    await Promise.all(behind.map(async (name) => parts.servers.get(name)?.start()));
    if (scenario.modes) {
      const beside = DIRECT_SERVERS.map((name) => webServer(name, topology, janitor.directory));
      await Promise.all(beside.map((server) => server.start()));
      startEchoServers(topology.backends);
    }
    const streamHost = topology.backends.get("s1");
    if (scenario.stream && streamHost !== undefined) startStreamServer(streamHost);
    log.add(`${behind.length === 0 ? "" : `${behind.length} web servers listen; `}powering on both boxes`);
    const times = await Promise.all(BOXES.map((box) => parts.boxes[box].powerOn()));
    log.add(`boxes ready after ${times.map((millis) => `${Math.round(millis)} ms`).join(" and ")}`);
    const onLine = (line: ProbeLine) => parts.observer.probeLine(line);
    const prober = await Prober.start(topology.client, { address: scenario.vips[0], ping: true, onLine });
    const lab = new Lab(parts, options, prober);
    await lab.#untilAnswering();
    lab.#startTraffic(options);
    for (const web of await lab.web()) log.add(`web UI of box ${webText(web)}`);
    log.add(`command line of box a: firmware/bin/futago status --state ${join(janitor.directory, "a")}`);
    return lab;
  }

  get http(): HttpTraffic {
    return this.#running().http;
  }

  /** Undefined in a scenario without one. */
  get stream(): Stream | undefined {
    return this.#running().stream;
  }

  /** Undefined in a scenario with `nat` only, or with no balancing at all. */
  get modes(): ModeTraffic | undefined {
    return this.#running().modes;
  }

  /** The address that is probed. */
  get vip(): string {
    return this.scenario.vips[0];
  }

  server(name: ServerName): WebServer {
    const server = this.servers.get(name);
    if (server === undefined) throw new Error(`there is no web server ${name} in this lab`);
    return server;
  }

  /** Gives both boxes, as far as they run, the scenario's configuration with `preempt` so or so. */
  async configure(preempt: boolean): Promise<void> {
    writeDocument(this.#files, this.scenario.document({ profile: this.#profile, preempt }));
    const running = BOXES.filter((box) => this.boxes[box].power === "on");
    await Promise.all(running.map((box) => this.boxes[box].applyConfiguration()));
  }

  /** The prober that asks by ARP from the gateway; undefined while nobody wants it. */
  get arpWatch(): Prober | undefined {
    return this.#arpWatch;
  }

  async watchArp(on: boolean): Promise<void> {
    await this.#arpWatch?.stop();
    this.#arpWatch = on ? await Prober.start(this.topology.gateway, { address: this.vip, arp: true }) : undefined;
  }

  async web(): Promise<readonly WebShown[]> {
    const shown = await Promise.all(BOXES.map((box) => this.boxes[box].web()));
    return shown.filter((one) => one !== undefined);
  }

  /** The boxes that have power, run, and say that they are active. */
  activeBoxes(): readonly Box[] {
    return BOXES.filter((box) => this.boxes[box].power === "on" && this.boxes[box].feed.latest?.role === "active");
  }

  /** The box whose Ethernet address the client's neighbour entry for a VIP holds. */
  async clientSendsTo(vip = this.vip): Promise<Box | undefined> {
    const [entry] = JSON.parse(await this.topology.client.ip(`-j neigh show ${vip}`)) as { lladdr?: string }[];
    return BOXES.find((box) => this.frontMac(box) === entry?.lladdr);
  }

  /** The Ethernet address of the box's port on the client's side. */
  frontMac(box: Box): string {
    return boxMac(box, this.scenario.layout.client.port);
  }

  /** The end of what each box logged, for a person who wants to know why. */
  logTails(): readonly string[] {
    return BOXES.flatMap((box) => [`--- log of box ${box}`, this.boxes[box].logTail(LOG_LINES)]);
  }

  async destroy(): Promise<void> {
    for (const box of BOXES) this.boxes[box].close();
    await this.#arpWatch?.stop();
    await this.prober.stop();
    await this.#janitor.sweep();
  }

  async #untilAnswering(): Promise<void> {
    const deadline = Date.now() + ANSWER_MILLIS_MAX;
    while (this.prober.tick.lastAnswerAt === 0 || !this.#backendsHealthy(deadline)) {
      if (Date.now() > deadline) throw new Error(`${this.vip} does not answer\n${this.logTails().join("\n")}`);
      await this.prober.nextTick();
    }
    this.log.add(`${this.vip} answers`);
  }

  /** A box whose checks have not passed yet would refuse the first requests; a while later it is what it is. */
  #backendsHealthy(deadline: number): boolean {
    if (deadline - Date.now() < ANSWER_MILLIS_MAX - HEALTHY_MILLIS_MAX) return true;
    const [active] = this.activeBoxes();
    const services = active === undefined ? undefined : this.boxes[active].feed.latest?.services;
    return services?.every((service) => service.backends.every((backend) => backend.healthy)) === true;
  }

  #startTraffic(options: LabOptions): void {
    const { client } = this.topology;
    const http = new HttpTraffic(client, { addresses: this.scenario.vips, port: 80, ...options });
    const stream = this.scenario.stream ? new Stream(client, options.streamMegabitsPerSecond) : undefined;
    this.#traffic = { http, stream, modes: this.scenario.modes ? new ModeTraffic(client) : undefined };
  }

  #running(): Traffic {
    if (this.#traffic === undefined) throw new Error("the client's traffic has not started");
    return this.#traffic;
  }
}

/** "a: https://127.0.0.1:8443/, to be claimed with ABCD-EFGH". */
export function webText({ box, url, claimCode }: WebShown): string {
  return `${box}: ${url}${claimCode === undefined ? "" : `, to be claimed with ${claimCode}`}`;
}

interface Traffic {
  readonly http: HttpTraffic;
  readonly stream: Stream | undefined;
  readonly modes: ModeTraffic | undefined;
}

interface LabParts {
  readonly topology: Topology;
  readonly janitor: Janitor;
  readonly files: PairFiles;
  readonly boxes: Readonly<Record<Box, LabBox>>;
  readonly servers: ReadonlyMap<ServerName, WebServer>;
  readonly log: EventLog;
  readonly observer: Observer;
}

function prepare(topology: Topology, janitor: Janitor, log: EventLog, options: LabOptions): LabParts {
  const { scenario, profile } = options;
  const { directory } = janitor;
  const files = writePairFiles(directory, scenario.document({ profile, preempt: false }));
  const servers = new Map(scenario.servers.map((name) => [name, webServer(name, topology, directory)]));
  const box = (name: Box) => new LabBox(name, topology, { directory, files, webServer: servers.get(name) });
  const boxes = { a: box("a"), b: box("b") };
  const observer = new Observer(boxes, scenario.layout.client.port, log);
  return { topology, janitor, files, boxes, servers, log, observer };
}

/** On a box nginx listens everywhere: a VIP is there only while the box is active. */
function webServer(name: ServerName, topology: Topology, directory: string): WebServer {
  if (!isBackend(name)) {
    const host = () => topology.boxNamespace(name);
    return new WebServer({ name, host, listen: ["80", "[::]:80"], directory });
  }
  const host = () => topology.backends.get(name);
  return new WebServer({ name, host, ...listensAt(name), directory });
}

/** A server of `direct` listens everywhere, for it is asked at the VIP and checked at its own address. */
function listensAt(name: BackendName): { readonly listen: readonly string[]; readonly port: number } {
  if (DIRECT_SERVERS.includes(name)) return { listen: [String(DIRECT_PORT)], port: DIRECT_PORT };
  return { listen: [80, RELAY_PORT].map((port) => `${SERVER_ADDRESSES[name]}:${port}`), port: 80 };
}

/** Fails in a sentence when a program that the lab needs is missing. */
function requirePrograms(programs: readonly string[]): void {
  const missing = programs.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
  if (missing.length > 0) throw new Error(`missing programs: ${missing.join(", ")}. Run ./build.sh setup first.`);
}
