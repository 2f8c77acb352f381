/** Files and directories: those that somebody names are made, or said in words why they cannot be had; put on the disk. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { ExitCode, RefusalError } from "./exit-code.ts";

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is none",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of its path is a file and no directory",
  EEXIST: "there is a file of that name",
  EACCES: "this user may not",
  EPERM: "this user may not",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full",
  ENAMETOOLONG: "its name is too long",
  EIO: "the disk has an error",
};

/** "there is none (ENOENT)": why the file system refused, for whoever named the file. */
export function fileTrouble(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  const words = WORDS[code];
  return words === undefined ? code : `${words} (${code})`;
}

/** Throws RefusalError where it cannot be made. */
export function makeStateDirectory(path: string): void {
  try {
    makeDirectory(path);
  } catch (error) {
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what: `the state directory cannot be made: ${fileTrouble(error)}`,
      where: path,
      mend: "Choose another one with --state.",
    });
  }
}

/** With those above it. Node's own `recursive` never ends where the kernel lets nobody make anything, as in /proc. */
export function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (!existsSync(dirname(path))) makeDirectory(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** The names in it are on the disk when it returns. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Only root may read it. The former file or the new one is there, whenever the power goes. */
export function writeWhole(path: string, text: string): void {
  const aside = `${path}.new`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Left by a box that lost its power; it may have another mode.
  rmSync(aside, { force: true });
  const file = openSync(aside, "wx", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
}
