/**
 * The whole suite, as `./build.sh test [STEP…]` runs it after setup. Every step runs even when an earlier one failed.
 * After each it looks for leftovers; at the end it prints what failed, what was skipped, and why. The last line is the totals.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Inventory, leftovers, markedProcesses, takeInventory } from "./leftovers.ts";
import { runStep, signalTo, type Surroundings } from "./run-step.ts";
import { type Step, steps } from "./steps.ts";
import { failedOne, type Outcome, passedOne, sum, totalsLine } from "./totals.ts";

/** How long what a step started may take to go away after it. */
const LEFTOVER_GRACE_MILLIS = 5_000;

/** In place of steps' names: the long ones as well. */
const EVERYTHING = "everything";

const started = performance.now();

function say(text: string): void {
  const seconds = Math.round((performance.now() - started) / 1_000);
  process.stdout.write(`[${String(seconds).padStart(4)}s] ${text}\n`);
}

/** What is new on the machine. Processes of ours among it are ended, so that they cannot spoil the next step. */
async function findLeftovers(before: Inventory, around: Surroundings): Promise<readonly string[]> {
  const deadline = performance.now() + LEFTOVER_GRACE_MILLIS;
  const look = () => [
    ...leftovers(before, takeInventory(around)),
    ...Array.from(markedProcesses(around.mark), ([pid, command]) => `process ${pid} ${command}`),
  ];
  let found = look();
  while (found.length > 0 && performance.now() < deadline) {
    await sleep(200);
    found = look();
  }
  for (const pid of markedProcesses(around.mark).keys()) signalTo(pid, "SIGKILL");
  return found;
}

async function runAll(chosen: readonly Step[], around: Surroundings): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  const blamed = new Set<string>();
  const before = takeInventory(around);
  for (const step of chosen) {
    if (around.interruption.aborted) break;
    const outcome = await runStep(step, around);
    outcomes.push(outcome);
    say(`${step.name}: ${totalsLine(outcome)}`);
    for (const thing of await findLeftovers(before, around)) {
      if (!blamed.has(thing)) say(`${step.name}: left behind: ${thing}`);
      blamed.add(thing);
    }
  }
  say(`leftovers: ${blamed.size === 0 ? "none" : blamed.size}`);
  outcomes.push(blamed.size === 0 ? passedOne : failedOne("leftovers", [...blamed].join(", ")));
  if (around.interruption.aborted) outcomes.push(failedOne("suite", "interrupted"));
  return sum(outcomes);
}

/** Without names all but the long ones. */
function choose(all: readonly Step[], names: readonly string[]): readonly Step[] {
  if (names.includes(EVERYTHING)) return all;
  return all.filter((step) => (names.length === 0 ? step.long !== true : names.includes(step.name)));
}

async function main(names: readonly string[]): Promise<Outcome> {
  const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
  const all = steps(root);
  const unknown = names.filter((name) => name !== EVERYTHING && !all.some((step) => step.name === name));
  if (unknown.length > 0) {
    process.stderr.write(
      `no step ${unknown.join(", ")}; steps: ${all.map((step) => step.name).join(" ")}, or ${EVERYTHING}\n`,
    );
    process.exit(2);
  }
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interruption.abort());
  const directory = mkdtempSync(`${tmpdir()}/futago-suite-`);
  const temporary = `${directory}/tmp`;
  mkdirSync(temporary);
  // Daemons that the tests start give up root and must still reach their files.
  chmodSync(directory, 0o755);
  chmodSync(temporary, 0o1777);
  const outcome = await runAll(choose(all, names), {
    root,
    mark: randomUUID(),
    directory,
    temporary,
    say,
    interruption: interruption.signal,
  });
  try {
    rmSync(directory, { recursive: true });
    return outcome;
  } catch (error) {
    // A mount that was left behind keeps it. What else failed is told all the same.
    return sum([outcome, failedOne("suite", `its directory cannot be removed: ${(error as Error).message}`)]);
  }
}

const outcome = await main(process.argv.slice(2));
for (const { test, reason } of outcome.failed) say(`failed: ${test}: ${reason}`);
for (const { test, reason } of outcome.skipped) say(`skipped: ${test}: ${reason}`);
process.stdout.write(`${totalsLine(outcome)}\n`);
process.exitCode = outcome.failed.length === 0 ? 0 : 1;
