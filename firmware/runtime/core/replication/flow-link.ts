/** A connection for flows: whole frames either way, and no faster in than this box means to take. */
import type { Socket } from "node:net";
import { RECORD_BYTES } from "@futago/hal/units/flow-record.ts";
import { encodeFrame, type FlowFrame, FrameReader } from "../../../replication/frame.ts";

/** Writing takes some microseconds a record; a peer that sends more waits, and this box does its other work. */
const RECORDS_PER_SECOND = 150_000;
/** A joining box takes a whole table at once. */
const RECORDS_BURST = 50_000;
const PAUSE_MILLIS = 50;
/** What waits to be sent is bounded by what waits for its acknowledgement; this is for what went wrong. */
const UNSENT_BYTES_MAX = 16 << 20;

export interface FlowLinkOptions {
  readonly onFrame: (frame: FlowFrame) => void;
  /** All frames of a piece were handed over. */
  readonly onSettled: () => void;
  readonly onClose: () => void;
  readonly count: (name: string) => void;
}

export class FlowLink {
  readonly #socket: Socket;
  readonly #options: FlowLinkOptions;
  readonly #reader = new FrameReader();
  #credit = RECORDS_BURST;
  #creditAt = performance.now();
  #pause: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: FlowLinkOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("close", () => {
      clearTimeout(this.#pause);
      options.onClose();
    });
  }

  send(frame: FlowFrame): void {
    this.sendBytes(encodeFrame(frame));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#socket.destroyed) return;
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) this.refuse("flowLinkStuck");
    else this.#socket.write(bytes);
  }

  /** Closes the connection; the peer makes another. */
  refuse(counter: string): void {
    if (this.#socket.destroyed) return;
    this.#options.count(counter);
    this.#socket.destroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    for (const frame of this.#reader.push(chunk)) {
      if (this.#socket.destroyed) return;
      if (frame.ok) this.#options.onFrame(frame.value);
      else this.refuse(`flowLink_${frame.reason}`);
    }
    this.#options.onSettled();
    this.#spend(chunk.length / RECORD_BYTES);
  }

  #spend(records: number): void {
    const now = performance.now();
    const earned = ((now - this.#creditAt) * RECORDS_PER_SECOND) / 1_000;
    this.#credit = Math.min(RECORDS_BURST, this.#credit + earned) - records;
    this.#creditAt = now;
    if (this.#credit >= 0 || this.#socket.destroyed) return;
    this.#socket.pause();
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#socket.resume(), PAUSE_MILLIS);
  }
}
