/**
 * Core's end of `DIR/sentinel.sock`: connects, and connects again when the sentinel was restarted; says the orders
 * and the health first thing each time, because the sentinel may know nothing.
 */
import { connect, type Socket } from "node:net";
import type { Light } from "../../panel/light.ts";
import { LineReader, parseObject } from "../line-reader.ts";
import type {
  CoreToSentinel,
  HardwareReport,
  Orders,
  Penalty,
  SentinelCommand,
  SentinelEvent,
  SentinelStatus,
  SentinelToCore,
  StaleSighting,
} from "../messages.ts";

const RETRY_MILLIS = 50;
const LINE_BYTES_MAX = 4 << 20;
/** A hand-over is over in 100 ms; a sentinel that does not answer by then has died or hangs. */
const COMMAND_MILLIS_MAX = 10_000;

export type CommandResult = Extract<SentinelToCore, { kind: "result" }>;

export interface SentinelListener {
  onStatus(status: SentinelStatus): void;
  onEvent(event: SentinelEvent): void;
  /** Hosts that send to this box what is for a VIP of the peer's. */
  onStale(hosts: readonly StaleSighting[]): void;
  /** What it has of the machine. */
  onHardware(report: HardwareReport): void;
  onConnected(): void;
  onLost(): void;
}

export class SentinelLink {
  readonly #path: string;
  readonly #listener: SentinelListener;
  #socket: Socket | undefined;
  #connected = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #orders: Orders | undefined;
  #penalties: readonly Penalty[] = [];
  #ofVersion: readonly Penalty[] = [];
  #told = true;
  #nextId = 1;
  readonly #waiting = new Map<number, (result: CommandResult) => void>();

  constructor(path: string, listener: SentinelListener) {
    this.#path = path;
    this.#listener = listener;
    this.#dial();
  }

  get connected(): boolean {
    return this.#connected;
  }

  sendOrders(orders: Orders): void {
    this.#orders = orders;
    this.#send({ kind: "orders", orders });
  }

  sendHealth(penalties: readonly Penalty[]): void {
    if (JSON.stringify(penalties) === JSON.stringify(this.#penalties)) return;
    this.#penalties = penalties;
    this.#tellHealth();
  }

  /** Of the version that runs, while it has to show that it is good. */
  sendVersion(penalties: readonly Penalty[]): void {
    if (JSON.stringify(penalties) === JSON.stringify(this.#ofVersion)) return;
    this.#ofVersion = penalties;
    this.#tellHealth();
  }

  #tellHealth(): void {
    this.#send({ kind: "health", penalties: [...this.#penalties, ...this.#ofVersion] });
  }

  /** Whether the peer has the connections that this box serves. */
  sendTold(told: boolean): void {
    if (told === this.#told) return;
    this.#told = told;
    this.#send({ kind: "connections", told });
  }

  /** What the peer's sentinel saw. */
  sendStale(hosts: readonly StaleSighting[]): void {
    this.#send({ kind: "stale", hosts });
  }

  /** What the role light is to show instead of the role. Answers whether there is a sentinel to show it. */
  sendLight(light: Light | null): boolean {
    this.#send({ kind: "light", light });
    return this.#connected;
  }

  /** Always answers: by the sentinel, or with a refusal when it is away or says nothing. */
  command(command: SentinelCommand): Promise<CommandResult> {
    const id = this.#nextId++;
    if (!this.#connected) return Promise.resolve(away(id, "the sentinel is not running; it is being started again"));
    return new Promise((resolve) => {
      const finish = (result: CommandResult) => {
        clearTimeout(late);
        this.#waiting.delete(id);
        resolve(result);
      };
      const late = setTimeout(() => finish(away(id, "the sentinel did not answer")), COMMAND_MILLIS_MAX);
      this.#waiting.set(id, finish);
      this.#send({ kind: "command", id, command });
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  #dial(): void {
    const lines = new LineReader(LINE_BYTES_MAX);
    const socket = connect({ path: this.#path });
    this.#socket = socket;
    socket.on("connect", () => {
      this.#connected = true;
      if (this.#orders !== undefined) this.#send({ kind: "orders", orders: this.#orders });
      this.#tellHealth();
      if (!this.#told) this.#send({ kind: "connections", told: false });
      this.#listener.onConnected();
    });
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#receive(line);
      if (lines.overflow) socket.destroy();
    });
    socket.on("error", () => {
      // Not there yet, or gone: "close" follows and dials again.
    });
    socket.on("close", () => this.#onClose());
  }

  #onClose(): void {
    const wasConnected = this.#connected;
    this.#connected = false;
    for (const [id, finish] of this.#waiting) finish(away(id, "the sentinel ended before it answered"));
    if (this.#closed) return;
    if (wasConnected) this.#listener.onLost();
    this.#retry = setTimeout(() => this.#dial(), RETRY_MILLIS);
  }

  #send(message: CoreToSentinel): void {
    if (this.#connected) this.#socket?.write(`${JSON.stringify(message)}\n`);
  }

  #receive(line: string): void {
    // The sentinel is this box's own process: what it says is trusted to have the agreed shape.
    const message = parseObject(line) as SentinelToCore | undefined;
    switch (message?.kind) {
      case undefined:
        return;
      case "status":
        this.#send({ kind: "alive" });
        return this.#listener.onStatus(message.status);
      case "event":
        return this.#listener.onEvent(message.event);
      case "stale":
        return this.#listener.onStale(message.hosts);
      case "hardware":
        return this.#listener.onHardware(message.report);
      case "result":
        this.#waiting.get(message.id)?.(message);
    }
  }
}

function away(id: number, message: string): CommandResult {
  return { kind: "result", id, ok: false, message, exitCode: 1 };
}
