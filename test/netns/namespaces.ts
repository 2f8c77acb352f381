/**
 * Network namespaces for tests: made with the `ip` command, joined by veth pairs and bridges, always removed.
 *
 *   const net = await createNetwork();
 *   const client = await net.namespace("client");
 *   const box = await net.namespace("box");
 *   await net.link(client, "eth0", box, "eth0");
 *   await client.ip("addr add 10.1.0.10/24 dev eth0");
 *   await client.run(["ping", "-c1", "10.1.0.2"]);
 *   await net.destroy();
 *
 * Needs root. Every namespace has its loopback up and IPv6 addresses usable without duplicate address detection.
 */
import { type ChildProcess, execFile, execFileSync, spawn, type SpawnOptions } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync } from "node:fs";
import { addon } from "@futago/hal/addon/load.ts";

const NETNS_DIRECTORY = "/run/netns";
const OUTPUT_BYTES_MAX = 64 << 20;

export interface RunResult {
  /** The exit code, or -1 when a signal or the time limit ended the program. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  /** Default 30,000. */
  readonly timeoutMillis?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface NamespaceOptions {
  /** Switches on IPv4 and IPv6 forwarding. */
  readonly forwarding?: boolean;
  /** Leaves duplicate address detection on, as the kernel has it. */
  readonly duplicateDetection?: boolean;
}

export interface Namespace {
  /** The name the test gave it. */
  readonly name: string;
  /** The name that `ip netns` knows: futago-PID-RANDOM-NAME. */
  readonly fullName: string;
  /** For `nsenter --net=` and setns(2). */
  readonly path: string;
  /** Runs a program to its end; rejects with its standard error when it fails. */
  run(argv: readonly string[], options?: RunOptions): Promise<string>;
  /** Like run, for programs that may fail. */
  tryRun(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a program in a process group of its own; `destroy` kills what is left of it. */
  spawn(argv: readonly string[], options?: SpawnOptions): ChildProcess;
  /** `ip -n NAMESPACE …` with the arguments split at blanks. */
  ip(command: string): Promise<string>;
  /** Writes a switch of /proc/sys, such as "net.ipv4.ip_forward". */
  sysctl(name: string, value: string | number): Promise<void>;
  /** Makes a bridge, puts the ports in it and sets all of them up. */
  bridge(ifname: string, ports: readonly string[]): Promise<void>;
  ifindex(ifname: string): Promise<number>;
  /** Runs a synchronous function with this thread inside the namespace: sockets opened in it belong there for ever. */
  inside<T>(open: () => T): T;
}

export interface TestNetwork {
  /** What the full names of its namespaces begin with. */
  readonly prefix: string;
  namespace(name: string, options?: NamespaceOptions): Promise<Namespace>;
  /** A veth pair, both ends up. A namespace may be linked to itself. */
  link(a: Namespace, ifnameA: string, b: Namespace, ifnameB: string): Promise<void>;
  /** Ends every process in the namespaces and removes them. Harmless when done already. */
  destroy(): Promise<void>;
}

const living = new Set<string>();
let exitHookSet = false;

export async function createNetwork(): Promise<TestNetwork> {
  sweepLeftovers();
  if (!exitHookSet) process.on("exit", () => living.forEach(removeNow));
  exitHookSet = true;
  const prefix = `futago-${process.pid}-${randomBytes(3).toString("hex")}`;
  const mine = new Set<string>();
  const children: ChildProcess[] = [];
  return {
    prefix: `${prefix}-`,
    namespace: async (name, options = {}) => {
      const fullName = `${prefix}-${name}`;
      living.add(fullName);
      mine.add(fullName);
      await ip(["netns", "add", fullName]);
      const namespace = namespaceOf(name, fullName, children);
      await namespace.ip("link set lo up");
      const dad = options.duplicateDetection === true ? [] : ["net.ipv6.conf.all.accept_dad=0", DAD_OFF];
      const forwarding = options.forwarding === true ? FORWARDING : [];
      for (const line of [...dad, ...forwarding]) await namespace.sysctl(...splitOnce(line));
      return namespace;
    },
    link: async (a, ifnameA, b, ifnameB) => {
      const peer = ["peer", "name", ifnameB, "netns", b.fullName];
      await ip(["-n", a.fullName, "link", "add", ifnameA, "type", "veth", ...peer]);
      await a.ip(`link set ${ifnameA} up`);
      await b.ip(`link set ${ifnameB} up`);
    },
    destroy: async () => {
      // A child that has not entered its namespace yet is not found there.
      for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      for (const fullName of mine) removeNow(fullName);
      mine.clear();
      children.length = 0;
    },
  };
}

const DAD_OFF = "net.ipv6.conf.default.accept_dad=0";
const FORWARDING = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"];

function namespaceOf(name: string, fullName: string, children: ChildProcess[]): Namespace {
  const path = `${NETNS_DIRECTORY}/${fullName}`;
  const entered = (argv: readonly string[]) => [`--net=${path}`, "--", ...argv];
  const tryRun = (argv: readonly string[], options: RunOptions = {}) => execute("nsenter", entered(argv), options);
  const run = async (argv: readonly string[], options: RunOptions = {}) => succeed(argv, await tryRun(argv, options));
  const ipHere = (command: string) => ip(["-n", fullName, ...command.split(/\s+/).filter((word) => word !== "")]);
  return {
    name,
    fullName,
    path,
    run,
    tryRun,
    spawn: (argv, options = {}) => {
      const child = spawn("nsenter", entered(argv), { detached: true, ...options });
      children.push(child);
      return child;
    },
    ip: ipHere,
    sysctl: async (key, value) => {
      await run(["sh", "-c", 'echo "$1" > "/proc/sys/$2"', "sh", String(value), key.replaceAll(".", "/")]);
    },
    bridge: async (ifname, ports) => {
      await ipHere(`link add ${ifname} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`);
      for (const port of ports) await ipHere(`link set ${port} master ${ifname}`);
      for (const port of [...ports, ifname]) await ipHere(`link set ${port} up`);
    },
    ifindex: async (ifname) => {
      const [link] = JSON.parse(await ipHere(`-j link show dev ${ifname}`)) as { ifindex: number }[];
      if (link === undefined) throw new Error(`no link ${ifname} in ${fullName}`);
      return link.ifindex;
    },
    inside: (open) => {
      const { enterNamespace } = addon as { readonly enterNamespace: (path: string) => void };
      const home = openSync("/proc/thread-self/ns/net", "r");
      try {
        enterNamespace(path);
        return open();
      } finally {
        enterNamespace(`/proc/thread-self/fd/${home}`);
        closeSync(home);
      }
    },
  };
}

async function ip(argv: readonly string[]): Promise<string> {
  return succeed(["ip", ...argv], await execute("ip", argv, {}));
}

function succeed(argv: readonly string[], result: RunResult): string {
  if (result.code === 0) return result.stdout;
  throw new Error(`${argv.join(" ")}: exit ${result.code}: ${result.stderr.trim() || result.stdout.trim()}`);
}

function execute(file: string, argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const { input, timeoutMillis = 30_000, cwd, env } = options;
  const limits = { timeout: timeoutMillis, killSignal: "SIGKILL", maxBuffer: OUTPUT_BYTES_MAX } as const;
  return new Promise((resolve) => {
    const place = { ...(cwd === undefined ? {} : { cwd }), ...(env === undefined ? {} : { env }) };
    const child = execFile(file, [...argv], { ...limits, ...place }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr: stderr === "" && error !== null ? error.message : stderr });
    });
    child.stdin?.on("error", () => {
      // The program ended without reading its input; its exit code tells what matters.
    });
    child.stdin?.end(input ?? "");
  });
}

/** Synchronous, so that it also works while the process exits. */
function removeNow(fullName: string): void {
  living.delete(fullName);
  if (!listNamespaces().includes(fullName)) return;
  const pids = execFileSync("ip", ["netns", "pids", fullName], { encoding: "utf8" });
  for (const pid of pids.split("\n").map(Number)) if (pid > 1 && pid !== process.pid) killIfThere(pid);
  execFileSync("ip", ["netns", "del", fullName], { stdio: "ignore" });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile, which is what we want.
  }
}

/** Removes what a test process that was killed could not: its pid is in the name and runs no more. */
function sweepLeftovers(): void {
  for (const fullName of listNamespaces()) {
    const pid = /^futago-(\d+)-[0-9a-f]{6}-/.exec(fullName)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) removeNow(fullName);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function listNamespaces(): readonly string[] {
  try {
    return readdirSync(NETNS_DIRECTORY);
  } catch {
    // The directory is made by the first `ip netns add`.
    return [];
  }
}

function splitOnce(line: string): [name: string, value: string] {
  const [name = "", value = ""] = line.split("=");
  return [name, value];
}
