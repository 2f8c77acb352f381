/**
 * Makes a state directory that of a box out of its carton. The order is a file, which goes last: whenever the power goes,
 * all is there yet, or the next start of the box finishes it.
 */
import { closeSync, existsSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, RefusalError } from "./exit-code.ts";
import { fileTrouble, syncDirectory } from "./files.ts";
import { COPY_FILE, DATABASE_FILE, PAIRING_FILE } from "./state-files.ts";

const ORDER_FILE = "factory-reset";
/** With what a damaged one was moved to, what SQLite keeps beside it, and what was being written. */
const FORGOTTEN = [DATABASE_FILE, COPY_FILE, PAIRING_FILE];

/** On the disk when it returns. Throws RefusalError with what the disk says. */
export function orderReset(directory: string): void {
  saying(directory, "the disk refuses the order to forget everything", () => {
    closeSync(openSync(join(directory, ORDER_FILE), "w", 0o600));
    syncDirectory(directory);
  });
}

/** False where none is ordered. No process may be using the directory. Throws RefusalError with what the disk says. */
export function finishReset(directory: string): boolean {
  const order = join(directory, ORDER_FILE);
  if (!existsSync(order)) return false;
  saying(directory, "the disk refuses to forget what was ordered to be forgotten", () => {
    const names = readdirSync(directory).filter((name) => FORGOTTEN.some((file) => name.startsWith(file)));
    for (const name of names) rmSync(join(directory, name), { force: true });
    syncDirectory(directory);
    rmSync(order);
    syncDirectory(directory);
  });
  return true;
}

function saying(where: string, what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what: `${what}: ${fileTrouble(error)}`,
      where,
      mend: "Look at the disk and say it again.",
    });
  }
}
