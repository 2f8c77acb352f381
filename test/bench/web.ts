/**
 * What the web process costs a pair and what strangers at its port can do to it: memory, fifty pages that watch, a flood,
 * two hundred sessions beside dawdlers, and how soon the first page can be used. The control of each load is the same
 * pair without it; that of the page is one plain page of nginx in the same browser.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ask } from "@futago/firmware/cli/client.ts";
import type { SignedIn } from "@futago/firmware/runtime/control-access.ts";
import { processesIn, summedPssKilobytes } from "../lab/processes.ts";
import { Prober } from "../lab/prober.ts";
import type { Box } from "../lab/topology.ts";
import { Pair, pairDocument, VIP } from "../netns/pair-fixture.ts";
import { askWeb } from "../netns/web-socket.ts";
import type { PageOrders } from "./web-page.ts";
import type { WebLoad, WebLoaded } from "./web-load.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { distribution } from "./statistics.ts";
import { judged } from "./target.ts";

const PORT = 8443;
const SECONDS = 20;
const SESSIONS = 200;
const WATCHING = 50;
const FLOODING = 64;
const DAWDLING = 200;
const PAGES_DEFAULT = 15;
const FAIL_OVERS = 5;
const HOSTS = 50;
const PASSWORD = "a bench without mercy";
const WEB_MEGABYTES_MAX = 90;
const BOX_MEGABYTES_MAX = 220;
const WATCHED_PERCENT_MAX = 5;
const PAGE_MILLIS_MAX = 300;
const PICTURE_MILLIS_MAX = 500;

export async function webBench(
  { trials = PAGES_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const pair = await startPair();
  try {
    const atRest = memoryOf(pair, "a");
    const sessions = await signIn(pair);
    const quiet = await underLoad(pair, {});
    const watched = await underLoad(pair, { sessions: sessions.slice(0, WATCHING), watching: WATCHING });
    const flooded = await underLoad(pair, { flooding: FLOODING });
    const crowded = await underLoad(pair, { sessions, watching: WATCHING, dawdling: DAWDLING });
    const pages = await firstPage(pair, sessions[0], trials);
    const afterAll = memoryOf(pair, "a");
    const followed: number[] = [];
    for (let i = 0; i < FAIL_OVERS; i++) followed.push(await pictureFollows());
    const lines = [
      ...loadTable([
        ["nothing (control)", quiet],
        [`${WATCHING} pages that watch`, watched],
        [`a flood on ${FLOODING} connections`, flooded],
        [`${SESSIONS} sessions, ${WATCHING} of them watching, and ${DAWDLING} dawdlers`, crowded],
      ]),
      ...watchedLines(quiet, watched),
      ...pageTable(pages, followed),
      ...memoryTable([
        ["at rest", atRest],
        ["after all that", afterAll],
      ]),
    ];
    for (const line of lines) print(line);
    return lines;
  } finally {
    await pair.destroy();
  }
}

async function startPair(): Promise<Pair> {
  const pair = await Pair.start({ bare: true });
  try {
    const document = pair.files.document(
      "pair.json",
      pairDocument({ heartbeat: { over: ["sync", "lan", "wan"], profile: "default" } }),
    );
    const more = ["--import", document, "--web", `[::]:${PORT}`];
    await Promise.all([pair.startBox("a", more), pair.startBox("b", more)]);
    await pair.settled("a");
    for (const address of hosts()) await pair.client.ip(`addr add ${address}/24 dev eth0`);
    return pair;
  } catch (error) {
    await pair.destroy();
    throw error;
  }
}

function hosts(): readonly string[] {
  return Array.from({ length: HOSTS }, (_, i) => `10.1.0.${100 + i}`);
}

/** By core's own socket: passwords are slow on purpose, and are not what is measured. */
async function signIn(pair: Pair): Promise<readonly SignedIn[]> {
  const state = pair.files.state("a");
  const { claimCode } = await ask(state, "webAccess", {});
  const first = await askWeb<SignedIn>(state, "claim", { code: claimCode, name: "bench", password: PASSWORD });
  const all = [first];
  while (all.length < SESSIONS)
    all.push(await askWeb<SignedIn>(state, "signIn", { name: "bench", password: PASSWORD }));
  return all;
}

interface Measured {
  readonly loaded: WebLoaded;
  /** Percent of one processor. */
  readonly core: number;
  readonly web: number;
  /** Of heartbeats, the worse box, p99.9. */
  readonly lateMillis: number;
  readonly moves: number;
  readonly probes: number;
  readonly lost: number;
}

