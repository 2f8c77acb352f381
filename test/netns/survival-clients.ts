/** The clients of the survival tests as the test sees them: what each connection heard, and which ended and why. */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "./namespaces.ts";
import type { Dial, Order, Told } from "./survival-talk.ts";

const PROGRAM = fileURLToPath(new URL("./survival-client.ts", import.meta.url));

export class Clients {
  readonly open = new Set<number>();
  /** Why each lost connection is no more. */
  readonly lost = new Map<number, string>();
  /** Connections whose server said each word back. */
  readonly heard = new Map<string, Set<number>>();
  readonly #process: ChildProcess;

  constructor(namespace: Namespace) {
    this.#process = namespace.spawn([process.execPath, PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#process.stdout! }).on("line", (line) => this.#take(JSON.parse(line) as Told));
  }

  dial(dials: readonly Dial[]): void {
    this.#order({ kind: "dial", dials });
  }

  /** The clients speak first. */
  say(ids: readonly number[], word: string): void {
    this.#order({ kind: "say", ids, word });
  }

  /** Ends every connection at once. */
  close(): void {
    this.#process.kill("SIGKILL");
  }

  #order(order: Order): void {
    this.#process.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  #take(told: Told): void {
    switch (told.kind) {
      case "open":
        this.open.add(told.id);
        return;
      case "said":
        this.heard.set(told.word, (this.heard.get(told.word) ?? new Set()).add(told.id));
        return;
      case "lost":
        this.lost.set(told.id, told.reason);
    }
  }
}
