/** `futago factory-reset`: asks for a word that nobody types by mistake, and stays until the box is up again. */
import { createInterface } from "node:readline/promises";
import { LOST_BY_RESET, RESET_WORD } from "../console/reset-words.ts";
import type { BoxStatus } from "../runtime/control.ts";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { ask, askSupervisor } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { author, said } from "./output.ts";

const BACK_MILLIS = 30_000;
const LOOK_MILLIS = 100;

export async function factoryReset(command: CommandOf<"factoryReset">): Promise<number> {
  const { stateDirectory, force } = command;
  if (command.ask) {
    mustHaveTerminal();
    mustBePossible(await ask(stateDirectory, "status", { services: [] }));
    await askPerson();
  }
  return said(command, await resetBox(stateDirectory, force));
}

/** Resolves to what is to be said, when the box answers as a fresh one. */
export async function resetBox(stateDirectory: string, force: boolean): Promise<string> {
  const before = await corePid(stateDirectory);
  const { message } = await ask(stateDirectory, "factoryReset", { author: author(), force });
  const deadline = performance.now() + BACK_MILLIS;
  while (performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
    const pid = await corePid(stateDirectory);
    const revision = pid === before || pid === null ? undefined : await revisionNow(stateDirectory);
    if (revision === "") return message;
    if (revision !== undefined) throw notForgotten(stateDirectory);
  }
  throw new RefusalError({
    exitCode: ExitCode.failed,
    what: `the box has forgotten everything, but is not up again after ${BACK_MILLIS / 1_000} s`,
    where: stateDirectory,
    mend: "Its log on standard error tells why.",
  });
}

async function corePid(stateDirectory: string): Promise<number | null> {
  const report = await askSupervisor(stateDirectory);
  return report?.children.find(({ name }) => name === "core")?.pid ?? null;
}

/** "" on a fresh box; undefined while none answers. */
async function revisionNow(stateDirectory: string): Promise<string | undefined> {
  try {
    return (await ask(stateDirectory, "status", { services: [] })).revision;
  } catch (error) {
    if (error instanceof RefusalError && error.refusal.exitCode === ExitCode.boxNotRunning) return undefined;
    throw error;
  }
}

function notForgotten(where: string): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.failed,
    what: "the disk refused to forget, and the box is what it was",
    where,
    mend: "Look at the disk. The box tries again when it is started the next time.",
  });
}

/** What the box itself would refuse after the person has typed the word. */
export function mustBePossible({ groups, peer }: Pick<BoxStatus, "groups" | "peer">): void {
  const active = groups.some(({ state }) => state === "active");
  if (!active || peer === null || peer.alive) return;
  throw new RefusalError({
    exitCode: ExitCode.peerNeeded,
    what: "this box is active, and no peer can take over: the other box is not there",
    mend: "--force resets this box all the same, and with it the service ends.",
  });
}

function mustHaveTerminal(): void {
  if (process.stdin.isTTY) return;
  throw new RefusalError({
    exitCode: ExitCode.usage,
    what: "there is no terminal to ask whether this box may forget everything",
    mend: "Say --yes, or give the command at a terminal.",
  });
}

async function askPerson(): Promise<void> {
  process.stderr.write(`${LOST_BY_RESET.join("\n")}\n`);
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const gone = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  const typed = await Promise.race([lines.question(`Type ${RESET_WORD} to go on: `), gone]);
  lines.close();
  if (typed.trim() === RESET_WORD) return;
  throw new RefusalError({
    exitCode: ExitCode.failed,
    what: "the word was another one, so nothing was done",
    mend: `It is ${RESET_WORD}, in capital letters.`,
  });
}
