/**
 * `./build.sh lab`: two boxes, three web servers and a client, live in the terminal, or what `--scenario` names; with
 * `--script FILE` the steps of a script instead of a keyboard. Leaves nothing behind, however it ends.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Profile } from "./document.ts";
import { EventLog, formatTime } from "./event-log.ts";
import { Lab, type LabOptions } from "./lab.ts";
import { drawLive, printLive } from "./live.ts";
import { parseScript, type ParsedScript } from "./read-script.ts";
import { isScenarioName, SCENARIO_NAMES, SCENARIOS } from "./scenario.ts";
import type { Step } from "./script.ts";
import { canDraw } from "./terminal.ts";
import { runScript, summary } from "./tour.ts";

const USAGE = `usage: ./build.sh lab [--script FILE] [--profile default|fast|calm] [--requests PER_SECOND]
                      [--scenario ${SCENARIO_NAMES.join("|")}]

Without --script the lab lives until you press q. Keys are shown at the bottom of the screen. A script names its
scenario itself.
`;
const FAILED = 1;
const WRONG_USAGE = 2;

interface Arguments {
  readonly steps: readonly Step[] | undefined;
  readonly options: LabOptions;
}

function readArguments(): Arguments | undefined {
  try {
    const { values } = parseArgs({
      options: {
        script: { type: "string" },
        profile: { type: "string", default: "default" },
        requests: { type: "string" },
        scenario: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    const script = values.script === undefined ? undefined : readScript(values.script);
    const named = isScenarioName(values.scenario) ? SCENARIOS[values.scenario] : undefined;
    if (values.scenario !== undefined && (named === undefined || script !== undefined)) return undefined;
    const scenario = script?.scenario ?? named ?? SCENARIOS.balanced;
    const requestsPerSecond = Number(values.requests ?? scenario.requestsPerSecond);
    const profileKnown = ["default", "fast", "calm"].includes(values.profile);
    if (values.help || !profileKnown || !(requestsPerSecond > 0 && requestsPerSecond <= 5_000)) return undefined;
    const profile = values.profile as Profile;
    const options = { scenario, profile, requestsPerSecond, keptConnections: 50, streamMegabitsPerSecond: 20 };
    return { options, steps: script?.steps };
  } catch (error) {
    process.stderr.write(`lab: ${(error as Error).message}\n`);
    return undefined;
  }
}

function readScript(path: string): ParsedScript {
  const script = parseScript(readFileSync(path, "utf8"));
  if (script.mistakes.length > 0) throw new Error(`${path}: ${script.mistakes.join("; ")}`);
  return script;
}

/** Runs the work, or gives up on it when a signal asks; takes the lab down in both cases. Returns the exit code. */
async function withLab(options: LabOptions, log: EventLog, work: (lab: Lab) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  const asked = new Promise<number>((resolve) => stop.signal.addEventListener("abort", () => resolve(FAILED)));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop.abort());
  const lab = await Lab.start(options, log, stop.signal);
  try {
    return await Promise.race([work(lab), asked]);
  } finally {
    await lab.destroy();
  }
}

async function scripted(options: LabOptions, steps: readonly Step[]): Promise<number> {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const log = new EventLog();
  log.listen((event) => print(`${formatTime(event.at)}   ${event.text}`));
  return withLab(options, log, async (lab) => {
    const outcomes = await runScript(lab, steps, print);
    for (const line of summary(outcomes)) print(line);
    const failed = outcomes.filter((outcome) => outcome.result === "failed");
    if (failed.length === 0) return 0;
    for (const line of lab.logTails()) print(line);
    const reason = failed.map(({ step, seen }) => `${step}: ${seen}`).join("; ");
    print(`failed: ${reason}`);
    // The suite says it at its end, where it is looked for first.
    if (process.env["FUTAGO_REPORT"] !== undefined) writeFileSync(process.env["FUTAGO_REPORT"], reason);
    return FAILED;
  });
}

async function live(options: LabOptions): Promise<number> {
  const log = new EventLog();
  const onStart = (event: { readonly text: string }) => void process.stdout.write(`${event.text}\n`);
  log.listen(onStart);
  return withLab(options, log, (lab) => (canDraw() ? drawLive(lab, () => log.forget(onStart)) : printLive(lab)));
}

const given = readArguments();
if (given === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = WRONG_USAGE;
} else {
  try {
    process.exitCode = await (given.steps === undefined ? live(given.options) : scripted(given.options, given.steps));
  } catch (error) {
    process.stderr.write(`lab: ${(error as Error).message}\n`);
    process.exitCode = FAILED;
  }
  // Timers and sockets of a lab that was interrupted must not hold the terminal.
  process.exit();
}
