/** `futago pair`: begins a pairing, shows the code and the digits, asks the person, and stays until it is over. */
import { createInterface } from "node:readline";
import type { CeremonyShown, Ending, PairingShown } from "../runtime/control-pairing.ts";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { json, print, refuse, said } from "./output.ts";
import {
  CONFIGURE_PAIR,
  digitsSentence,
  failureRefusal,
  IN_FULL,
  invitationSentence,
  pairedSentence,
  QUESTION,
  releasesSentence,
  renderPairing,
} from "./pair-words.ts";

type PairCommand = CommandOf<"pair">;

const LOOK_MILLIS = 250;
/** After a pairing core starts again, and the link comes up. */
const LINK_MILLIS = 20_000;
/** Core starts again three times. */
const ROTATION_MILLIS = 60_000;

export async function pair(command: PairCommand): Promise<number> {
  const { stateDirectory } = command;
  switch (command.word) {
    case "invite": {
      const { ceremony } = await ask(stateDirectory, "pairInvite", { replace: command.replace });
      tell(
        command,
        { event: "invited", code: ceremony.code },
        invitationSentence(ceremony.code ?? "", command.replace),
      );
      return follow(command);
    }
    case "join":
      await ask(stateDirectory, "pairJoin", { code: command.code, replace: command.replace });
      tell(command, { event: "joining" }, "Looking for the other box.\n");
      return follow(command);
    case "status": {
      const shown = await ask(stateDirectory, "pairing", {});
      print(command.json ? json(shown) : renderPairing(shown));
      return ExitCode.done;
    }
    case "yes":
    case "no":
      await ask(stateDirectory, "pairAnswer", { yes: command.word === "yes" });
      return said(command, command.word === "yes" ? "This box agrees." : "The pairing is over.");
    case "cancel":
      await ask(stateDirectory, "pairCancel", {});
      return said(command, "No pairing is under way any more.");
    case "rotate":
      return rotate(command);
    case "unpair":
      return unpair(command);
  }
}

/** One JSON object per line, or a sentence. */
function tell(command: PairCommand, event: Readonly<Record<string, unknown>>, sentence: string): void {
  print(command.json ? `${JSON.stringify(event)}\n` : sentence);
}

async function follow(command: PairCommand): Promise<number> {
  const { stateDirectory } = command;
  const stop = () => void ask(stateDirectory, "pairCancel", {}).finally(() => process.exit(ExitCode.failed));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const person = new Person(command);
  try {
    const before = await ask(stateDirectory, "pairing", {});
    let shown: PairingShown | undefined = before;
    for (let seenAt = performance.now(); performance.now() < seenAt + LINK_MILLIS; ) {
      if (shown?.ceremony.phase === "idle") return await end(command, before, shown);
      if (shown !== undefined) person.show(shown.ceremony);
      await pause(LOOK_MILLIS);
      shown = await whenThere(stateDirectory);
      if (shown !== undefined) seenAt = performance.now();
    }
    return refuse({ exitCode: ExitCode.boxNotRunning, what: "the box went away" }, command.json);
  } finally {
    person.leave();
  }
}

/** Whoever sits at this terminal: is shown the digits once, and answers on standard input. */
class Person {
  readonly #command: PairCommand;
  #lines: ReturnType<typeof createInterface> | undefined;

  constructor(command: PairCommand) {
    this.#command = command;
  }

