/** `futago update FILE|status|stop|back`: says each step until it is over or this box starts anew, or why nothing came of it. */
import { resolve } from "node:path";
import type { PairUpdateShown, UpdateShown } from "../runtime/control-update.ts";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { answer, author, print, printed, refuse, said } from "./output.ts";
import { pairLine, renderUpdate } from "./render-update.ts";

const LOOK_MILLIS = 1_000;

export async function update(command: CommandOf<"update">): Promise<number> {
  const { stateDirectory, order, force, thisBox, wait } = command;
  switch (order.word) {
    case "status":
      return answer(command, await ask(stateDirectory, "updateStatus", {}), renderUpdate);
    case "back":
      return said(command, (await ask(stateDirectory, "updateBack", { force, author: author() })).message);
    case "stop":
      return said(command, (await ask(stateDirectory, "updateStop", { author: author() })).message);
    case "file":
  }
  const file = resolve(order.file);
  const { message } = await ask(stateDirectory, "update", { file, force, thisBox, author: author() });
  const code = said(command, message);
  return wait && !command.json ? new Follower().follow(stateDirectory) : code;
}

/** Of the pair's update, or of this box's alone: whichever goes on. */
class Follower {
  #told = 0;
  #line = "";
  #pair: string | undefined;

  async follow(stateDirectory: string): Promise<number> {
    let silences = 0;
    while (true) {
      const shown = await look(stateDirectory);
      // A slow disk can keep the box from answering once.
      silences = shown === undefined ? silences + 1 : 0;
      if (shown === undefined && silences >= 2) return this.#gone();
      const code = shown === undefined ? undefined : this.#say(shown);
      if (code !== undefined) return code;
      await new Promise((done) => setTimeout(done, LOOK_MILLIS));
    }
  }

  #gone(): number {
    const how = this.#pair === undefined ? "the trial goes" : "the pair's update goes on";
    print(
      `The box starts anew. \`futago update status\` tells how ${how}, here once it is up, and on the other box.\n`,
    );
    return ExitCode.done;
  }

  /** Undefined while it goes on. */
  #say(shown: UpdateShown): number | undefined {
    const { pair, steps, percent, failure } = shown;
    if (pair !== null && (pair.outcome === "running" || this.#pair === pair.id)) return this.#sayPair(pair);
    this.#print(steps, percent === null ? "" : `  ${percent}%`);
    return failure === null ? undefined : refuse({ exitCode: ExitCode.failed, what: failure }, false);
  }

  #sayPair(pair: PairUpdateShown): number | undefined {
    if (this.#pair !== pair.id) this.#told = 0;
    this.#pair = pair.id;
    this.#print(pair.steps, pairLine(pair));
    if (pair.outcome === "running") return undefined;
    if (pair.outcome === "done") return ExitCode.done;
    return refuse({ exitCode: ExitCode.failed, what: pair.failure ?? "the update came to nothing" }, false);
  }

  #print(steps: UpdateShown["steps"], line: string): void {
    for (const { sentence } of steps.slice(this.#told)) print(`${printed(sentence)}\n`);
    this.#told = steps.length;
    if (line !== "" && line !== this.#line) print(`${line}\n`);
    this.#line = line;
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
