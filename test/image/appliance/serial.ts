/** A machine's serial line: everything it said, and what a person would type. */
import { createConnection, type Socket } from "node:net";

// oxlint-disable-next-line no-control-regex -- what a terminal is told besides words.
const ESCAPES = /\u001b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[c78=>])/g;
const CONNECT_TRIES = 100;
const CONNECT_MILLIS = 100;
const SHOWN_CHARS = 2_000;

export class Serial {
  readonly #socket: Socket;
  readonly #watchers = new Set<() => void>();
  /** As it came, escape sequences and all. */
  raw = "";
  #from = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.raw += text;
      for (const look of this.#watchers) look();
    });
    // The machine was switched off; whoever waits for words runs into the time limit and says for which.
    socket.on("error", () => undefined);
  }

  static async connect(path: string): Promise<Serial> {
    return new Serial(await connected(path));
  }

  /** All words since the machine was switched on. */
  get text(): string {
    return plain(this.raw);
  }

  /** Words that come after now are looked for by the next {@link expect}. */
  skip(): void {
    this.#from = this.text.length;
  }

  /** Waits for words that came since the last find, and goes on after them. */
  async expect(wanted: RegExp | string, limitMillis: number): Promise<RegExpExecArray> {
    const find = () => found(this.text.slice(this.#from), wanted);
    return await new Promise((resolve, reject) => {
      const look = () => {
        const words = find();
        if (words === null) return;
        done();
        this.#from += words.index + words[0].length;
        resolve(words);
      };
      const limit = setTimeout(() => {
        done();
        reject(new Error(`no ${wanted} on the serial line in ${limitMillis} ms; the last it said:\n${this.#tail()}`));
      }, limitMillis);
      const done = () => {
        clearTimeout(limit);
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  close(): void {
    this.#socket.destroy();
  }

  #tail(): string {
    return this.text.slice(-SHOWN_CHARS);
  }
}

function found(text: string, wanted: RegExp | string): RegExpExecArray | null {
  if (typeof wanted !== "string") return wanted.exec(text);
  const index = text.indexOf(wanted);
  return index === -1 ? null : Object.assign([wanted] as [string], { index, input: text });
}

function plain(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8").replaceAll(ESCAPES, "").replaceAll("\r", "");
}

/** QEMU makes its sockets a moment after its start, one after the other. */
export async function connected(path: string): Promise<Socket> {
  for (let tried = 1; ; tried++) {
    try {
      return await connect(path);
    } catch (error) {
      if (tried === CONNECT_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, CONNECT_MILLIS));
    }
  }
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
