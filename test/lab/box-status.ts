/** What a box says about itself, kept fresh over its control socket: the same answer as `futago status --json`. */
import { connect, type Socket } from "node:net";
import type { BoxStatus, ControlReply } from "@futago/firmware/runtime/control.ts";
import { CONTROL_LINE_BYTES_MAX } from "@futago/firmware/runtime/control.ts";
import { LineReader, parseObject } from "@futago/firmware/runtime/line-reader.ts";
import { monotonicMicros } from "./prober.ts";

const RETRY_MILLIS = 200;
const DEAD_TIMES_MAX = 1_000;

export class BoxStatusFeed {
  readonly #path: string;
  readonly #listeners = new Set<(status: BoxStatus) => void>();
  #socket: Socket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #open = false;
  #latest: BoxStatus | undefined;
  /** Each from when it was told. */
  readonly #deadTimes: { readonly since: number; readonly micros: number }[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined while nobody answers on the control socket. */
  get latest(): BoxStatus | undefined {
    return this.#latest;
  }

  /** The dead time that was in force then, by CLOCK_MONOTONIC in microseconds; 0 when the box had told none yet. */
  deadMicrosAt(at: number): number {
    return this.#deadTimes.findLast(({ since }) => since <= at)?.micros ?? 0;
  }

  listen(listener: (status: BoxStatus) => void): void {
    this.#listeners.add(listener);
  }

  open(): void {
    this.#open = true;
    this.#connect();
  }

  close(): void {
    this.#open = false;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#latest = undefined;
  }

  #connect(): void {
    const reader = new LineReader(CONTROL_LINE_BYTES_MAX);
    const socket = connect({ path: this.#path });
    this.#socket = socket;
    socket.on("connect", () => socket.write(`${JSON.stringify({ id: 1, method: "watchStatus", params: {} })}\n`));
    socket.on("data", (chunk: Buffer) => {
      for (const line of reader.push(chunk)) this.#take(parseObject(line) as ControlReply | undefined);
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#socket === socket) this.#latest = undefined;
      if (this.#open && this.#socket === socket) this.#retry = setTimeout(() => this.#connect(), RETRY_MILLIS);
    });
  }

  #take(reply: ControlReply | undefined): void {
    if (reply === undefined || !("event" in reply)) return;
    this.#latest = reply.event as BoxStatus;
    this.#noteDeadTime(this.#latest.heartbeat?.deadMs);
    for (const listener of this.#listeners) listener(this.#latest);
  }

  #noteDeadTime(millis: number | undefined): void {
    if (millis === undefined || this.#deadTimes.at(-1)?.micros === millis * 1_000) return;
    this.#deadTimes.push({ since: monotonicMicros(), micros: millis * 1_000 });
    if (this.#deadTimes.length > DEAD_TIMES_MAX) this.#deadTimes.shift();
  }
}
