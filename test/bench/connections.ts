/**
 * Ten thousand established connections, all of them with traffic, and the active box loses its power: how many go on,
 * and how long the longest had to wait for an answer. Beside it a TCP proxy on a keepalived pair, with fewer, because
 * each of its connections takes two descriptors; how many it keeps does not depend on that.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { listensOn } from "../lab/processes.ts";
import { BOXES } from "../lab/topology.ts";
import type { Pair } from "../netns/pair-fixture.ts";
import {
  FAMILIES,
  type FamilyName,
  healthyAre,
  MODES,
  type ModeName,
  ORDINALS,
  type ServerHost,
  Servers,
  startSurvivalPair,
  survivalDocument,
} from "../netns/survival-hosts.ts";
import type { ClientDial, ClientOrder, ClientReport } from "./connections-client.ts";
import { keepalivedFast } from "./keepalived.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";

const CLIENT = fileURLToPath(new URL("connections-client.ts", import.meta.url));
const PROXY = fileURLToPath(new URL("haproxy/haproxy.cfg", import.meta.url));
const ROUNDS_DEFAULT = 2;
const COUNT = 10_000;
const PROXY_COUNT = 1_000;
/** Each connection says something so often. */
const CHAT_MILLIS = 3_000;
/** Before the power goes, and after it: enough for TCP to resend over the gap, and for each to be heard again. */
const BEFORE_MILLIS = 4_000;
const AFTER_MILLIS = 15_000;
const OPEN_MILLIS_MAX = 60_000;
const LOOK_MILLIS = 250;
const PROXY_SETTLE_MILLIS = 4_000;

interface Result {
  readonly contender: string;
  readonly begun: number;
  readonly report: ClientReport;
}

