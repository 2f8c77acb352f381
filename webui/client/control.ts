/**
 * The web process's end of core's second socket. Requests share one connection, which is made again when core starts
 * anew; a stream that ends has a connection of its own, because closing it is how core learns that nobody listens.
 * Answers stay text: most of them go to whoever asked as they are.
 */
import { connect, type Socket } from "node:net";
import type { AccessEvent, AccessMethods, Credential } from "@futago/firmware/runtime/control-access.ts";
import type { DiagnosticStreams, PortsMethods } from "@futago/firmware/runtime/control-ports.ts";
import type { ControlMethods, ControlStreams } from "@futago/firmware/runtime/control.ts";
import { ExitCode, type Refusal, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { LineReader } from "@futago/firmware/runtime/line-reader.ts";

export type WebMethods = ControlMethods & AccessMethods & PortsMethods;
export type WebMethod = keyof WebMethods;
export type WebStreams = ControlStreams & DiagnosticStreams & { watchAccess: { params: object; event: AccessEvent } };
export type WebStream = keyof WebStreams;

/** On whose behalf something is asked; nothing: the web process asks for itself. */
export interface Asker {
  readonly credential?: Credential | undefined;
  readonly from?: string | undefined;
}

export interface CoreClientOptions {
  /** Of the socket. */
  readonly path: string;
  /** The connection stands, or is gone. */
  readonly onLink?: (up: boolean) => void;
}

/** As core's control socket: a configuration of the largest size with every letter escaped. */
const LINE_BYTES_MAX = 56 << 20;
/** Questions that core has not answered yet: whoever floods this process does not fill it, and does not flood core. */
export const WAITING_MAX = 256;
const REDIAL_MILLIS = 250;
/** A core that starts anew is back by then. */
const DIAL_PATIENCE_MILLIS = 3_000;
const ANSWER_MILLIS_MAX = 15_000;
/** What waits for the other box, too: for its judgement, its disk and its kernel, one after the other. */
const BOTH_BOXES_MILLIS_MAX = 90_000;
const OF_BOTH_BOXES: readonly WebMethod[] = [
  "apply",
  "commit",
  "confirm",
  "rollback",
  "restore",
  "restoreSealed",
  "restoreStick",
  "backupSealed",
];

interface Waiting {
  readonly resolve: (text: string) => void;
  readonly reject: (error: RefusalError) => void;
  readonly late: NodeJS.Timeout;
}

interface Watch {
  readonly stream: WebStream;
  readonly params: unknown;
  readonly onEvent: (text: string) => void;
  readonly onRefused: (error: RefusalError) => void;
}

export class CoreClient {
  readonly #options: CoreClientOptions;
  #socket: Socket | undefined;
  #isUp = false;
  #closed = false;
  #redial: NodeJS.Timeout | undefined;
  #last = 0;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watches = new Map<number, Watch>();
  readonly #upWaiters = new Set<() => void>();

  constructor(options: CoreClientOptions) {
    this.#options = options;
    this.#dial();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** The answer as JSON text. Rejects with RefusalError. */
  async askText<Method extends WebMethod>(
    method: Method,
    params: WebMethods[Method]["params"],
    asker: Asker = {},
  ): Promise<string> {
    if (this.#waiting.size + this.#upWaiters.size >= WAITING_MAX) throw tooBusy();
    if (!this.#isUp) await this.#untilUp();
    const socket = this.#socket;
    if (!this.#isUp || socket === undefined) throw coreIsAway();
    this.#last += 1;
    const id = this.#last;
    const millis = OF_BOTH_BOXES.includes(method) ? BOTH_BOXES_MILLIS_MAX : ANSWER_MILLIS_MAX;
    const line = requestLine({ id, method, params }, asker);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(id);
        reject(coreIsSilent(millis));
      }, millis);
      this.#waiting.set(id, { resolve, reject, late });
      socket.write(line);
    });
  }

  async ask<Method extends WebMethod>(
    method: Method,
    params: WebMethods[Method]["params"],
    asker: Asker = {},
  ): Promise<WebMethods[Method]["result"]> {
    return JSON.parse(await this.askText(method, params, asker)) as WebMethods[Method]["result"];
  }

  /** A stream of the web process's own that never ends; it is asked for again on each new connection. */
  watch<Stream extends WebStream>(
    stream: Stream,
    params: WebStreams[Stream]["params"],
    onEvent: (text: string) => void,
    onRefused: (error: RefusalError) => void = () => undefined,
  ): void {
    this.#last += 1;
    const watch: Watch = { stream, params, onEvent, onRefused };
    this.#watches.set(this.#last, watch);
    if (this.#isUp) this.#beginWatch(this.#last, watch);
  }

  /** A stream for somebody, on a connection of its own. */
  stream<Stream extends WebStream>(
    stream: Stream,
    params: WebStreams[Stream]["params"],
    asker: Asker,
    listener: StreamListener,
  ): OpenStream {
    const request = requestLine({ id: 1, method: stream, params }, asker);
    return openStream(this.#options.path, request, listener);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#redial);
    this.#socket?.destroy();
  }

  #dial(): void {
    const socket = connect({ path: this.#options.path });
    this.#socket = socket;
    const lines = new LineReader(LINE_BYTES_MAX);
    socket.on("connect", () => this.#onUp());
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#onLine(line);
      if (lines.overflow) socket.destroy();
    });
    // "close" follows.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#onClose());
  }

  #onUp(): void {
    this.#isUp = true;
    for (const [id, watch] of this.#watches) this.#beginWatch(id, watch);
    for (const waiter of this.#upWaiters) waiter();
    this.#options.onLink?.(true);
  }

  #onClose(): void {
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#socket = undefined;
    for (const { reject, late } of this.#waiting.values()) {
      clearTimeout(late);
      reject(coreIsAway());
    }
    this.#waiting.clear();
    if (wasUp) this.#options.onLink?.(false);
    if (!this.#closed) this.#redial = setTimeout(() => this.#dial(), REDIAL_MILLIS);
  }

  #beginWatch(id: number, { stream, params }: Watch): void {
    this.#socket?.write(requestLine({ id, method: stream, params }, {}));
  }

  #onLine(line: string): void {
    const reply = readReply(line);
    if (reply === undefined) return;
    const watch = this.#watches.get(reply.id);
    if (watch !== undefined) {
      if (reply.kind === "event") watch.onEvent(reply.text);
      else if (reply.kind === "error") watch.onRefused(refusalOf(reply.text));
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.late);
    if (reply.kind === "error") waiting.reject(refusalOf(reply.text));
    else waiting.resolve(reply.text);
  }

  #untilUp(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#upWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, DIAL_PATIENCE_MILLIS);
      this.#upWaiters.add(done);
    });
  }
}

