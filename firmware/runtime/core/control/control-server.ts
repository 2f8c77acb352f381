/**
 * Answers on `DIR/control.sock`. Only root may connect (mode 0600), so requests are trusted in intent but not in form:
 * an unknown method or an oversized line is refused and does not disturb the box.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, lchownSync, lstatSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import {
  CONTROL_LINE_BYTES_MAX,
  type ControlMethod,
  type ControlMethods,
  type ControlReply,
  type ControlStream,
  type ControlStreams,
} from "../../control.ts";
import { ExitCode, type Refusal, RefusalError } from "../../exit-code.ts";
import { JsonInPieces } from "../../json-pieces.ts";
import { LineReader, parseObject } from "../../line-reader.ts";
import type { Asker } from "../access/asker.ts";
import { Slices } from "../slices.ts";

/** The web process, which strangers talk to, must not fill the box's memory with connections and halves of requests. */
const CONNECTIONS_MAX = 256;
const UNREAD_BYTES_MAX = 3 * CONTROL_LINE_BYTES_MAX;
/** An asker that reads nothing must not make the box hold what it does not take. */
const UNSENT_BYTES_MAX = 32 << 20;

export type ControlHandlers = {
  readonly [Method in ControlMethod]: (
    params: ControlMethods[Method]["params"],
    asker: Asker,
  ) => Answer<ControlMethods[Method]["result"]> | Promise<Answer<ControlMethods[Method]["result"]>>;
};

/** What may be large comes as its text. */
type Answer<T> = T | JsonInPieces;

/** A request as it came. */
export interface RawRequest {
  readonly method: string;
  readonly params: unknown;
  readonly credential: unknown;
  readonly from: unknown;
}

/** Whether somebody may ask that. Throws RefusalError. */
export type Gate = (request: RawRequest) => Entered;

export interface Entered {
  readonly asker: Asker;
  /** As they are carried out. */
  readonly params: unknown;
  /** `reason` is the refusal's. */
  readonly over: (outcome: "done" | "refused", reason: string | undefined) => void;
}

type Begun = "capture" | "ping" | "traceroute";

/**
 * What is begun for one asker, who alone gets its events; what comes of it ends it. Throws RefusalError, or rejects with
 * it. `asker` is the same for the same one.
 */
export type BegunStreams = {
  readonly [Stream in Begun]: (
    query: ControlStreams[Stream]["params"],
    onEvent: (event: ControlStreams[Stream]["event"]) => void,
    asker: unknown,
  ) => (() => void) | Promise<() => void>;
};

export interface ControlServerOptions {
  readonly path: string;
  /** Where it is made, of a path that is not root's alone: what is there by then is replaced, and not followed. */
  readonly made?: string;
  /** Whose the socket is; left out, root's. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly gate: Gate;
  /** The last connection has ended. */
  readonly onDeserted?: () => void;
  readonly handlers: ControlHandlers;
  /** The first event of a stream, sent when somebody begins to watch. Throws RefusalError. */
  readonly first: (stream: ControlStream, query: unknown) => readonly unknown[];
  readonly begun: BegunStreams;
  /** Errors that are our own fault. */
  readonly onFault: (method: string, error: unknown) => void;
}

interface Watcher {
  readonly socket: Socket;
  readonly id: number;
  readonly stream: ControlStream;
  readonly query: unknown;
}

