/**
 * What a commit takes on two whole boxes until it is in force on both and answered: one backend's weight, alone and in a
 * configuration of a thousand services; what a thousand commits in a row do to the heartbeats; how long ten thousand
 * revisions take to be listed. The control is the disk: two syncs, one after the other, are the least that two boxes need.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask } from "@futago/firmware/cli/client.ts";
import { Store } from "@futago/firmware/runtime/store/store.ts";
import { largeDocument } from "../netns/large-document.ts";
import { type Document, Pair, pairDocument } from "../netns/pair-fixture.ts";
import { figure, markdown } from "./report.ts";
import type { Print } from "./silence.ts";
import { distribution } from "./statistics.ts";
import { judged } from "./target.ts";

const TRIALS_DEFAULT = 30;
const LARGE = { services: 1_000, backends: 100 };
const COMMITS_IN_A_ROW = 1_000;
const REVISIONS = 10_000;
const LISTINGS = 5;
const CHANGE_MILLIS_MAX = 200;
const LARGE_MILLIS_MAX = 2_000;
const BROWSE_MILLIS_MAX = 50;

export async function commitsBench(
  { trials = TRIALS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const small = await onPair(1, async (pair, change) => {
    const times = await repeated(trials, change);
    return {
      times,
      typed: await repeated(Math.min(trials, 10), (weight) => typed(pair, weight)),
      row: await inARow(pair, change),
    };
  });
  const large = await onPair(LARGE.services, (_, change) => repeated(Math.min(trials, 5), change));
  const syncs = await repeated(trials, twoSyncs);
  const { listed, bytes } = await browse();
  const rows = [
    row("one backend's weight, until both boxes have it in force", small.times, CHANGE_MILLIS_MAX),
    row("… typed: `futago config apply`, its process with it", small.typed),
    row("control: 4 KiB written and synced twice, one after the other", syncs),
    row(`one backend's weight among ${LARGE.services} services × ${LARGE.backends} backends`, large, LARGE_MILLIS_MAX),
    row(`${REVISIONS} revisions listed`, listed, BROWSE_MILLIS_MAX),
  ];
  const { took, widened, moves, p999 } = small.row;
  const lines = [
    `### Commits on a pair, ${trials} trials`,
    "",
    ...markdown(["ms", "median", "p95", "worst", "at most"], rows),
    "",
    `${COMMITS_IN_A_ROW} commits in a row took ${figure(took / 1_000)} s, ${figure(took / COMMITS_IN_A_ROW)} ms each; ` +
      `${moves} role changes, ${widened} times the dead time was widened, heartbeats at most ${figure(p999)} ms late (p99.9).`,
    `The database with ${REVISIONS} revisions has ${figure(bytes / (1 << 20))} MiB.`,
    "",
  ];
  for (const line of lines) print(line);
  return lines;
}

function row(name: string, times: readonly number[], millisMax?: number): readonly string[] {
  const found = distribution(times);
  const shown = [found?.median, found?.p95, found?.worst].map((value) => figure(value ?? Number.NaN));
  const bound =
    millisMax === undefined
      ? ""
      : judged((found?.median ?? Number.NaN) / millisMax, { atMost: 1, of: `${millisMax} ms` });
  return [name, ...shown, bound];
}

type Change = (weight: number) => Promise<unknown>;

async function onPair<T>(services: number, measure: (pair: Pair, change: Change) => Promise<T>): Promise<T> {
  const pair = await Pair.start({ document: documentOf(services, 1) });
  try {
    await pair.settled("a");
    return await measure(pair, async (weight) => {
      const document = JSON.stringify(documentOf(services, weight));
      const { remarks } = await ask(pair.files.state("a"), "apply", { document, author: "bench" });
      if (remarks[0] !== "Both boxes have it.") throw new Error(`not on both boxes: ${remarks.join(" ")}`);
    });
  } finally {
    await pair.destroy();
  }
}

function documentOf(services: number, weight: number): Document {
  const { pools, services: named } = largeDocument(
    { services, backends: services === 1 ? 2 : LARGE.backends },
    (pool) => ({
      weights: (backend) => (pool === 0 && backend === 0 ? weight : 1),
      check: { type: "none" },
    }),
  );
  return {
    ...pairDocument({ heartbeat: { over: ["sync", "lan", "wan"], profile: "default" } }),
    pools,
    services: named,
  };
}

async function typed(pair: Pair, weight: number): Promise<void> {
  const file = pair.files.document("typed.json", documentOf(1, weight));
  const { code, stderr } = await pair.box("a").futago("config", "apply", file);
  if (code !== 0) throw new Error(stderr);
}

/** Weights differ from trial to trial, so that each is a change. */
async function repeated(
  times: number,
  action: (weight: number) => Promise<unknown> | void,
): Promise<readonly number[]> {
  const measured: number[] = [];
  for (let i = 0; i < times; i++) {
    const from = performance.now();
    await action(2 + (i % 2));
    measured.push(performance.now() - from);
  }
  return measured;
}

async function inARow(pair: Pair, change: Change) {
  const before = await pair.moves();
  const times = await repeated(COMMITS_IN_A_ROW, change);
  const after = await pair.moves();
  const events = (await Promise.all([pair.why("a"), pair.why("b")])).flat();
  const [a, b] = await Promise.all([pair.status("a"), pair.status("b")]);
  return {
    took: times.reduce((sum, time) => sum + time, 0),
    moves: after.a - before.a + after.b - before.b,
    widened: events.filter(({ event }) => event === "widened").length,
    p999: Math.max(...[a, b].map(({ heartbeat }) => heartbeat?.latenessP999Ms ?? Number.NaN)),
  };
}

function twoSyncs(): void {
  const directory = mkdtempSync(join(tmpdir(), "futago-bench-"));
  const file = openSync(join(directory, "synced"), "w");
  for (let i = 0; i < 2; i++) {
    writeSync(file, Buffer.alloc(4_096, i));
    fdatasyncSync(file);
  }
  closeSync(file);
  rmSync(directory, { recursive: true });
}

async function browse(): Promise<{ readonly listed: readonly number[]; readonly bytes: number }> {
  const directory = mkdtempSync(join(tmpdir(), "futago-bench-"));
  const opened = await Store.open(directory);
  if (!opened.ok) throw new Error(opened.what);
  const { store } = opened;
  let parent: string | undefined;
  for (let i = 0; i < REVISIONS; i++) {
    const text = JSON.stringify(documentOf(1, 1 + (i % 50)));
    const appended = await store.append({
      text,
      parent,
      author: "bench",
      comment: `change ${i}`,
      time: new Date().toISOString(),
    });
    if (!appended.ok) throw new Error(appended.reason);
    parent = appended.revision.id;
  }
  const listed = await repeated(LISTINGS, async () => {
    const all = await store.history(REVISIONS);
    if (all.length !== REVISIONS) throw new Error(`${all.length} revisions`);
  });
  await store.close();
  const { size } = statSync(join(directory, "futago.db"));
  rmSync(directory, { recursive: true });
  return { listed, bytes: size };
}
