/** The janitor as the lab sees it: a process of its own session that sweeps once its standard input ends. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Janitor {
  /** Where everything goes that must not outlive the lab. */
  readonly directory: string;
  /** Sweeps now; resolves when all is gone. */
  sweep(): Promise<void>;
}

export function startJanitor(prefix: string): Janitor {
  const directory = mkdtempSync(join(tmpdir(), "futago-lab-"));
  const script = fileURLToPath(new URL("janitor.ts", import.meta.url));
  const child = spawn(process.execPath, [script, prefix, directory], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`the janitor failed: exit ${code}`))));
  });
  return {
    directory,
    sweep: () => {
      child.stdin.end();
      return ended;
    },
  };
}
