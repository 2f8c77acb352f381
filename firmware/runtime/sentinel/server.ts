/** The listening end of `DIR/sentinel.sock`: core connects, says its orders and hears the status. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { LineReader, parseObject } from "../line-reader.ts";
import type {
  CoreToSentinel,
  HardwareReport,
  SentinelEvent,
  SentinelStatus,
  SentinelToCore,
  StaleSighting,
} from "../messages.ts";

const LINE_BYTES_MAX = 8 << 20;
const EVENTS_KEPT = 200;
/** Core answers the status that comes once a second; half a second late it may be. */
const CORE_SILENT_MILLIS = 1_500;

export interface ServerListener {
  onMessage(message: CoreToSentinel, answer: (reply: SentinelToCore) => void): void;
  /** Whether a core is connected and not hung. */
  onCore(present: boolean): void;
}

export class SentinelServer {
  readonly #path: string;
  readonly #listener: ServerListener;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What happened while core was away, for it to log when it is back. */
  #unheard: SentinelEvent[] = [];
  #present = false;
  #silence: NodeJS.Timeout | undefined;

  constructor(path: string, listener: ServerListener) {
    this.#path = path;
    this.#listener = listener;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  listen(): Promise<void> {
    rmSync(this.#path, { force: true });
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#path, () => {
        chmodSync(this.#path, 0o600);
        resolve();
      });
    });
  }

  hardware(report: HardwareReport): void {
    this.#broadcast({ kind: "hardware", report });
  }

  status(status: SentinelStatus): void {
    this.#broadcast({ kind: "status", status });
  }

  event(event: SentinelEvent): void {
    if (this.#sockets.size > 0) this.#broadcast({ kind: "event", event });
    else this.#unheard = [...this.#unheard.slice(1 - EVENTS_KEPT), event];
  }

  /** For the peer. Lost while core is away: hosts that go on are seen again. */
  stale(hosts: readonly StaleSighting[]): void {
    this.#broadcast({ kind: "stale", hosts });
  }

  close(): void {
    clearTimeout(this.#silence);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    rmSync(this.#path, { force: true });
  }

  #broadcast(message: SentinelToCore): void {
    const line = `${JSON.stringify(message)}\n`;
    for (const socket of this.#sockets) {
      // A core that does not read is cut off and comes back to a fresh status; nothing piles up here.
      if (socket.writableLength > LINE_BYTES_MAX) socket.destroy();
      else socket.write(line);
    }
  }

  #accept(socket: Socket): void {
    const lines = new LineReader(LINE_BYTES_MAX);
    this.#sockets.add(socket);
    this.#heard();
    const unheard = this.#unheard;
    this.#unheard = [];
    for (const event of unheard) this.event(event);
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#receive(socket, line);
      if (lines.overflow) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#setPresent(false);
    });
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#setPresent(false), CORE_SILENT_MILLIS);
    this.#setPresent(true);
  }

  #setPresent(present: boolean): void {
    if (!present) clearTimeout(this.#silence);
    if (present === this.#present) return;
    this.#present = present;
    this.#listener.onCore(present);
  }

  #receive(socket: Socket, line: string): void {
    // Core is this box's own process: what it says is trusted to have the agreed shape.
    const message = parseObject(line) as CoreToSentinel | undefined;
    if (message === undefined) return;
    this.#heard();
    this.#listener.onMessage(message, (reply) => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
    });
  }
}