const STREAMS: readonly string[] = ["watchStatus", "watchEvents", "watchAccess"] satisfies readonly ControlStream[];

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  readonly #sockets = new Map<Socket, LineReader>();
  /** Of what was begun: each ends it where whoever asked may not any more. */
  readonly #looks = new Set<() => void>();
  #watchers: readonly Watcher[] = [];

  private constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  static open(options: ControlServerOptions): Promise<ControlServer> {
    const { path, owner, made = path } = options;
    // The supervisor's lock says that no other box runs here: the socket file is a dead core's.
    rmSync(made, { force: true });
    const control = new ControlServer(options);
    return new Promise((resolve, reject) => {
      control.#server.once("error", reject);
      const mask = process.umask(0o177);
      control.#server.listen({ path: made }, () => {
        try {
          chmodSync(made, 0o600);
          if (owner !== undefined) lchownSync(made, owner.uid, owner.gid);
          if (made !== path) putInPlace(made, path);
          resolve(control);
        } catch (error) {
          control.#server.close();
          reject(error);
        }
      });
      process.umask(mask);
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Bytes of requests that are not whole yet. */
  get #unread(): number {
    return [...this.#sockets.values()].reduce((sum, { held }) => sum + held, 0);
  }

  get watched(): boolean {
    return this.#watchers.length > 0;
  }

  publish(stream: ControlStream, event: unknown): void {
    if (stream === "watchAccess") for (const look of this.#looks) look();
    for (const watcher of this.#watchersOf(stream)) this.#send(watcher.socket, { id: watcher.id, event });
  }

  /** The same for an event whose text is made in pieces, once for all who asked alike. Resolves when it was sent. */
  async publishInPieces(stream: ControlStream, event: (query: unknown) => JsonInPieces): Promise<void> {
    for (const alike of Map.groupBy(this.#watchersOf(stream), ({ query }) => JSON.stringify(query)).values()) {
      const [first] = alike;
      const parts = await encoded(event(first?.query).pieces);
      for (const { socket, id } of alike) this.#sendParts(socket, { id, name: "event", parts });
    }
  }

  #watchersOf(stream: ControlStream): readonly Watcher[] {
    return this.#watchers.filter((watcher) => watcher.stream === stream);
  }

  close(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
    this.#server.close();
    // What is in a directory that is not root's alone stays as it is: it may be something else by now.
    if (this.#options.made === undefined) rmSync(this.#options.path, { force: true });
  }

  #serve(socket: Socket): void {
    const lines = new LineReader(CONTROL_LINE_BYTES_MAX);
    this.#sockets.set(socket, lines);
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) void this.#answer(socket, line);
      if (lines.overflow) {
        this.#send(socket, { id: 0, error: refusal("the request is larger than any request may be") });
        socket.end();
      }
      if (lines.held === 0 || this.#unread <= UNREAD_BYTES_MAX) return;
      // What it held counts no more from now on, not only when it is closed.
      this.#sockets.delete(socket);
      socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#options.onDeserted?.();
      this.#watchers = this.#watchers.filter((watcher) => watcher.socket !== socket);
    });
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    const request = parseObject(line);
    const id = typeof request?.["id"] === "number" ? request["id"] : 0;
    const method = request?.["method"];
    if (request === undefined || typeof method !== "string") {
      return this.#send(socket, { id, error: refusal("a request is one JSON object with id, method and params") });
    }
    const { params, credential, from } = request;
    const raw = { method, params: params ?? {}, credential, from };
    try {
      const entered = this.#options.gate(raw);
      try {
        await this.#carryOut(socket, id, raw, entered);
        entered.over("done", undefined);
      } catch (error) {
        entered.over("refused", error instanceof RefusalError ? error.refusal.reason : undefined);
        throw error;
      }
    } catch (error) {
      this.#send(socket, { id, error: this.#refusalOf(method, error) });
    }
  }

  async #carryOut(socket: Socket, id: number, raw: RawRequest, entered: Entered): Promise<void> {
    const { method } = raw;
    const params = entered.params as never;
    if (STREAMS.includes(method)) {
      return await this.#watch({ socket, id, stream: method as ControlStream, query: params });
    }
    if (Object.hasOwn(this.#options.begun, method)) return this.#begin(socket, id, raw, entered);
    if (!Object.hasOwn(this.#options.handlers, method)) {
      throw new RefusalError(refusal(`there is no method ${JSON.stringify(method)}`));
    }
    const result = await this.#options.handlers[method as ControlMethod](params, entered.asker);
    if (!(result instanceof JsonInPieces)) return this.#send(socket, { id, result });
    this.#sendParts(socket, { id, name: "result", parts: await encoded(result.pieces) });
  }

  #refusalOf(method: string, error: unknown): Refusal {
    if (error instanceof RefusalError) return error.refusal;
    this.#options.onFault(method, error);
    return {
      exitCode: ExitCode.failed,
      what: `${method} failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }

  async #begin(socket: Socket, id: number, raw: RawRequest, { asker, params }: Entered): Promise<void> {
    const stream = raw.method as Begun;
    // Root's are told apart by where they ask.
    const one = asker.kind === "person" ? asker.person.name : socket;
    const end = await this.#options.begun[stream](params as never, (event) => this.#send(socket, { id, event }), one);
    if (socket.destroyed) return end();
    const look = () => {
      try {
        this.#options.gate(raw);
      } catch (error) {
        this.#looks.delete(look);
        this.#send(socket, { id, error: this.#refusalOf(stream, error) });
        end();
      }
    };
    this.#looks.add(look);
    socket.once("close", () => {
      this.#looks.delete(look);
      end();
    });
  }

  async #watch(watcher: Watcher): Promise<void> {
    const { socket, id, stream, query } = watcher;
    const first = this.#options.first(stream, query);
    this.#watchers = [...this.#watchers, watcher];
    for (const event of first) {
      if (!(event instanceof JsonInPieces)) this.#send(socket, { id, event });
      else this.#sendParts(socket, { id, name: "event", parts: await encoded(event.pieces) });
    }
  }

  #send(socket: Socket, reply: ControlReply): void {
    if (socket.destroyed) return;
    if (socket.writableLength > UNSENT_BYTES_MAX) socket.destroy();
    else socket.write(`${JSON.stringify(reply)}\n`);
  }

  #sendParts(socket: Socket, { id, name, parts }: Parts): void {
    if (socket.destroyed) return;
    if (socket.writableLength > UNSENT_BYTES_MAX) {
      socket.destroy();
      return;
    }
    // One line, and nothing else in between.
    socket.cork();
    socket.write(`{"id":${id},"${name}":`);
    for (const part of parts) socket.write(part);
    socket.write("}\n");
    socket.uncork();
  }
}

/** What is there by then is replaced; a directory, which cannot be, is moved aside. */
function putInPlace(made: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    renameSync(path, `${path}.${randomBytes(8).toString("hex")}`);
  }
  renameSync(made, path);
}

interface Parts {
  readonly id: number;
  readonly name: "result" | "event";
  readonly parts: readonly Buffer[];
}

const PART_CHARACTERS = 64 << 10;

/** In slices, so that nobody waits for a large answer but who asked for it. */
async function encoded(pieces: Iterable<string>): Promise<readonly Buffer[]> {
  const slices = new Slices();
  const parts: Buffer[] = [];
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (text.length >= PART_CHARACTERS) {
      parts.push(Buffer.from(text));
      text = "";
    }
    if (slices.spent) await slices.rest();
  }
  parts.push(Buffer.from(text));
  return parts;
}

function refusal(what: string): Refusal {
  return { exitCode: ExitCode.usage, what };
}
