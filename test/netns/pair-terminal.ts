/** `futago pair …` with a person before it. */
import type { ChildProcess } from "node:child_process";
import { vi } from "vitest";
import type { Namespace } from "./namespaces.ts";
import { FUTAGO } from "./running-box.ts";

export class PairTerminal {
  readonly #process: ChildProcess;
  /** Emulated processors take longer. */
  patienceMillis = 20_000;
  #out = "";
  #errors = "";

  constructor(namespace: Namespace, state: string, ...argv: string[]) {
    const all = [FUTAGO, "pair", ...argv, "--state", state];
    this.#process = namespace.spawn(all, { stdio: ["pipe", "pipe", "pipe"] });
    this.#process.stdout?.on("data", (chunk: Buffer) => (this.#out += chunk.toString()));
    this.#process.stderr?.on("data", (chunk: Buffer) => (this.#errors += chunk.toString()));
  }

  /** Waits until the pattern is there and returns what is in its parentheses. */
  async reads(pattern: RegExp): Promise<string> {
    await vi.waitUntil(() => pattern.test(this.#out) || this.#process.exitCode !== null, {
      timeout: this.patienceMillis,
    });
    const found = pattern.exec(this.#out)?.[1];
    if (found === undefined) throw new Error(`${pattern} is not in\n${this.#out}${this.#errors}`);
    return found;
  }

  /** What it wrote to standard output so far. */
  get out(): string {
    return this.#out;
  }

  code = () => this.reads(/The code is (\S+)\. /);
  digits = () => this.reads(/This box shows (\d{3} \d{3})\.\n/);

  says(text: string): void {
    this.#process.stdin?.write(`${text}\n`);
  }

  /** The exit code, then what it wrote. */
  async ended(): Promise<readonly [code: number | null, out: string]> {
    await vi.waitUntil(() => this.#process.exitCode !== null, { timeout: 2 * this.patienceMillis });
    return [this.#process.exitCode, this.#out + this.#errors];
  }
}
