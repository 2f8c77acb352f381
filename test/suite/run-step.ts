/** Runs one step of the suite in a process group of its own and says what it came to. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { MARK } from "./leftovers.ts";
import type { Step } from "./steps.ts";
import { failedOne, type Outcome, passedOne, vitestOutcome } from "./totals.ts";

const TERMINATE_GRACE_MILLIS = 10_000;

export interface Surroundings {
  readonly root: string;
  /** What marks the environment of every process of this run. */
  readonly mark: string;
  /** For our own files. */
  readonly directory: string;
  /** TMPDIR of the step, empty before and after. */
  readonly temporary: string;
  readonly say: (text: string) => void;
  /** Aborted when a person or a supervisor ends the suite. */
  readonly interruption: AbortSignal;
}

export async function runStep(step: Step, around: Surroundings): Promise<Outcome> {
  around.say(`${step.name}: ${step.command.map((word) => word.replace(`${around.root}/`, "")).join(" ")}`);
  const report = `${around.directory}/${step.name}.json`;
  const code = await run(step, report, around);
  // The counts, as a file of JSON; of a step that is one test, in words, what failed.
  const told = existsSync(report) ? readFileSync(report, "utf8") : undefined;
  if (step.counts === "vitest") return vitestOutcome(step.name, code, told);
  return code === 0 ? passedOne : failedOne(step.name, told ?? `exit code ${code ?? "of a signal"}`);
}

/** The exit code; undefined when a signal ended the command. The whole group is ended at the limit. */
async function run(step: Step, report: string, around: Surroundings): Promise<number | undefined> {
  const [program = "", ...argv] = step.command;
  const env = { ...process.env, [MARK]: around.mark, FUTAGO_REPORT: report, TMPDIR: around.temporary };
  const child = spawn(program, argv, {
    cwd: around.root,
    env,
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  const end = (why: string) => {
    around.say(`${step.name}: ${why}`);
    const group = child.pid;
    if (group === undefined) return;
    signalTo(-group, "SIGTERM");
    setTimeout(() => signalTo(-group, "SIGKILL"), TERMINATE_GRACE_MILLIS).unref();
  };
  const limit = setTimeout(() => end(`not done after ${step.limitMinutes} minutes, ended`), step.limitMinutes * 60_000);
  const interrupt = () => end("interrupted");
  around.interruption.addEventListener("abort", interrupt);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject).once("exit", (code) => resolve(code ?? undefined));
    });
  } finally {
    clearTimeout(limit);
    around.interruption.removeEventListener("abort", interrupt);
  }
}

/** Signals a process, or with a negative number a process group. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended by itself, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
