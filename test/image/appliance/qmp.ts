/** QEMU's own control line: buttons, cables, the end of a machine. @see QEMU docs/interop/qmp-spec.rst */
import type { Socket } from "node:net";
import { connected } from "./serial.ts";

interface Answer {
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
}

export class Qmp {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly events: string[] = [];
  #text = "";
  #newest = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the machine is off"));
      this.#waiting.clear();
    });
  }

  static async connect(path: string): Promise<Qmp> {
    const qmp = new Qmp(await connected(path));
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  async execute(command: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = ++this.#newest;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters, id })}\n`);
    });
  }

  /** Asks the human monitor, for what QMP has no words for. */
  async monitor(line: string): Promise<string> {
    return String(await this.execute("human-monitor-command", { "command-line": line }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#text + text).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const answer = JSON.parse(line) as Answer;
      if (answer.event !== undefined) this.events.push(answer.event);
      const waiting = answer.id === undefined ? undefined : this.#waiting.get(answer.id);
      if (answer.id === undefined || waiting === undefined) continue;
      this.#waiting.delete(answer.id);
      if (answer.error === undefined) waiting.resolve(answer.return);
      else waiting.reject(new Error(`QEMU: ${answer.error.desc}`));
    }
  }
}
