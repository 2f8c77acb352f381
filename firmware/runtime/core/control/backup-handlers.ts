/** What the control socket's methods about backups do. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Hal } from "@futago/hal/contract/hal.ts";
import { type Backup, backupFacts, backupFrom, backupText, readBackup } from "../../backup/backup.ts";
import { SEALED_BYTES_MAX } from "../../backup/container.ts";
import { makeBackup } from "../../backup/make.ts";
import { accepted, type Fitted, fitted, pairingFor, putDown, refuseTwin } from "../../backup/restore.ts";
import { notUnsealed } from "../../backup/seal-refusals.ts";
import { sealAside, unsealAside } from "../../backup/sealing.ts";
import type { BackupMethods, Restored, RestoreWish, SealedWish } from "../../control-backup.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { localTime } from "../../local-time.ts";
import { foundBackupFiles } from "../../machine-system.ts";
import { readPairing } from "../../pairing-file.ts";
import { JsonInPieces, objectInPieces } from "../../json-pieces.ts";
import type { Commits } from "../commit/commits.ts";
import type { Configuration } from "../configuration.ts";
import type { Standing } from "../pairing/standing.ts";
import { NO_CONFIGURATION } from "../sentences.ts";
import type { ControlHandlers } from "./control-server.ts";
import { badParameter } from "./handlers.ts";

export interface BackupHandlersOptions {
  readonly stateDirectory: string;
  readonly configuration: Configuration;
  readonly commits: Commits;
  readonly standing: Standing;
  readonly devices: () => Promise<readonly string[]>;
  readonly restart: (reason: string) => void;
  readonly hal: Pick<Hal, "frames" | "network">;
}

const AUTHOR_LENGTH_MAX = 64;
const PASSPHRASE_LENGTH_MAX = 1_024;
/** Whoever asked is told first. */
const TOLD_MILLIS = 500;

export function backupHandlers(options: BackupHandlersOptions): Pick<ControlHandlers, keyof BackupMethods> {
  return {
    backup: async () => {
      const backup = await taken(options);
      return new JsonInPieces(objectInPieces({ facts: backupFacts(backup) }, "document", [backup.head.text]));
    },
    backupSealed: async ({ passphrase }) => {
      const backup = await taken(options);
      const { head, letter } = backup;
      const sealed = await sealAside(backupText(backupFacts(backup), head.text), checkedPassphrase(passphrase));
      return { file: Buffer.from(sealed).toString("base64"), revision: head.id, letter: letter ?? null };
    },
    restore: (wish) => restore(options, checkedWish(wish)),
    restoreSealed: async (wish) => restore(options, checkedWish(await opened(wish))),
    stickFiles: () => ({ files: onStick(options).map((path) => basename(path)) }),
    restoreStick: async ({ name, ...wish }) => {
      const file = fileOfStick(options, name);
      return restore(options, checkedWish(await opened({ ...wish, file })));
    },
  };
}

async function taken({ standing, stateDirectory, devices, configuration }: BackupHandlersOptions): Promise<Backup> {
  // As it is now: keys are changed while the box runs.
  const pairing = standing.kind === "key" ? undefined : readPairing(stateDirectory);
  const origin = { letter: standing.box, devices: await devices(), pairing };
  const backup = await makeBackup(configuration.store, origin);
  if (backup === undefined) throw new RefusalError({ exitCode: ExitCode.failed, what: NO_CONFIGURATION });
  return backup;
}

function onStick({ configuration }: BackupHandlersOptions): readonly string[] {
  return configuration.inForce === undefined ? foundBackupFiles() : [];
}

/** As base64. */
function fileOfStick(options: BackupHandlersOptions, name: string): string {
  const path = onStick(options).find((one) => basename(one) === name);
  try {
    if (path !== undefined) return readFileSync(path, "base64");
  } catch (error) {
    // A stick that was pulled and put back has its files taken anew meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  throw new RefusalError({
    exitCode: ExitCode.failed,
    reason: "noFile",
    what: "no such backup file was found on a USB stick",
    mend: "Put the stick in again: a box looks at it while it has no configuration.",
  });
}

