/**
 * The supervisor of a box, what `futago run` becomes: checks the ground, starts sentinel, core and the web process, starts
 * again what dies, and takes everything down in order when told to. It holds no configuration and decides no role.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readBoardFile } from "@futago/hal/board/describe.ts";
import { openServiceNotice } from "@futago/hal/board/notify.ts";
import type { Bpf } from "@futago/hal/contract/bpf.ts";
import { HalError } from "@futago/hal/contract/error.ts";
import type { Network } from "@futago/hal/contract/network.ts";
import { openNetwork } from "@futago/hal/netlink/network.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import type { PowerEnd, SupervisorReport } from "./control.ts";
import { ExitCode, formatRefusal, type Refusal, RefusalError } from "./exit-code.ts";
import type { EndingNotice, HowBoxEnds } from "./hardware/end.ts";
import type { Box } from "./messages.ts";
import { Appliance } from "./supervisor/appliance.ts";
import { Child, type ChildEnd } from "./supervisor/child.ts";
import { checkKernelFeatures } from "./supervisor/kernel-features.ts";
import { MACHINE_ROOTS } from "./supervisor/machine-ports.ts";
import { readPairKey } from "./supervisor/pair-key.ts";
import { ServiceKeeper } from "./supervisor/service-keeper.ts";
import { lockState } from "./supervisor/state-lock.ts";
import { makeStateDirectory } from "./files.ts";
import { finishReset } from "./reset.ts";

export interface RunOptions {
  readonly stateDirectory: string;
  readonly box: Box | undefined;
  readonly importFile: string | undefined;
  readonly pairKeyFile: string | undefined;
  readonly web: string | undefined;
  /** A program that is given the word "reboot" or "poweroff" when the box has ended by that order. */
  readonly power: string | undefined;
  /** Where what belongs to the machine is kept; undefined where the machine is not this box's alone. */
  readonly system: string | undefined;
  /** The updater's socket; undefined where the machine has no slots. */
  readonly updater: string | undefined;
  /** PROVE,WATCH in seconds: how long a new version is proved, and watched while it serves; undefined: as is usual. */
  readonly updatePace: string | undefined;
  /** "auto" or a board's description: the watchdog, the lights and the button are the box's own. */
  readonly board: string | undefined;
}

/** What core tells the supervisor over IPC. */
export type CoreReport =
  | { readonly kind: "ready" }
  /** It ends now, to be started again. */
  | { readonly kind: "restarting" }
  /** A configuration is in force and core owns the ports, or there is none and it owns nothing. */
  | { readonly kind: "configured"; readonly hostname: string }
  | { readonly kind: "bare" }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** A person ordered that the box forget everything; the order is on the disk. */
  | { readonly kind: "reset" }
  /** A person ordered it, and the peer has taken over. */
  | { readonly kind: "end"; readonly as: PowerEnd };

/** What the supervisor tells core over IPC: the box is taken down, the sentinel first. */
export interface CoreNotice {
  readonly kind: "ending";
}

/** A hand-over is over in 100 ms; the rest is for a machine under load. */
const SENTINEL_GRACE_MILLIS = 4_000;
const CORE_GRACE_MILLIS = 4_000;
const WEB_GRACE_MILLIS = 1_000;

/** V8's helpers are not in the real-time class: collecting garbage with them, the sentinel would wait for whoever is busy. */
const SENTINEL_SWITCHES = ["--max-semi-space-size=1", "--max-old-space-size=64", "--single-threaded-gc"];
const CORE_SWITCHES = ["--max-semi-space-size=2", "--max-old-space-size=512"];
/** Whoever sends it a bundle, or floods it, does not take the processor from core: a third of core's weight. */
const WEB_NICENESS = 5;
const WEB_SWITCHES = [
  "--max-semi-space-size=1",
  "--max-old-space-size=512",
  // What a flood asked for is given back: 115 MB after one without these, 92 with them (test/bench/RESULTS.md).
  "--heap-growing-percent=10",
  "--optimize-for-size",
];

/** Runs until told to stop and returns the exit code. Refusals are thrown before anything was started. */
export async function runBox(options: RunOptions): Promise<number> {
  const paths = checkGround(options);
  let report: () => SupervisorReport = () => ({ pid: process.pid, children: [] });
  const lock = await lockState(paths.state, () => report());
  const network = options.system === undefined ? undefined : openNetwork();
  const appliance = network === undefined ? undefined : applianceOf(options.system ?? "", network);
  try {
    appliance?.takeRequest(paths.state);
    if (finishReset(paths.state)) await appliance?.forget();
    else await appliance?.namePorts();
    const bpf = openBpf();
    bpf.mount(paths.bpf);
    const box = new Supervisor(paths, options, appliance);
    report = () => box.report;
    const code = await box.run();
    unmount(bpf, paths.bpf);
    if (box.ordered !== undefined) endMachine(box.ordered, options.power);
    return code;
  } finally {
    network?.close();
    lock.release();
  }
}

