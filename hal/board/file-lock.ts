/** A lock that the kernel gives back by itself when its holder dies, however it dies. */
import { closeSync, openSync } from "node:fs";
import { refused } from "../addon/refused.ts";
import { calls } from "./calls.ts";

export interface FileLock {
  release(): void;
}

/** Undefined while another process holds the lock of that file. @see flock(2) */
export function lockFile(path: string): FileLock | undefined {
  return refused(() => {
    // Opened close-on-exec, so that a child does not keep the lock alive.
    const fd = openSync(path, "a", 0o600);
    if (calls.machineLock(fd) === 1) return { release: () => closeSync(fd) };
    closeSync(fd);
    return undefined;
  }, `lock ${path}`);
}
