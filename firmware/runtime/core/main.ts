/** Entry of the core process, started by the supervisor: reads its arguments, names the real machine, reports back. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chooseBoard } from "@futago/hal/board/describe.ts";
import { seconds } from "@futago/hal/units/time.ts";
import type { ChosenBoard } from "@futago/hal/contract/board.ts";
import { openHal } from "@futago/hal/linux.ts";
import { ExitCode, type Refusal, RefusalError } from "../exit-code.ts";
import type { CoreNotice, CoreReport } from "../main.ts";
import type { Box } from "../messages.ts";
import { answerPings, type Ping } from "../supervisor/ping.ts";
import { Core } from "./core.ts";
import type { Pace } from "./update/update-of-core.ts";
import { openLog } from "./log.ts";

const { values } = parseArgs({
  options: {
    state: { type: "string" },
    box: { type: "string" },
    import: { type: "string" },
    "pair-key": { type: "string" },
    web: { type: "string" },
    updater: { type: "string" },
    "update-pace": { type: "string" },
    board: { type: "string" },
  },
});

const log = openLog();
const hal = openHal();
let core: Core | undefined;
/** All that the box keeps goes when this process has ended. */
let isForgotten = false;
let isEnding = false;

// The supervisor is gone, so nobody will stop us in order: leave everything as it is for the next one to take over.
process.on("disconnect", () => process.exit(ExitCode.failed));
process.stdin.on("end", () => process.exit(ExitCode.failed)).resume();
hal.scheduling.dieWithParent("SIGKILL");

answerPings();
process.on("message", ({ kind }: CoreNotice | Ping) => {
  if (kind === "ending") isEnding = true;
});
process.on("SIGTERM", () => {
  stop().catch((error: unknown) => fail(error));
});
process.on("uncaughtException", (error) => fail(error));

try {
  core = await Core.open({
    hal,
    log,
    stateDirectory: values.state ?? "",
    box: values.box as Box | undefined,
    importFile: values.import,
    pairKeyFile: values["pair-key"],
    board: board(),
    isWebWanted: values.web !== undefined,
    updater: values.updater,
    pace: pace(),
    restart,
    isEnding: () => isEnding,
    onOwner: (hostname) => report(hostname === undefined ? { kind: "bare" } : { kind: "configured", hostname }),
    end: (as) => report({ kind: "end", as }),
    reset: () => {
      isForgotten = true;
      report({ kind: "reset" });
    },
  });
  await core.bringUp();
  report({ kind: "ready" });
} catch (error) {
  if (error instanceof RefusalError) refuse(error.refusal);
  else fail(error);
}

/** The words were checked by whoever started the box. */
function pace(): Pace | undefined {
  const [prove, watch] = (values["update-pace"] ?? "").split(",").map(Number);
  return prove === undefined || watch === undefined ? undefined : { prove: seconds(prove), watch: seconds(watch) };
}

/** A person's own description lies beside what the box keeps, and outlives a factory reset: the machine stays what it is. */
function board(): ChosenBoard | undefined {
  const own = join(values.state ?? "", "board.json");
  return values.board === undefined ? undefined : chooseBoard(values.board, own, hal.board.identity());
}

async function stop(): Promise<void> {
  await core?.stop(isForgotten);
  hal.close();
  process.exit(ExitCode.done);
}

/** Nothing is taken down: the supervisor starts a fresh core, which finds everything as it is. */
function restart(reason: string): void {
  log.info("core-restarts", { reason });
  process.send?.({ kind: "restarting" } satisfies CoreReport, () => process.exit(ExitCode.done));
}

function refuse(refusal: Refusal): void {
  process.send?.({ kind: "refused", refusal } satisfies CoreReport, () => process.exit(refusal.exitCode));
}

/** Our own fault, or a machine that refused where nobody expected it: the supervisor starts a fresh core. */
function fail(error: unknown): void {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  log.error("core-failed", { error: message, stack });
  process.exit(ExitCode.failed);
}

function report(message: CoreReport): void {
  process.send?.(message);
}
