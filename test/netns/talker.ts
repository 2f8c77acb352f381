/** Connections that stay: orders to `test/xdp/peer.ts talk`, each with its answer. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Namespace } from "./namespaces.ts";

export interface Answer {
  readonly id: number;
  readonly greeting?: string;
  readonly error?: string;
  readonly echoed?: number;
  readonly right?: boolean;
}

const ANSWER_MILLIS_MAX = 10_000;

export class Talker {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  constructor(namespace: Namespace, argv: readonly string[]) {
    this.#child = namespace.spawn(argv, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      const answer = JSON.parse(line) as Answer;
      this.#waiting.get(answer.id)?.(answer);
    });
  }

  /** The name of the server that greets, or the errno. */
  async open(id: number): Promise<string> {
    const { greeting, error } = await this.#order({ id, open: true });
    return greeting ?? error ?? "";
  }

  /** Sends ten bytes and waits for them: "right", "wrong", or the errno. */
  async speak(id: number): Promise<string> {
    const { error, right } = await this.#order({ id, send: 10 });
    return error ?? (right === true ? "right" : "wrong");
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }

  #order(order: { readonly id: number; readonly open?: true; readonly send?: number }): Promise<Answer> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve({ id: order.id, error: "silence" }), ANSWER_MILLIS_MAX);
      this.#waiting.set(order.id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    });
  }
}
