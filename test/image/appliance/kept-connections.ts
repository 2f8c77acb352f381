/** TCP connections of a client to a web server, kept open by a process in the client's namespace. */
import type { ChildProcess } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../../netns/namespaces.ts";

const PROGRAM = fileURLToPath(new URL("keep-connections.ts", import.meta.url));

export interface Kept {
  /** Connections on which "200" came back. */
  readonly answered: number;
  /** Connections that are gone. */
  readonly ended: number;
}

export class KeptConnections {
  readonly #process: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess) {
    this.#process = child;
    if (child.stdout === null) throw new Error("the process has no output");
    this.#lines = createInterface({ input: child.stdout });
  }

  static async open(client: Namespace, address: string, count: number): Promise<KeptConnections> {
    const argv = [process.execPath, PROGRAM, address, String(count)];
    const kept = new KeptConnections(client.spawn(argv, { stdio: ["pipe", "pipe", "inherit"] }));
    await kept.#line();
    return kept;
  }

  /** Asks for a page on each of them, as far as they are there. */
  async ask(): Promise<Kept> {
    const line = this.#line();
    this.#process.stdin?.write("ask\n");
    return JSON.parse(await line) as Kept;
  }

  close(): void {
    this.#process.stdin?.end();
  }

  #line(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#lines.once("line", resolve);
      this.#process.once("exit", (code) => reject(new Error(`the client ended with ${code}`)));
    });
  }
}