async function opened({ file, passphrase, ...rest }: SealedWish): Promise<RestoreWish> {
  if (typeof file !== "string") throw badParameter("file is base64");
  const sealed = Buffer.from(file, "base64");
  if (sealed.length > SEALED_BYTES_MAX) throw notUnsealed("tooLarge", "");
  const unsealed = await unsealAside(sealed, checkedPassphrase(passphrase));
  if (!unsealed.ok) throw notUnsealed(unsealed.reason, "");
  const found = accepted(readBackup(unsealed.text), "");
  return { ...rest, facts: backupFacts(found), document: found.head.text };
}

function checkedPassphrase(passphrase: string): string {
  if (typeof passphrase !== "string" || passphrase === "" || passphrase.length > PASSPHRASE_LENGTH_MAX)
    throw badParameter(`passphrase is a text of at most ${PASSPHRASE_LENGTH_MAX} characters`);
  return passphrase;
}

async function restore(options: BackupHandlersOptions, wish: RestoreWish): Promise<Restored> {
  const { stateDirectory, configuration, commits, standing, devices } = options;
  const { author } = wish;
  const backup = accepted(backupFrom(wish.facts, wish.document), "");
  const isBare = configuration.inForce === undefined && (standing.kind === "alone" || standing.kind === "key");
  if (isBare && standing.box !== undefined && backup.letter !== undefined && standing.box !== backup.letter)
    throw otherBox(standing.box, backup.letter);
  const letter = standing.box ?? backup.letter;
  const map = new Map(Object.entries(wish.map));
  const fit = await fitted(backup, { letter, devices: await devices(), map });
  if (!isBare) return commitOnly(commits, fit, { author, made: backup.made, letter: standing.box ?? null });
  const pairing = standing.kind === "alone" ? pairingFor(backup.pairing, map) : undefined;
  if (fit.ofPair && standing.kind === "alone" && pairing === undefined) throw keyIsMissing(backup.letter);
  if (wish.force !== true) await refuseTwin(options.hal, fit, letter);
  const { text } = fit;
  const revision = await putDown(backup, { store: configuration.store, stateDirectory, pairing, text, author });
  setTimeout(() => options.restart("restored"), TOLD_MILLIS);
  return { revision, letter: letter ?? null, whole: true, remarks: [] };
}

async function commitOnly(
  commits: Commits,
  { text }: Fitted,
  { author, made, letter }: { readonly author: string; readonly made: string; readonly letter: Restored["letter"] },
): Promise<Restored> {
  const comment = `restored from a backup of ${localTime(made) ?? made}`;
  const wish = { document: text, base: undefined, author, comment, confirmSeconds: undefined };
  const { revision, remarks } = await commits.commit(wish);
  return { revision, letter, whole: false, remarks };
}

function checkedWish(wish: RestoreWish): RestoreWish {
  const { facts, document, map, author, force = false } = wish;
  if (typeof document !== "string") throw badParameter("document is a text");
  if (typeof author !== "string" || author === "") throw badParameter("author is a name");
  const isMap =
    typeof map === "object" &&
    (map as object | null) !== null &&
    Object.values(map).every((name) => typeof name === "string");
  if (!isMap) throw badParameter("map names devices");
  if (typeof force !== "boolean") throw badParameter("force is true or false");
  return { facts, document, map, author: author.slice(0, AUTHOR_LENGTH_MAX), force };
}

function otherBox(here: string, there: string): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.conflict,
    what: `this box was started as ${here}, and the backup is of box ${there}`,
    mend: `Start it with --box ${there}, or without --box where the backup holds the pairing.`,
  });
}

function keyIsMissing(letter: string | undefined): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.usage,
    what: "the backup is of a pair that was made by --pair-key, and the key is not in it",
    mend: `Start the box with the same --pair-key and --box ${letter ?? "a|b"}, then restore.`,
  });
}