export async function connectionsBench(
  { trials = ROUNDS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const results: Result[] = [];
  for (let round = 0; round < trials; round++) results.push(...(await futagoTrial()), ...(await proxyTrial()));
  const rows = results.map(({ contender, begun, report }) => {
    const lost = Object.entries(report.lost).map(([why, count]) => `${count} ${why}`);
    const cells = [contender, report.label, String(begun), String(report.alive), figure(report.longestMillis)];
    return [...cells, lost.join(", ") || "none"];
  });
  const head = ["", "service", "established", "alive after power loss", "longest wait ms", "lost"];
  const lines = ["### Connections with traffic through power loss of the active box", "", ...markdown(head, rows), ""];
  for (const line of lines) print(line);
  return lines;
}

async function futagoTrial(): Promise<readonly Result[]> {
  const { pair, servers: hosts } = await startSurvivalPair(survivalDocument(["tcp"]));
  return trial("Futago", pair, hosts, {
    dials: spread(COUNT),
    ready: async () => {
      await pair.settled("a");
      await pair.until("a", "healthy servers", (status) => healthyAre(status, ORDINALS));
    },
    told: () =>
      pair.until("a", "all told", ({ connections, replication }) => {
        return replication?.whole === true && connections.replicated === COUNT;
      }),
  });
}

/** Evenly over every mode and family. */
function spread(count: number): readonly ClientDial[] {
  const families = Object.keys(FAMILIES) as FamilyName[];
  const modes = Object.keys(MODES) as ModeName[];
  const all = families.flatMap((family) => modes.map((mode) => ({ family, mode })));
  return all.map(({ family, mode }, i) => ({
    label: `${mode} ${family}`,
    host: FAMILIES[family].vip,
    port: MODES[mode].port,
    count: Math.floor(count / all.length) + (i < count % all.length ? 1 : 0),
  }));
}

async function proxyTrial(): Promise<readonly Result[]> {
  const { pair, servers: hosts } = await startSurvivalPair(survivalDocument(["tcp"]), { bare: true });
  const directory = mkdtempSync(join(tmpdir(), "futago-proxy-"));
  const lan = FAMILIES.IPv4.lan;
  const { firstHost, backendPort } = MODES.nat;
  const backends = ORDINALS.map((i) => `    server s${i} ${lan(firstHost + i - 1)}:${backendPort} check`);
  const configuration = join(directory, "haproxy.cfg");
  writeFileSync(configuration, readFileSync(PROXY, "utf8").replace("@BACKENDS@", backends.join("\n")));
  const start = async () => {
    for (const box of BOXES) {
      const host = pair.hosts[box];
      await host.sysctl("net.ipv4.ip_nonlocal_bind", 1);
      await keepalivedFast.start(box, host, directory);
      const proxy = host.spawn(["haproxy", "-db", "-f", configuration], { stdio: "ignore" });
      await listening(proxy.pid);
    }
    await keepalivedFast.settled(directory);
    // Its checks, every two seconds, have found the servers.
    await wait(PROXY_SETTLE_MILLIS);
  };
  const dials = [{ label: "tcp IPv4", host: FAMILIES.IPv4.vip, port: MODES.nat.port, count: PROXY_COUNT }];
  try {
    return await trial("HAProxy on keepalived", pair, hosts, { dials, ready: start, told: async () => undefined });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function listening(pid: number | undefined): Promise<void> {
  const deadline = performance.now() + PROXY_SETTLE_MILLIS;
  while (!listensOn(pid, MODES.nat.port)) {
    if (performance.now() > deadline) throw new Error("the proxy does not listen");
    await wait(LOOK_MILLIS);
  }
}

interface Steps {
  readonly dials: readonly ClientDial[];
  /** Box a serves, and its backends are healthy. */
  readonly ready: () => Promise<void>;
  /** The other box knows of every connection, if it ever does. */
  readonly told: () => Promise<unknown>;
}

async function trial(
  contender: string,
  pair: Pair,
  hosts: readonly ServerHost[],
  steps: Steps,
): Promise<readonly Result[]> {
  const servers = new Servers(hosts);
  let clients: Clients | undefined;
  try {
    for (const host of hosts) host.setHealthy(true);
    await steps.ready();
    clients = new Clients(pair);
    await clients.order({ kind: "dial", dials: steps.dials });
    const begun = await clients.allOpen(steps.dials.reduce((sum, { count }) => sum + count, 0));
    await steps.told();
    await clients.order({ kind: "chat", everyMillis: CHAT_MILLIS });
    await wait(BEFORE_MILLIS);
    await pair.powerOff("a");
    await clients.order({ kind: "mark" });
    await wait(AFTER_MILLIS);
    const reports = await clients.order({ kind: "report" });
    return reports.map((report, i) => ({ contender, begun: begun[i]?.open ?? 0, report }));
  } finally {
    clients?.close();
    servers.close();
    for (const host of hosts) host.setHealthy(false);
    await pair.destroy();
  }
}

class Clients {
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #gone = new AbortController();

  constructor(pair: Pair) {
    this.#process = pair.client.spawn([process.execPath, CLIENT], { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#process.stdout === null) throw new Error("the client's output is a pipe");
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#process.once("exit", () => this.#gone.abort(new Error("the client ended before its time")));
  }

  /** Fails when the client dies, or says nothing. */
  async order(order: ClientOrder): Promise<readonly ClientReport[]> {
    const answer = once(this.#lines, "line", {
      signal: AbortSignal.any([this.#gone.signal, AbortSignal.timeout(OPEN_MILLIS_MAX)]),
    });
    this.#process.stdin?.write(`${JSON.stringify(order)}\n`);
    const [line] = (await answer) as [string];
    return JSON.parse(line) as readonly ClientReport[];
  }

  async allOpen(count: number): Promise<readonly ClientReport[]> {
    const deadline = performance.now() + OPEN_MILLIS_MAX;
    for (;;) {
      const reports = await this.order({ kind: "report" });
      const open = reports.reduce((sum, report) => sum + report.open, 0);
      if (open === count) return reports;
      if (performance.now() > deadline) throw new Error(`only ${open} of ${count} opened: ${JSON.stringify(reports)}`);
      await wait(LOOK_MILLIS);
    }
  }

  close(): void {
    this.#process.kill("SIGKILL");
  }
}