async function underLoad(pair: Pair, load: Partial<WebLoad>): Promise<Measured> {
  const program = fileURLToPath(new URL("web-load.ts", import.meta.url));
  const child = pair.client.spawn([process.execPath, program], { stdio: ["pipe", "pipe", "inherit"] });
  const orders: WebLoad = {
    host: VIP,
    port: PORT,
    from: hosts(),
    sessions: [],
    watching: 0,
    flooding: 0,
    dawdling: 0,
    ...load,
  };
  const prober = await Prober.start(pair.client, { address: VIP, ping: true });
  const said = text(child.stdout!);
  child.stdin!.write(`${JSON.stringify(orders)}\n`);
  // What begins with it is not what it costs.
  await wait(3_000);
  const before = { core: ticks(pair, "core"), web: ticks(pair, "webui/api"), moves: await pair.moves(), at: now() };
  const { sent, lost } = prober.tick;
  await wait(SECONDS * 1_000);
  const after = { core: ticks(pair, "core"), web: ticks(pair, "webui/api"), moves: await pair.moves(), at: now() };
  const statuses = await Promise.all([pair.status("a"), pair.status("b")]);
  const tick = prober.tick;
  child.stdin!.end();
  const loaded = JSON.parse(await said) as WebLoaded;
  await prober.stop();
  const share = (from: number, to: number) => ((to - from) * 10 * 100) / (after.at - before.at);
  return {
    loaded,
    core: share(before.core, after.core),
    web: share(before.web, after.web),
    lateMillis: Math.max(...statuses.map(({ heartbeat }) => heartbeat?.latenessP999Ms ?? Number.NaN)),
    moves: after.moves.a + after.moves.b - before.moves.a - before.moves.b,
    probes: tick.sent - sent,
    lost: tick.lost - lost,
  };
}

function now(): number {
  return performance.now();
}

