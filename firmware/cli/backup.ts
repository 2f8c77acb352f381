/** `futago backup` and `futago restore`: the file and its passphrase stay here, the box gets what is in it. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { backupFacts, backupText, readBackup } from "../runtime/backup/backup.ts";
import { refusedAtSight, seal, SEALED_BYTES_MAX, unseal } from "../runtime/backup/container.ts";
import { notUnsealed } from "../runtime/backup/seal-refusals.ts";
import { accepted } from "../runtime/backup/restore.ts";
import type { BackupShown, Restored } from "../runtime/control-backup.ts";
import { canonicalJson } from "../config/canonical.ts";
import { ExitCode, RefusalError } from "../runtime/exit-code.ts";
import { ask } from "./client.ts";
import type { CommandOf } from "./command.ts";
import { answer, author } from "./output.ts";
import { knownPassphrase, newPassphrase } from "./passphrase.ts";
import { fileTrouble } from "../runtime/files.ts";

/** Core starts again, and its link to the peer comes up after that. */
const BACK_MILLIS = 30_000;
const LOOK_MILLIS = 250;

export async function backup(command: CommandOf<"backup">): Promise<number> {
  if (!command.force && existsSync(command.file)) throw isThere(command.file);
  const { facts, document } = await taken(command.stateDirectory);
  const passphrase = await newPassphrase(command);
  writeWhole(command.file, await seal(backupText(facts, canonicalJson(document)), passphrase));
  const { id } = facts["revision"] as { readonly id: string };
  const done = { file: command.file, revision: id, letter: facts["letter"] as string | null };
  return answer(command, done, ({ file, revision, letter }) => {
    const box = letter === null ? "this box" : `box ${letter}`;
    return `Revision ${revision.slice(0, 16)} of ${box} is in ${file}. Nobody can read it without the passphrase.\n`;
  });
}

export async function restore(command: CommandOf<"restore">): Promise<number> {
  const { stateDirectory, file } = command;
  const sealed = readSealed(file);
  const unsealed = await unseal(sealed, await knownPassphrase(command));
  if (!unsealed.ok) throw notUnsealed(unsealed.reason, file);
  const found = accepted(readBackup(unsealed.text), file);
  const { text: document } = found.head;
  const wish = { facts: backupFacts(found), document, map: command.map, author: author(), force: command.force };
  const running = await ifRunning(() => ask(stateDirectory, "restore", wish));
  if (running !== undefined) {
    if (running.whole) await untilBack(stateDirectory, running.revision);
    return answer(command, running, renderRestored);
  }
  // Loaded only here: it opens the machine.
  const { restoreHere } = await import("../runtime/backup/main.ts");
  const { replace, force } = command;
  const map = new Map(Object.entries(command.map));
  return answer(
    command,
    await restoreHere(stateDirectory, { backup: found, map, author: author(), replace, force }),
    renderRestored,
  );
}

function renderRestored({ revision, letter, whole, remarks }: Restored): string {
  const box = letter === null ? "This box" : `This box is ${letter} and`;
  const what = whole
    ? `${box} has revision ${revision.slice(0, 16)} of the backup.`
    : `The backup's configuration is in force as revision ${revision.slice(0, 16)}; letter and peer are as they were.`;
  return `${[what, ...remarks].join(" ")}\n`;
}

async function taken(stateDirectory: string): Promise<BackupShown> {
  const running = await ifRunning(() => ask(stateDirectory, "backup", {}));
  if (running !== undefined) return running;
  const { backUpHere } = await import("../runtime/backup/main.ts");
  const here = await backUpHere(stateDirectory);
  if (here === undefined) return ask(stateDirectory, "backup", {});
  return { facts: backupFacts(here), document: JSON.parse(here.head.text) as unknown };
}

/** Undefined when no box runs there. */
async function ifRunning<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof RefusalError && error.refusal.exitCode === ExitCode.boxNotRunning) return undefined;
    throw error;
  }
}

async function untilBack(stateDirectory: string, revision: string): Promise<void> {
  const deadline = performance.now() + BACK_MILLIS;
  while (performance.now() < deadline) {
    const status = await ifRunning(() => ask(stateDirectory, "status", { services: [] }));
    // While it starts again the former core has the revision too, but nothing in force.
    if (status?.revision === revision) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
  }
  throw new RefusalError({
    exitCode: ExitCode.failed,
    what: `the backup was put down, but the box has not taken it in ${BACK_MILLIS / 1_000} s`,
    where: stateDirectory,
    mend: "`futago show log` tells why.",
  });
}

function readSealed(file: string): Uint8Array {
  let sealed: Uint8Array;
  try {
    const { size } = statSync(file);
    if (size > SEALED_BYTES_MAX) throw notUnsealed("tooLarge", file);
    sealed = readFileSync(file);
  } catch (error) {
    if (error instanceof RefusalError) throw error;
    throw trouble("the backup cannot be read", file, error);
  }
  const refused = refusedAtSight(sealed);
  if (refused !== undefined) throw notUnsealed(refused, file);
  return sealed;
}

function isThere(where: string): RefusalError {
  const what = "there is a file of that name, which may be the only backup of something";
  return new RefusalError({ exitCode: ExitCode.conflict, what, where, mend: "Name another one, or say --force." });
}

/** A file of that name stays as it is until the new one is whole on the disk. */
function writeWhole(file: string, bytes: Uint8Array): void {
  const aside = `${file}.new`;
  try {
    rmSync(aside, { force: true });
    const descriptor = openSync(aside, "wx", 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw trouble("the backup cannot be written", file, error);
  }
}

function trouble(what: string, where: string, error: unknown): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.failed,
    what: `${what}: ${fileTrouble(error)}`,
    where,
    mend: "Name another file, or mend that.",
  });
}