function applianceOf(systemDirectory: string, network: Network): Appliance {
  const runDirectory = process.env["RUNTIME_DIRECTORY"];
  return new Appliance({ systemDirectory, runDirectory, roots: MACHINE_ROOTS, network });
}

interface Paths {
  readonly state: string;
  readonly bpf: string;
  readonly pairKey: string | undefined;
  readonly import: string | undefined;
}

function checkGround(options: RunOptions): Paths {
  if (process.geteuid?.() !== 0) {
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what: "a box must be run by root: it sets addresses, loads BPF programs and opens packet sockets",
      mend: "Run the same command with sudo.",
    });
  }
  checkKernelFeatures();
  if (options.pairKeyFile !== undefined) readPairKey(options.pairKeyFile);
  if (options.importFile !== undefined && !existsSync(options.importFile)) {
    throw new RefusalError({
      exitCode: ExitCode.invalidConfiguration,
      what: "the configuration to import is not there",
      where: options.importFile,
      mend: "Give --import the path of a configuration document in JSON.",
    });
  }
  if (options.board !== undefined && options.board !== "auto") checkBoard(options.board);
  const state = resolve(options.stateDirectory);
  makeStateDirectory(state);
  return {
    state,
    bpf: join(state, "bpf"),
    pairKey: options.pairKeyFile === undefined ? undefined : resolve(options.pairKeyFile),
    import: options.importFile === undefined ? undefined : resolve(options.importFile),
  };
}

function checkBoard(file: string): void {
  try {
    readBoardFile(file);
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    const mend = "docs/hardware.md tells what a board's description holds.";
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what: "the board's description cannot be taken",
      where: error.message,
      mend,
    });
  }
}

/** Entry points are .ts in development and .js on the image. */
function script(place: "./sentinel" | "./core" | "../../webui/api"): string {
  const suffix = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`${place}/main.${suffix}`, import.meta.url));
}

/** What the web process may not do whatever becomes of it: start programs, or touch files that are not its own. */
function webLimits(state: string): readonly string[] {
  const code = fileURLToPath(new URL("../..", import.meta.url));
  const place = join(state, "web");
  const readable = [code, place, "/etc/passwd"].map((path) => `--allow-fs-read=${path}`);
  return ["--permission", ...readable, `--allow-fs-write=${place}`];
}

class Supervisor {
  readonly #sentinel: Child;
  readonly #core: Child;
  /** Undefined where nobody wants the pages. */
  readonly #web: Child | undefined;
  #ready = false;
  /** What was imported at the start is forgotten, too. */
  #isReset = false;
  #stopping = false;
  #refusal: Refusal | undefined;
  /** How a person ordered the box to end. */
  ordered: PowerEnd | undefined;
  readonly #state: string;
  /** Undefined where the machine is not this box's alone. */
  readonly #appliance: Appliance | undefined;
  readonly #service: ServiceKeeper;
  #finish: (how: number | "reset") => void = () => undefined;

