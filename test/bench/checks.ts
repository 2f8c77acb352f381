/**
 * What health checks cost: core's check runner in a process of its own, a thousand checks a second against nginx on
 * loopback, beside a control that makes the same exchanges in C. CPU is that of the asking process alone, with what
 * the kernel does on its behalf; on loopback that is part of the server's work too, for both alike.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebServer } from "../lab/web-server.ts";
import { createNetwork, type Namespace } from "../netns/namespaces.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { distribution } from "./statistics.ts";

const LOAD = fileURLToPath(new URL("check-load.ts", import.meta.url));
const PLAIN = fileURLToPath(new URL("plain-checks.c", import.meta.url));
const ROUNDS_DEFAULT = 5;
const PER_SECOND = 1_000;
const WATCH_SECONDS = 10;
const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";

interface Row {
  readonly kind: "tcp" | "http";
  readonly intervalMillis: number;
  /** Percent of a core that it may take. */
  readonly percentMax: number;
}

const ROWS: readonly Row[] = [
  { kind: "tcp", intervalMillis: 1_000, percentMax: 15 },
  { kind: "http", intervalMillis: 1_000, percentMax: 35 },
  { kind: "tcp", intervalMillis: 10_000, percentMax: 15 },
  { kind: "http", intervalMillis: 10_000, percentMax: 35 },
];

interface Cost {
  /** Of one core. */
  readonly percent: number;
  readonly perSecond: number;
}

interface Site {
  readonly namespace: Namespace;
  /** The control's program. */
  readonly plain: string;
}

export async function checksBench(
  { trials = ROUNDS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "futago-checks-"));
  const network = await createNetwork();
  try {
    const namespace = await network.namespace("checks");
    const plain = join(directory, "plain-checks");
    await namespace.run(["cc", "-O2", "-o", plain, PLAIN]);
    await new WebServer({ name: "s1", host: () => namespace, listen: ["127.0.0.1:80"], directory }).start();
    const lines = await measure({ namespace, plain }, trials);
    for (const text of lines) print(text);
    return lines;
  } finally {
    await network.destroy();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(site: Site, rounds: number): Promise<readonly string[]> {
  const lines: (readonly string[])[] = [];
  for (const row of ROWS) {
    const [futago, control]: [Cost[], Cost[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      futago.push(await runnerCost(site, row));
      control.push(await plainCost(site, row));
    }
    const backends = (PER_SECOND * row.intervalMillis) / 1_000;
    const name = `${row.kind}, ${backends} backends, every ${row.intervalMillis / 1_000} s`;
    lines.push(
      costLine(`Futago ${name}`, futago, `${row.percentMax} %`),
      costLine(`control ${row.kind}, blocking, C`, control, "–"),
    );
  }
  const head = ["", "trials", "checks/s", "% of a core: median", "p95", "worst", "at most"];
  return ["### CPU of a thousand health checks a second", "", ...markdown(head, lines), ""];
}

function costLine(name: string, costs: readonly Cost[], percentMax: string): readonly string[] {
  const percent = distribution(costs.map((cost) => cost.percent));
  const perSecond = distribution(costs.map((cost) => cost.perSecond));
  const shown = [percent?.median, percent?.p95, percent?.worst].map((value) => figure(value ?? Number.NaN));
  return [name, String(costs.length), String(Math.round(perSecond?.median ?? 0)), ...shown, percentMax];
}

async function runnerCost({ namespace }: Site, { kind, intervalMillis }: Row): Promise<Cost> {
  const backends = (PER_SECOND * intervalMillis) / 1_000;
  const numbers = [80, backends, intervalMillis, WATCH_SECONDS].map(String);
  const timeoutMillis = 4 * intervalMillis + 3_000 * WATCH_SECONDS;
  const output = await namespace.run([process.execPath, LOAD, kind, ...numbers], { timeoutMillis });
  const [cpu = 0, seconds = 1, attempts = 0, healthy = 0] = output.trim().split(" ").map(Number);
  if (healthy !== backends) throw new Error(`only ${healthy} of ${backends} backends were healthy`);
  return { percent: (100 * cpu) / seconds, perSecond: attempts / seconds };
}

async function plainCost({ namespace, plain }: Site, { kind }: Row): Promise<Cost> {
  const numbers = [80, PER_SECOND, WATCH_SECONDS].map(String);
  const started = performance.now();
  const output = await namespace.run([plain, ...numbers, ...(kind === "http" ? [REQUEST] : [])]);
  const seconds = (performance.now() - started) / 1_000;
  const [cpu = 0, good = 0] = output.trim().split(" ").map(Number);
  return { percent: (100 * cpu) / seconds, perSecond: good / seconds };
}