  show({ digits, versions }: CeremonyShown): void {
    if (this.#lines !== undefined || digits === null || versions === null) return;
    const { stateDirectory } = this.#command;
    const releases = releasesSentence(this.#command.word === "join" ? "joiner" : "inviter", versions);
    tell(this.#command, { event: "digits", digits, versions }, `${digitsSentence(digits)}${releases}${QUESTION}`);
    this.#lines = createInterface({ input: process.stdin });
    this.#lines.on("line", (line) => {
      const word = line.trim().toLowerCase();
      if (word !== "yes" && word !== "no") return tell(this.#command, { event: "question" }, IN_FULL);
      // When it is over meanwhile, the next look tells why.
      ask(stateDirectory, "pairAnswer", { yes: word === "yes" }).catch(() => undefined);
    });
  }

  leave(): void {
    this.#lines?.close();
    // An open terminal would keep the command from ending.
    process.stdin.unref?.();
  }
}

async function end(command: PairCommand, before: PairingShown, { ceremony, trouble, pairing }: PairingShown) {
  const { last } = ceremony;
  if (last?.kind === "failed") {
    const refusal = failureRefusal(last);
    return refuse(trouble === null ? refusal : { ...refusal, what: trouble }, command.json);
  }
  // A core that was started again knows no ceremony, but the pairing that came of it.
  if (last === null && (pairing === null || pairing.since === before.pairing?.since)) {
    return refuse({ exitCode: ExitCode.failed, what: "the box was started again during the pairing" }, command.json);
  }
  return linked(command, last);
}

/** The pairing is kept; the proof of it is that the two cores link. */
async function linked(command: PairCommand, ending: Extract<Ending, { kind: "paired" }> | null): Promise<number> {
  if (ending !== null) tell(command, { event: "paired", ...ending }, pairedSentence(ending));
  const deadline = performance.now() + LINK_MILLIS;
  while (performance.now() < deadline) {
    const shown = await whenThere(command.stateDirectory);
    if (shown?.kind === "paired" && shown.linked) {
      tell(command, { event: "linked" }, "The two are linked.\n");
      return ExitCode.done;
    }
    if (shown?.kind === "paired" && shown.configuredAlone) {
      tell(command, { event: "configure" }, CONFIGURE_PAIR);
      return ExitCode.done;
    }
    await pause(LOOK_MILLIS);
  }
  const what = "this box is paired, but the link to the other one does not come up";
  const mend =
    "`futago pair status` on both: when the other one has no peer, its last word was lost; pair again with --replace.";
  return refuse({ exitCode: ExitCode.failed, what, mend }, command.json);
}

/** Core starts again after it: what is asked of the box next is asked of a box without a peer. */
async function unpair(command: PairCommand): Promise<number> {
  const { stateDirectory } = command;
  const before = await ask(stateDirectory, "pairing", {});
  const { message } = await ask(stateDirectory, "unpair", {});
  const deadline = performance.now() + LINK_MILLIS;
  while (performance.now() < deadline) {
    const shown = await whenThere(stateDirectory);
    if (shown !== undefined && shown.kind !== before.kind) break;
    await pause(LOOK_MILLIS);
  }
  return said(command, message);
}

async function rotate(command: PairCommand): Promise<number> {
  const { stateDirectory } = command;
  const { pairing: before } = await ask(stateDirectory, "pairRotate", {});
  if (process.stderr.isTTY) process.stderr.write("Changing the keys, step by step on both boxes...\n");
  const deadline = performance.now() + ROTATION_MILLIS;
  while (performance.now() < deadline) {
    await pause(LOOK_MILLIS);
    const shown = await whenThere(stateDirectory);
    const isNew = shown?.pairing?.rotating === false && shown.pairing.fingerprint !== before?.fingerprint;
    if (isNew && shown.linked) return said(command, "Both boxes have new keys and certificates.");
  }
  const what = "the change of keys did not come to its end";
  const mend = "Nothing is lost: it goes on when the two are linked. `futago pair status` shows how far it is.";
  return refuse({ exitCode: ExitCode.failed, what, mend }, command.json);
}

/** Undefined while core starts again. */
async function whenThere(stateDirectory: string): Promise<PairingShown | undefined> {
  try {
    return await ask(stateDirectory, "pairing", {});
  } catch (error) {
    if (error instanceof RefusalError && error.refusal.exitCode === ExitCode.boxNotRunning) return undefined;
    throw error;
  }
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
