/**
 * A box of the lab: Futago running in a namespace, and what can befall it. Nothing here knows what Futago does; it
 * starts the program that a person would start and reads what `futago status` shows.
 */
import { type ChildProcess, execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { DrillResult } from "@futago/firmware/runtime/control-drill.ts";
import type { Namespace } from "../netns/namespaces.ts";
import { ask } from "@futago/firmware/cli/client.ts";
import { RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { BoxStatusFeed } from "./box-status.ts";
import { FUTAGO, logTail, type PairFiles, startFutago } from "./futago-process.ts";
import { type ProcessInfo, processesIn, signalAll } from "./processes.ts";
import { monotonicMicros } from "./prober.ts";
import { unmountUnder } from "./sweep.ts";
import { isWebServer, type WebServer } from "./web-server.ts";
import { type Box, type Port, type Topology, WEB_PORT } from "./topology.ts";
import { DOOR_PROCESS, WebDoor } from "./web-door.ts";

const STOP_MILLIS_MAX = 15_000;
const COMMAND_MILLIS_MAX = 15_000;
/** Longer than the command itself waits. */
const DRILL_MILLIS_MAX = 70_000;

export type Component = "core" | "sentinel" | "pulse";
const COMPONENTS: Readonly<Record<Component, RegExp>> = {
  core: /runtime\/core\/main\.[jt]s/,
  sentinel: /runtime\/sentinel\/main\.[jt]s/,
  pulse: /(^|\/)pulse( |$)/,
};

export type Power = "off" | "starting" | "on" | "frozen";

/**
 * Stops a box as a power cut does. Its processes are stopped before the cables go, or it would see its carrier vanish
 * and hand over in the milliseconds that three links take. Until then its kernel still answers: whoever measures
 * counts from the moment that this returns, microseconds of CLOCK_MONOTONIC at the first signal.
 */
export async function cutPower(topology: Topology, box: Box): Promise<number> {
  const namespace = topology.boxNamespace(box);
  if (namespace === undefined) throw new Error(`box ${box} has no power`);
  const pids = processesIn(namespace.path).map((found) => found.pid);
  const at = monotonicMicros();
  signalAll(pids, "SIGSTOP");
  await topology.cutCables(box);
  signalAll(pids, "SIGKILL");
  return at;
}

export interface WebShown {
  readonly box: Box;
  readonly url: string;
  /** Undefined on a box that is claimed, or does not run. */
  readonly claimCode: string | undefined;
}

async function claimCodeOf(state: string): Promise<string | undefined> {
  try {
    return (await ask(state, "webAccess", {})).claimCode ?? undefined;
  } catch (error) {
    if (error instanceof RefusalError) return undefined;
    throw error;
  }
}

interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface BoxSurroundings {
  /** The lab's directory. */
  readonly directory: string;
  /** Undefined: a box out of its carton, which is told nothing. */
  readonly files: PairFiles | undefined;
  /** Runs on the box itself, beside Futago. */
  readonly webServer: WebServer | undefined;
  /** Done on the box before Futago is started there. */
  readonly before?: (box: Box, namespace: Namespace) => Promise<void>;
  /** The socket of an updater; left out, the box has no slots. */
  readonly updater?: string | undefined;
}

export class LabBox {
  readonly box: Box;
  readonly state: string;
  readonly feed: BoxStatusFeed;
  readonly #topology: Topology;
  readonly #files: PairFiles | undefined;
  readonly #log: string;
  readonly #webServer: WebServer | undefined;
  readonly #before: BoxSurroundings["before"];
  readonly #updater: string | undefined;
  readonly #plugged: Set<Port>;
  #door: WebDoor | undefined;
  #process: ChildProcess | undefined;
  #power: Power = "off";

  constructor(box: Box, topology: Topology, { directory, files, webServer, before, updater }: BoxSurroundings) {
    this.#before = before;
    this.#updater = updater;
    this.box = box;
    this.#topology = topology;
    this.#plugged = new Set(topology.layout.ports);
    this.#webServer = webServer;
    this.#files = files;
    this.state = join(directory, box);
    this.#log = join(directory, `${box}.log`);
    mkdirSync(this.state, { recursive: true, mode: 0o700 });
    this.feed = new BoxStatusFeed(join(this.state, "control.sock"));
  }

  get power(): Power {
    return this.#power;
  }

  isPlugged(port: Port): boolean {
    return this.#power !== "off" && this.#plugged.has(port);
  }

  /** Milliseconds from the start of the program until it said that it was ready. */
  async powerOn(): Promise<number> {
    if (this.#power !== "off") throw new Error(`box ${this.box} has power already`);
    const namespace = await this.#topology.placeBox(this.box);
    this.#power = "starting";
    for (const port of this.#topology.layout.ports) this.#plugged.add(port);
    await this.#before?.(this.box, namespace);
    await this.#webServer?.start();
    this.#door ??= await WebDoor.open(this.box, () => this.#topology.boxNamespace(this.box));
    const web = `[::]:${WEB_PORT}`;
    const files = this.#files;
    const started = startFutago(namespace, {
      box: this.box,
      state: this.state,
      log: this.#log,
      web,
      files,
      updater: this.#updater,
    });
    this.#process = started.child;
    const readyMillis = await started.ready;
    this.#power = "on";
    this.feed.open();
    return readyMillis;
  }

  /** The plug is pulled: no process, no cable, no kernel. Returns the moment it began, as {@link monotonicMicros}. */
  async powerOff(): Promise<number> {
    const at = await cutPower(this.#topology, this.box);
    this.#power = "off";
    this.feed.close();
    this.#door?.leave();
    await Promise.all([this.#ended(), this.#webServer?.ended()]);
    unmountUnder(this.state);
    await this.#topology.removeBox(this.box);
    return at;
  }

  /** SIGTERM, as systemd would: it hands over and cleans up behind itself. Returns the exit code. */
  async stop(): Promise<number | null> {
    this.feed.close();
    const child = this.#process;
    const pids = this.processes().map((found) => found.pid);
    signalAll(child?.pid === undefined ? [] : [child.pid], "SIGTERM");
    const insist = setTimeout(() => signalAll(pids, "SIGKILL"), STOP_MILLIS_MAX);
    await this.#ended();
    clearTimeout(insist);
    await this.#webServer?.kill();
    this.#door?.leave();
    this.#power = "off";
    await this.#topology.removeBox(this.box);
    return child?.exitCode ?? null;
  }

  async setCable(port: Port, plugged: boolean): Promise<void> {
    await this.#topology.setCable(this.box, port, plugged);
    if (plugged) this.#plugged.add(port);
    else this.#plugged.delete(port);
  }

  /** `futago switchover` as a person would type it; returns what it prints. */
  switchOver(): Promise<string> {
    return this.#command("switchover");
  }

  /** `futago config apply` with the file that the box would also start from. */
  applyConfiguration(): Promise<string> {
    if (this.#files === undefined) throw new Error(`box ${this.box} was given no configuration`);
    return this.#command("config", "apply", this.#files.document);
  }

  /** `futago drill`: what came of it, even where that was worse than allowed. */
  async drill(kill: boolean): Promise<DrillResult> {
    const words = ["drill", "--json", ...(kill ? ["--kill"] : [])];
    const { code, stdout, stderr } = await this.#run(words, DRILL_MILLIS_MAX);
    if (code === 0 || (code === 1 && stdout !== "")) return JSON.parse(stdout) as DrillResult;
    throw new Error(`futago ${words.join(" ")}: ${stderr.trim()}`);
  }

  freeze(): number {
    const pids = this.processes().map((found) => found.pid);
    const at = monotonicMicros();
    signalAll(pids, "SIGSTOP");
    this.#power = "frozen";
    return at;
  }

  thaw(): void {
    signalAll(
      this.processes().map((found) => found.pid),
      "SIGCONT",
    );
    this.#power = "on";
  }

  /** kill -9. Returns the moment, or throws when there is no such process. */
  kill(component: Component): number {
    const pids = this.pidsOf(component);
    if (pids.length === 0) throw new Error(`box ${this.box} runs no ${component}`);
    const at = monotonicMicros();
    signalAll(pids, "SIGKILL");
    return at;
  }

  pidsOf(component: Component): readonly number[] {
    return this.processes()
      .filter((found) => COMPONENTS[component].test(found.command))
      .map((found) => found.pid);
  }

  /** Futago's own; what else runs on the host is none of its business. */
  processes(): readonly ProcessInfo[] {
    const namespace = this.#topology.boxNamespace(this.box);
    return namespace === undefined
      ? []
      : processesIn(namespace.path).filter((found) => !isWebServer(found) && !DOOR_PROCESS.test(found.command));
  }

  /** Where the machine's own browser finds the web UI, with the code that claims it; undefined before the first start. */
  async web(): Promise<WebShown | undefined> {
    const url = this.#door?.url;
    if (url === undefined) return undefined;
    return { box: this.box, url, claimCode: await claimCodeOf(this.state) };
  }

  /** At the end of the lab. */
  close(): void {
    this.feed.close();
    this.#door?.close();
  }

  /** The end of what the box wrote on standard error. */
  logTail(lines: number): string {
    return logTail(this.#log, lines);
  }

  async #command(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#run(words, COMMAND_MILLIS_MAX);
    if (code !== 0) throw new Error(`futago ${words.join(" ")}: ${stderr.trim() || `ended with ${code}`}`);
    return stdout.trim();
  }

  #run(words: readonly string[], timeout: number): Promise<Ended> {
    return new Promise((resolve) => {
      execFile(FUTAGO, [...words, "--state", this.state], { timeout }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? "a failure"), stdout, stderr });
      });
    });
  }

  async #ended(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => child.once("close", resolve));
  }
}