/** Of the process on box a, in hundredths of a second. @see proc_pid_stat(5) */
function ticks(pair: Pair, name: "core" | "webui/api"): number {
  const fields =
    readFileSync(`/proc/${pidOf(pair, "a", name)}/stat`, "utf8")
      .split(") ")
      .at(-1)
      ?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function pidOf(pair: Pair, box: Box, name: "core" | "webui/api"): number {
  const found = processesIn(pair.hosts[box].path).find(({ command }) => command.includes(`${name}/main.`));
  if (found === undefined) throw new Error(`box ${box} has no process ${name}`);
  return found.pid;
}

function memoryOf(pair: Pair, box: Box) {
  const all = processesIn(pair.hosts[box].path).map(({ pid }) => pid);
  return {
    web: summedPssKilobytes([pidOf(pair, box, "webui/api")]) / 1_024,
    box: summedPssKilobytes(all) / 1_024,
  };
}

async function firstPage(pair: Pair, session: SignedIn | undefined, times: number) {
  const directory = pair.files.state("nginx");
  mkdirSync(directory);
  const page = join(directory, "index.html");
  writeFileSync(page, "<!doctype html><title>plain</title><p id=usable>plain</p>");
  const nginx = pair.hosts.a.spawn(["nginx", "-c", nginxConfiguration(directory), "-g", "daemon off;"], {
    stdio: "inherit",
  });
  try {
    const orders = { cookie: session?.session ?? "", proof: session?.proof ?? "", times };
    const ours = await timePage(pair, { ...orders, url: `https://${VIP}:${PORT}/`, usable: "section.picture svg" });
    const plain = await timePage(pair, { ...orders, url: "http://10.1.0.2:8081/", usable: "#usable" });
    return { ours, plain };
  } finally {
    nginx.kill();
  }
}

/** Power loss of the active box, seen on the page of the other one; each time with a fresh pair. */
async function pictureFollows(): Promise<number> {
  const pair = await startPair();
  try {
    const state = pair.files.state("b");
    const { claimCode } = await ask(state, "webAccess", {});
    const session = await askWeb<SignedIn>(state, "claim", { code: claimCode, name: "bench", password: PASSWORD });
    const program = fileURLToPath(new URL("web-page.ts", import.meta.url));
    const child = pair.client.spawn([process.execPath, program], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const orders: PageOrders = {
      url: `https://10.1.0.3:${PORT}/`,
      cookie: session.session,
      proof: session.proof,
      times: 1,
      usable: ".drawn-box.box-b.role-standby",
      awaited: ".drawn-box.box-b.role-active",
    };
    child.stdin!.end(`${JSON.stringify(orders)}\n`);
    await lines.next();
    // The page is at rest.
    await wait(1_000);
    const cutAt = Date.now();
    await pair.powerOff("a");
    const { value } = await lines.next();
    return Number(value) - cutAt;
  } finally {
    await pair.destroy();
  }
}

function nginxConfiguration(directory: string): string {
  const file = join(directory, "nginx.conf");
  writeFileSync(
    file,
    `pid ${directory}/nginx.pid; error_log ${directory}/error.log; user root;
events {}
http { access_log off; types { text/html html; } server { listen 8081; root ${directory}; } }
`,
  );
  return file;
}

async function timePage(pair: Pair, orders: PageOrders): Promise<readonly number[]> {
  const program = fileURLToPath(new URL("web-page.ts", import.meta.url));
  const child = pair.client.spawn([process.execPath, program], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin!.end(`${JSON.stringify(orders)}\n`);
  return JSON.parse(await text(child.stdout!)) as readonly number[];
}

function loadTable(rows: readonly (readonly [name: string, measured: Measured])[]): readonly string[] {
  const head = [
    `${SECONDS} s each`,
    "core, % of a CPU",
    "web, % of a CPU",
    "heartbeats late ms, p99.9",
    "role changes",
    "probes lost of",
    "status answered ms: median",
    "p99",
    "broken, refused",
  ];
  const body = rows.map(([name, { loaded, ...one }]) => {
    const sorted = loaded.answers.toSorted((x, y) => x - y);
    const at = (share: number) => figure(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN);
    const answers = sorted.length === 0 ? ["–", "–"] : [at(0.5), at(0.99)];
    return [
      name,
      figure(one.core),
      figure(one.web),
      figure(one.lateMillis),
      String(one.moves),
      `${one.lost} of ${one.probes}`,
      ...answers,
      `${loaded.broken}, ${loaded.refused}`,
    ];
  });
  const { floodAnswers } = rows.map(([, { loaded }]) => loaded).find((loaded) => loaded.floodAnswers > 0) ?? {
    floodAnswers: 0,
  };
  const { shut } = rows.map(([, { loaded }]) => loaded).find((loaded) => loaded.shut > 0) ?? { shut: 0 };
  return [
    "### The web port under load",
    "",
    ...markdown(head, body),
    "",
    `The flood was answered ${floodAnswers} times; ${shut} connections of dawdlers were ended.`,
    "",
  ];
}

function watchedLines(quiet: Measured, watched: Measured): readonly string[] {
  const cost = watched.core - quiet.core;
  const bound = judged(cost / WATCHED_PERCENT_MAX, { atMost: 1, of: `${WATCHED_PERCENT_MAX} % of a CPU` });
  const { events } = watched.loaded;
  return [
    `${WATCHING} pages were told ${events} events and cost core ${figure(cost)} % of a CPU more than none (${bound}).`,
    "",
  ];
}

function pageTable(
  { ours, plain }: Awaited<ReturnType<typeof firstPage>>,
  followed: readonly number[],
): readonly string[] {
  const row = (name: string, times: readonly number[], bound?: number) => {
    const found = distribution(times);
    const shown = [found?.median, found?.p95, found?.worst].map((value) => figure(value ?? Number.NaN));
    const verdict =
      bound === undefined ? "" : judged((found?.median ?? Number.NaN) / bound, { atMost: 1, of: `${bound} ms` });
    return [name, String(times.length), ...shown, verdict];
  };
  return [
    "### Pages in headless Chromium, empty cache",
    "",
    ...markdown(
      ["ms", "times", "median", "p95", "worst", "at most"],
      [
        row("until the overview can be used, over HTTPS", ours, PAGE_MILLIS_MAX),
        row("until a plain page of nginx can, over HTTP (control)", plain),
        row("from the active box's power loss until the other's page draws it", followed, PICTURE_MILLIS_MAX),
      ],
    ),
    "",
  ];
}

function memoryTable(
  rows: readonly (readonly [when: string, memory: ReturnType<typeof memoryOf>])[],
): readonly string[] {
  const bound = (value: number, most: number) => judged(value / most, { atMost: 1, of: `${most} MB` });
  const body = rows.map(([when, { web, box }]) => [
    when,
    figure(web),
    bound(web, WEB_MEGABYTES_MAX),
    figure(box),
    bound(box, BOX_MEGABYTES_MAX),
  ]);
  return [
    "### Memory, summed PSS",
    "",
    ...markdown(["MB", "web process", "at most", "whole box", "at most"], body),
    "",
  ];
}
