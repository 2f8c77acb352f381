/** `futago drill` and its report: begins one, tells how far it is, and ends with what came of it. */
import { drillSentence } from "../pair/drill/judge.ts";
import { ExitCode } from "../runtime/exit-code.ts";
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { answer, author, print, refuse } from "./output.ts";
import { renderDrill, renderDrillReport } from "./render-drill.ts";

const LOOK_MILLIS = 200;
/** Longer than any drill takes, the way back of a killed box included. */
const PATIENCE_MILLIS = 60_000;

export async function drill(command: CommandOf<"drill" | "drillReport">): Promise<number> {
  if (command.kind === "drill") return carryOut(command);
  return answer(command, await ask(command.stateDirectory, "drills", {}), renderDrillReport);
}

async function carryOut(command: CommandOf<"drill">): Promise<number> {
  const { stateDirectory, how, back, json } = command;
  const { id } = await ask(stateDirectory, "drill", { how, back, author: author() });
  let phase = "";
  for (const end = performance.now() + PATIENCE_MILLIS; performance.now() < end; await pause(LOOK_MILLIS)) {
    const { running, results, trouble } = await ask(stateDirectory, "drills", {});
    if (running?.id === id) {
      if (!json && running.phase !== phase) print(`${sentence(running.phase)}\n`);
      phase = running.phase;
      continue;
    }
    const result = results.find((one) => one.id === id);
    if (result === undefined) {
      const what = `the drill came to nothing: ${trouble ?? "the core of this box was started again"}`;
      return refuse({ exitCode: ExitCode.failed, what, mend: "`futago show why` tells what happened." }, json);
    }
    answer(command, result, (shown) => `\n${renderDrill(shown)}\n`);
    if (result.worse.length === 0) return ExitCode.done;
    process.stderr.write(`futago: ${drillSentence(result)}\n`);
    return ExitCode.failed;
  }
  return refuse({ exitCode: ExitCode.failed, what: "the drill does not end; `futago drill report` tells more" }, json);
}

function sentence(phase: string): string {
  return `${phase.charAt(0).toUpperCase()}${phase.slice(1)}.`;
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
