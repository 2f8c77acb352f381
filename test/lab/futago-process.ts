/** Starting Futago in a namespace, exactly as a person would, and waiting for its word that it is ready. */
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, createWriteStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../netns/namespaces.ts";
import { monotonicMicros } from "./prober.ts";
import type { Box } from "./topology.ts";

export const FUTAGO = fileURLToPath(new URL("../../firmware/bin/futago", import.meta.url));
const READY_MILLIS_MAX = 30_000;
const TAIL_LINES = 40;

/** What both boxes of a pair are given. */
export interface PairFiles {
  readonly document: string;
  readonly pairKey: string;
}

/** Writes the configuration document and a fresh pair key into a directory. */
export function writePairFiles(directory: string, document: unknown): PairFiles {
  const files = { document: join(directory, "pair.json"), pairKey: join(directory, "pair.key") };
  writeDocument(files, document);
  writeFileSync(files.pairKey, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
  return files;
}

/** Puts another configuration in the place of the one before. */
export function writeDocument(files: PairFiles, document: unknown): void {
  writeFileSync(files.document, `${JSON.stringify(document, undefined, 2)}\n`);
}

export interface FutagoOptions {
  /** Undefined: it is told nothing, not even which box of a pair it is. */
  readonly files: PairFiles | undefined;
  readonly box: Box;
  readonly state: string;
  /** Where standard error goes. */
  readonly log: string;
  /** Where its web UI is to listen, as --web has it; left out, nowhere. */
  readonly web?: string;
  /** The socket of an updater; left out, the box has no slots. */
  readonly updater?: string | undefined;
}

export interface StartedFutago {
  readonly child: ChildProcess;
  /** Milliseconds from the start until the box said that it was ready; rejects with the end of its log. */
  readonly ready: Promise<number>;
}

export function startFutago(namespace: Namespace, options: FutagoOptions): StartedFutago {
  const { files } = options;
  const given =
    files === undefined ? [] : ["--box", options.box, "--import", files.document, "--pair-key", files.pairKey];
  const web = options.web === undefined ? [] : ["--web", options.web];
  const updater = options.updater === undefined ? [] : ["--updater", options.updater];
  const startedAt = monotonicMicros();
  const argv = [FUTAGO, "run", "--state", options.state, ...given, ...web, ...updater];
  const child = namespace.spawn(argv, { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr?.pipe(createWriteStream(options.log, { flags: "a" }));
  return { child, ready: untilReady(child, options).then((at) => (at - startedAt) / 1_000) };
}

/** The last lines of a log; nothing when the box was never started. */
export function logTail(path: string, lines: number): string {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

function untilReady(child: ChildProcess, { box, log }: FutagoOptions): Promise<number> {
  const { stdout } = child;
  if (stdout === null) throw new Error("the box has no standard output");
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`box ${box} ${why}\n${logTail(log, TAIL_LINES)}`));
    const timer = setTimeout(() => fail(`was not ready after ${READY_MILLIS_MAX} ms`), READY_MILLIS_MAX);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      fail(`ended at its start (${code ?? signal})`);
    });
    createInterface({ input: stdout }).on("line", (line) => {
      appendFileSync(log, `${line}\n`);
      if (line !== '{"event":"ready"}') return;
      clearTimeout(timer);
      resolve(monotonicMicros());
    });
  });
}
