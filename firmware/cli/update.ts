/** `futago update FILE|status|back`: says each step until the box starts anew, or why nothing came of it. */
import { resolve } from "node:path";
import type { UpdateShown } from "../runtime/control-update.ts";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { answer, author, print, printed, refuse, said } from "./output.ts";
import { renderUpdate } from "./render-update.ts";

const LOOK_MILLIS = 1_000;

export async function update(command: CommandOf<"update">): Promise<number> {
  const { stateDirectory, order, force, wait } = command;
  if (order.word === "status") return answer(command, await ask(stateDirectory, "updateStatus", {}), renderUpdate);
  if (order.word === "back") {
    return said(command, (await ask(stateDirectory, "updateBack", { force, author: author() })).message);
  }
  const file = resolve(order.file);
  const { message } = await ask(stateDirectory, "update", { file, force, author: author() });
  const code = said(command, message);
  return wait && !command.json ? follow(stateDirectory) : code;
}

async function follow(stateDirectory: string): Promise<number> {
  let told = 0;
  let percent = -1;
  let silences = 0;
  while (true) {
    const shown = await look(stateDirectory);
    // A slow disk can keep the box from answering once.
    silences = shown === undefined ? silences + 1 : 0;
    if (shown === undefined && silences < 2) continue;
    if (shown === undefined) {
      print("The box starts anew. `futago update status` tells how the trial goes.\n");
      return ExitCode.done;
    }
    for (const { sentence } of shown.steps.slice(told)) print(`${printed(sentence)}\n`);
    told = shown.steps.length;
    if (shown.percent !== null && shown.percent !== percent) print(`  ${(percent = shown.percent)}%\n`);
    if (shown.failure !== null) return refuse({ exitCode: ExitCode.failed, what: shown.failure }, false);
    await new Promise((done) => setTimeout(done, LOOK_MILLIS));
  }
}

/** Undefined when the box is gone. */
async function look(stateDirectory: string): Promise<UpdateShown | undefined> {
  try {
    return await ask(stateDirectory, "updateStatus", {});
  } catch (error) {
    if (error instanceof RefusalError && error.refusal.exitCode === ExitCode.boxNotRunning) return undefined;
    throw error;
  }
}