  constructor(paths: Paths, options: RunOptions, appliance: Appliance | undefined) {
    this.#state = paths.state;
    this.#appliance = appliance;
    const key = paths.pairKey === undefined ? [] : ["--pair-key", paths.pairKey];
    const board = options.board === undefined ? [] : ["--board", options.board];
    const state = ["--state", paths.state, ...board];
    const onEnd = (end: ChildEnd) => this.#onEnd(end);
    this.#sentinel = new Child({
      name: "sentinel",
      argv: () => [...SENTINEL_SWITCHES, script("./sentinel"), ...state, ...key],
      onMessage: () => undefined,
      onEnd,
    });
    const box = options.box === undefined ? [] : ["--box", options.box];
    const load = paths.import === undefined ? [] : ["--import", paths.import];
    const web = options.web === undefined ? [] : ["--web", options.web];
    const updater = options.updater === undefined ? [] : ["--updater", options.updater];
    const pace = options.updatePace === undefined ? [] : ["--update-pace", options.updatePace];
    this.#core = new Child({
      name: "core",
      // A core that is started again goes on with what is in force: somebody may have changed it since the import.
      argv: () => [
        ...CORE_SWITCHES,
        script("./core"),
        ...state,
        ...key,
        ...box,
        ...(this.#ready || this.#isReset ? [] : load),
        ...web,
        ...updater,
        ...pace,
      ],
      onMessage: (message) => this.#onCore(message as CoreReport),
      onEnd,
    });
    const webChild = new Child({
      name: "web",
      argv: () => [
        ...WEB_SWITCHES,
        ...webLimits(paths.state),
        script("../../webui/api"),
        "--state",
        paths.state,
        ...web,
      ],
      niceness: WEB_NICENESS,
      // What strangers talk to has nothing to say here.
      onMessage: () => undefined,
      onEnd,
    });
    this.#web = options.web === undefined ? undefined : webChild;
    // Before anything is started: no child is to believe that systemd waits for its word.
    this.#service = new ServiceKeeper(openServiceNotice(), this.#children, logLine);
  }

  get #children(): readonly Child[] {
    return [this.#sentinel, this.#core, ...(this.#web === undefined ? [] : [this.#web])];
  }

  get report(): SupervisorReport {
    return { pid: process.pid, children: this.#children.map((child) => child.report) };
  }

  async run(): Promise<number> {
    let finished = this.#nextEnd();
    let signals = 0;
    const onSignal = () => {
      signals += 1;
      if (signals === 1) this.#finish(ExitCode.done);
      else this.#force();
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
    process.on("SIGHUP", onSignal);
    this.#start();
    let how = await finished;
    while (how === "reset") {
      // A signal that comes meanwhile is heard after it.
      finished = this.#nextEnd();
      this.#service.ending("The box forgets everything.");
      await this.#stop("restart");
      await this.#forget();
      this.#start();
      how = await finished;
    }
    this.#service.ending("The box ends.", "STOPPING=1");
    await this.#stop(this.ordered ?? "stop");
    if (this.#refusal !== undefined) process.stderr.write(`futago: ${formatRefusal(this.#refusal)}\n`);
    return signals > 1 ? ExitCode.failed : how;
  }

  #nextEnd(): Promise<number | "reset"> {
    return new Promise((resolveHow) => {
      this.#finish = resolveHow;
    });
  }

  #start(): void {
    this.#stopping = false;
    // Before core, so that it is there when core connects; it does nothing until it has orders.
    this.#sentinel.start();
    this.#core.start();
    this.#web?.start();
    this.#service.begin();
  }

  async #stop(as: HowBoxEnds): Promise<void> {
    this.#stopping = true;
    this.#sentinel.send({ kind: "ending", as } satisfies EndingNotice);
    await this.#web?.stop(WEB_GRACE_MILLIS);
    this.#core.send({ kind: "ending" } satisfies CoreNotice);
    // The order matters: while the sentinel hands over, core's balancer still forwards.
    await this.#sentinel.stop(SENTINEL_GRACE_MILLIS);
    await this.#core.stop(CORE_GRACE_MILLIS);
  }

  /** A disk that refuses is asked again at the next start; until then the box is what it was. */
  async #forget(): Promise<void> {
    try {
      finishReset(this.#state);
      this.#isReset = true;
      await this.#appliance?.forget();
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      process.stderr.write(`futago: ${formatRefusal(error.refusal)}\n`);
    }
  }

  #onCore(message: CoreReport): void {
    switch (message.kind) {
      case "ready":
        if (!this.#ready) process.stdout.write(`${JSON.stringify({ event: "ready" })}\n`);
        this.#ready = true;
        this.#service.ready();
        return;
      case "restarting":
        return this.#core.expectEnd();
      case "end":
        this.ordered = message.as;
        this.#finish(ExitCode.done);
        return;
      case "reset":
        return this.#finish("reset");
      case "configured":
        return this.#appliance?.setOwner(message.hostname);
      case "bare":
        return this.#appliance?.setOwner(undefined);
      case "refused":
        this.#refusal = message.refusal;
    }
  }

  /** A child that says no by its exit code before the box was ready ends the box; any other end is an accident. */
  #onEnd(end: ChildEnd): boolean {
    if (this.#stopping) return false;
    // A box without pages serves as well.
    const refused = !this.#ready && end.code !== null && end.name !== "web";
    if (!refused) {
      logEnd(end);
      this.#appliance?.died();
      return true;
    }
    this.#refusal ??= {
      exitCode: ExitCode.failed,
      what: `the ${end.name} ended at its start with exit code ${end.code}; the lines above say why`,
    };
    this.#finish(this.#refusal.exitCode);
    return false;
  }

  #force(): void {
    for (const child of this.#children) child.kill();
  }
}

/** Says so to whoever started the box, and lets the machine follow where it is an appliance. */
function endMachine(as: PowerEnd, program: string | undefined): void {
  process.stdout.write(`${JSON.stringify({ event: as })}\n`);
  if (program === undefined) return;
  const { error, status } = spawnSync(program, [as], { stdio: "inherit" });
  if (error === undefined && status === 0) return;
  process.stderr.write(`futago: ${program} ${as}: ${error?.message ?? `exit code ${status}`}\n`);
}

/** In the shape of core's log, which the supervisor has no reason to load. */
function logEnd({ name, code, signal }: ChildEnd): void {
  logLine("child-ended", { child: name, code, signal });
}

function logLine(event: string, fields: object): void {
  const line = { level: 40, time: new Date().toISOString(), process: "supervisor", ...fields, event };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

function unmount(bpf: Bpf, path: string): void {
  if (!existsSync(path)) return;
  try {
    bpf.unmount(path);
  } catch (error) {
    // The box is down already; what stays is an empty mount that the next start takes over.
    process.stderr.write(`futago: ${path}: ${(error as Error).message}\n`);
  }
}