export interface StreamListener {
  /** The text of one event. */
  onEvent(text: string): void;
  /** Refused before the first event, or the box went away. */
  onEnd(error: RefusalError): void;
}

export interface OpenStream {
  close(): void;
  /** Whoever reads slowly makes core wait. */
  pause(): void;
  resume(): void;
}

function openStream(path: string, request: string, listener: StreamListener): OpenStream {
  const lines = new LineReader(LINE_BYTES_MAX);
  const socket = connect({ path });
  let isOver = false;
  const end = (error: RefusalError) => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    listener.onEnd(error);
  };
  socket.on("connect", () => socket.write(request));
  socket.on("error", () => undefined);
  socket.on("close", () => end(coreIsAway()));
  socket.on("data", (chunk: Buffer) => {
    for (const line of lines.push(chunk)) {
      const reply = readReply(line);
      if (isOver || reply === undefined) continue;
      if (reply.kind === "error") end(refusalOf(reply.text));
      else listener.onEvent(reply.text);
    }
    if (lines.overflow) end(coreIsAway());
  });
  return {
    close: () => {
      isOver = true;
      socket.destroy();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}

interface Request {
  readonly id: number;
  readonly method: WebMethod | WebStream;
  readonly params: unknown;
}

function requestLine(request: Request, { credential, from }: Asker): string {
  const asker = { ...(credential === undefined ? {} : { credential }), ...(from === undefined ? {} : { from }) };
  try {
    return `${JSON.stringify({ ...request, ...asker })}\n`;
  } catch (error) {
    // What can be read may be too deep to be written: nothing else here is of any depth.
    if (error instanceof RangeError) throw isTooDeep();
    throw error;
  }
}

export interface ReplyText {
  readonly id: number;
  readonly kind: "result" | "event" | "error";
  /** JSON. */
  readonly text: string;
}

const HEAD = /^\{"id":(\d{1,15}),"(result|event|error)":/;
const HEAD_LENGTH_MAX = 40;

/** What a line of core says, whose value is not looked into: it may be tens of megabytes. */
export function readReply(line: string): ReplyText | undefined {
  const head = HEAD.exec(line.slice(0, HEAD_LENGTH_MAX));
  if (head === null || !line.endsWith("}")) {
    const empty = /^\{"id":(\d{1,15})\}$/.exec(line);
    return empty === null ? undefined : { id: Number(empty[1]), kind: "result", text: "null" };
  }
  const [{ length }, id, kind] = head;
  return { id: Number(id), kind: kind as ReplyText["kind"], text: line.slice(length, -1) };
}

function refusalOf(text: string): RefusalError {
  return new RefusalError(JSON.parse(text) as Refusal);
}

function isTooDeep(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.usage,
    what: "there are too many objects and lists inside each other",
    reason: "wrongForm",
    parameters: {},
  });
}

function coreIsAway(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.boxNotRunning,
    what: "the box's core is away; it starts again by itself",
    mend: "Try again in a moment.",
    reason: "coreAway",
    parameters: {},
  });
}

function tooBusy(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.boxNotRunning,
    what: "more is asked of the box than it answers",
    mend: "Try again in a moment.",
    reason: "tooBusy",
    parameters: {},
  });
}

function coreIsSilent(millis: number): RefusalError {
  const seconds = millis / 1_000;
  return new RefusalError({
    exitCode: ExitCode.boxNotRunning,
    what: `the box did not answer for ${seconds} s: its core is frozen or overloaded`,
    mend: "The sentinel keeps the role meanwhile. Look at the machine's load.",
    reason: "coreSilent",
    parameters: { seconds },
  });
}
