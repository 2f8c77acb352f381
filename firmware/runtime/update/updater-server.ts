/** The updater's socket: changes are made one after the other, whoever asks for them; it ends when nobody has asked for a while. */
import { createServer, type Server, type Socket } from "node:net";
import { LineReader, parseObject } from "../line-reader.ts";
import { type Progress, UPDATER_LINE_BYTES_MAX, type UpdaterMethods, type UpdaterReply } from "./protocol.ts";
import { type Updater, UpdaterError } from "./updater.ts";

type Work = (params: Readonly<Record<string, unknown>>, onProgress: (progress: Progress) => void) => unknown;

/** They change nothing, and are answered while a bundle is being written. */
const LOOKS: ReadonlySet<string> = new Set(["state", "health", "inspect"]);

export interface UpdaterServerOptions {
  readonly updater: Updater;
  /** A socket that systemd opened, or a path. */
  readonly listen: { readonly fd: number } | { readonly path: string };
  readonly idleMillis: number;
  readonly onIdle: () => void;
  /** Our own fault, or a machine that refused. */
  readonly onFault: (method: string, error: unknown) => void;
}

export class UpdaterServer {
  readonly #options: UpdaterServerOptions;
  readonly #works: Readonly<Record<keyof UpdaterMethods, Work>>;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #turn: Promise<void> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  constructor(options: UpdaterServerOptions) {
    this.#options = options;
    this.#works = worksOf(options.updater);
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.listen(options.listen);
    this.#wait();
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #serve(socket: Socket): void {
    clearTimeout(this.#idle);
    this.#open.add(socket);
    const lines = new LineReader(UPDATER_LINE_BYTES_MAX);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#open.delete(socket);
      this.#wait();
    });
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#take(socket, line);
      if (lines.overflow) socket.destroy();
    });
  }

  #wait(): void {
    clearTimeout(this.#idle);
    if (this.#open.size > 0) return;
    this.#idle = setTimeout(() => void this.#turn.then(() => this.#end()), this.#options.idleMillis);
  }

  #end(): void {
    if (this.#open.size === 0) this.#options.onIdle();
  }

  #take(socket: Socket, line: string): void {
    const { id, method, params } = parseObject(line) ?? {};
    const name = typeof method === "string" && Object.hasOwn(this.#works, method) ? method : undefined;
    if (typeof id !== "number" || name === undefined) return void socket.destroy();
    const say = (reply: UpdaterReply) => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
    };
    const work = this.#works[name as keyof UpdaterMethods];
    const given = (typeof params === "object" && params !== null ? params : {}) as Record<string, unknown>;
    const carryOut = async () => {
      try {
        say({ id, result: await work(given, (progress) => say({ id, progress })) });
      } catch (error) {
        say({ id, error: this.#refusalOf(name, error) });
      }
    };
    if (LOOKS.has(name)) void carryOut();
    else this.#turn = this.#inTurn(this.#turn, carryOut);
  }

  async #inTurn(before: Promise<void>, act: () => Promise<void>): Promise<void> {
    await before;
    await act();
  }

  #refusalOf(method: string, error: unknown) {
    if (error instanceof UpdaterError) return error.refusal;
    this.#options.onFault(method, error);
    const what = `the updater failed: ${error instanceof Error ? error.message : String(error)}`;
    return { reason: "failed", what, mend: "`journalctl -u futago-updater` says more." };
  }
}

function worksOf(updater: Updater): Readonly<Record<keyof UpdaterMethods, Work>> {
  return {
    state: () => updater.state(),
    health: () => updater.health(),
    inspect: ({ file }) => updater.inspect(String(file)),
    install: ({ file }, onProgress) => updater.install(String(file), onProgress),
    beginTrial: () => updater.beginTrial(),
    endTrial: () => updater.endTrial(),
    markGood: () => updater.markGood(),
    markBad: () => updater.markBad(),
    settle: () => updater.settle(),
  };
}
