/** A whole box, started in a namespace as a person would, with everything it says kept. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import type { Namespace } from "./namespaces.ts";

export const FUTAGO = fileURLToPath(new URL("../../firmware/bin/futago", import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningBox {
  readonly process: ChildProcess;
  readonly state: string;
  /** Everything it wrote so far. */
  stdout(): string;
  stderr(): string;
  /** Rejects with the log when the box ends instead. Resolves to the milliseconds it took. */
  ready(timeoutMillis?: number): Promise<number>;
  ended(): Promise<Ended>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<Ended>;
  /** A command of the command line about this box. */
  futago(...argv: string[]): Promise<Ended>;
  status(): Promise<BoxStatus>;
  /** The process that runs NAME's `main.ts`; 0 while there is none. */
  pid(name: "core" | "sentinel" | "web"): number;
}

export class Boxes {
  readonly directory = mkdtempSync(join(tmpdir(), "futago-box-"));
  readonly #running = new Set<RunningBox>();

  /** Writes a file beside the state directories and returns its path. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  document(name: string, document: unknown): string {
    return this.file(name, JSON.stringify(document));
  }

  state(name = "state"): string {
    return join(this.directory, name);
  }

  start(namespace: Namespace, state: string, ...argv: string[]): RunningBox {
    const child = namespace.spawn([FUTAGO, "run", "--state", state, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    const box = watch(child, namespace, state);
    this.#running.add(box);
    void box.ended().then(() => this.#running.delete(box));
    return box;
  }

  /** Ends what still runs and removes every file. A BPF file system that a killed box left is unmounted. */
  async destroy(namespaces: readonly Namespace[]): Promise<void> {
    for (const box of this.#running) {
      box.process.kill("SIGKILL");
      await box.ended();
    }
    for (const { mount } of mounts(this.directory)) {
      for (const namespace of namespaces.slice(0, 1)) await namespace.tryRun(["umount", "-l", mount]);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The BPF file systems below a directory. */
export function mounts(directory: string): readonly { readonly mount: string }[] {
  const lines = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return lines
    .map((line) => ({ mount: line.split(" ")[1] ?? "", kind: line.split(" ")[2] }))
    .filter(({ mount, kind }) => kind === "bpf" && mount.startsWith(directory));
}

function watch(child: ChildProcess, namespace: Namespace, state: string): RunningBox {
  let stdout = "";
  let stderr = "";
  const startedAt = performance.now();
  const listeners = new Set<() => void>();
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const listener of listeners) listener();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  const futago = (...argv: string[]) => namespace.tryRun([FUTAGO, ...argv, "--state", state]);
  return {
    process: child,
    state,
    stdout: () => stdout,
    stderr: () => stderr,
    ready: (timeoutMillis = 10_000) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`the box was not ready in time\n${stderr}`)), timeoutMillis);
        const look = () => {
          if (!stdout.includes('{"event":"ready"}\n')) return;
          clearTimeout(late);
          resolve(performance.now() - startedAt);
        };
        listeners.add(look);
        look();
        void ended.then(({ code }) => reject(new Error(`the box ended with exit code ${code}\n${stderr}`)));
      }),
    ended: () => ended,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
    futago,
    status: async () => JSON.parse((await futago("status", "--json")).stdout) as BoxStatus,
    pid: (name) => findPid(state, name === "web" ? "webui/api/main.ts" : `runtime/${name}/main.ts`),
  };
}

/** 0: there is none. */
export function findPid(state: string, script: string): number {
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const words = commandLine(name);
    if (words.some((word) => word.endsWith(script)) && words.includes(state)) return Number(name);
  }
  return 0;
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It ended while we looked.
    return [];
  }
}
