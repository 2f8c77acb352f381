/** Reading and writing the one-value files of sysfs and /proc/sys. */
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";

/** The content without the final line feed. */
export function readAttribute(path: string): string {
  return readFileSync(path, "utf8").replace(/\n$/, "");
}

/** Writes in one write(2), as the kernel asks; a file that is not there is an error and is never made. */
export function writeAttribute(path: string, value: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_TRUNC);
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}
