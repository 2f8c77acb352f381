/**
 * Messages that may be longer than a line: cut into parts, which go one after the other as the peer takes them, between
 * what else there is to say; and put together again at the other end.
 */
import type { PeerPart } from "./message.ts";

/** With every letter escaped a part still fits into a line. */
export const PART_LENGTH_MAX = 128 << 10;
/** A document of the largest size, escaped, twice, with its lineage. */
export const LONG_LENGTH_MAX = 128 << 20;
/** Of what waits for a peer that does not read: one message of the largest size, and as much behind it. */
const WAITING_LENGTH_MAX = 2 * LONG_LENGTH_MAX;
const WAITING_MAX = 1_024;
const UNSENT_BYTES = 512 << 10;
const WAIT_MILLIS = 2;

export interface LongSenderOptions {
  readonly send: (part: PeerPart) => void;
  /** Bytes that the peer has not taken yet; undefined while the link is down. */
  readonly unsent: () => number | undefined;
  /** The peer asks for more than it reads: what waited is dropped, and the link is to be made anew. */
  readonly onStuck: () => void;
}

export class LongSender {
  readonly #options: LongSenderOptions;
  #waiting: string[] = [];
  #length = 0;
  /** How much of the first one has gone. */
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;
  #whenEmpty: (() => void)[] = [];

  constructor(options: LongSenderOptions) {
    this.#options = options;
  }

  /** In the order of the calls. Lost when the link is or goes down. */
  send(text: string): void {
    if (this.#waiting.length >= WAITING_MAX || this.#length + text.length > WAITING_LENGTH_MAX) {
      this.restart();
      return this.#options.onStuck();
    }
    this.#waiting.push(text);
    this.#length += text.length;
    if (this.#timer === undefined) this.#flush();
  }

  /** Nothing waits any more. Who sends many documents asks before each, so that they are not all held at once. */
  empty(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#whenEmpty.push(resolve));
  }

  /** The link is another one, or gone. */
  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    this.#length = 0;
    this.#sent = 0;
    this.#tellEmpty();
  }

  #tellEmpty(): void {
    for (const tell of this.#whenEmpty.splice(0)) tell();
  }

  #flush(): void {
    this.#timer = undefined;
    for (let text = this.#waiting[0]; text !== undefined; text = this.#waiting[0]) {
      const unsent = this.#options.unsent();
      if (unsent === undefined) return this.restart();
      if (unsent > UNSENT_BYTES) {
        this.#timer = setTimeout(() => this.#flush(), WAIT_MILLIS);
        return;
      }
      const part = text.slice(this.#sent, this.#sent + PART_LENGTH_MAX);
      this.#sent += part.length;
      const last = this.#sent >= text.length;
      this.#options.send({ kind: "part", text: part, last });
      if (!last) continue;
      this.#waiting.shift();
      this.#length -= text.length;
      this.#sent = 0;
    }
    this.#tellEmpty();
  }
}

export class LongReader {
  #parts: string[] = [];
  #length = 0;

  /** The whole text once its last part is there; "tooLong" when it is longer than any message. */
  push({ text, last }: PeerPart): { readonly kind: "whole"; readonly text: string } | "more" | "tooLong" {
    // Parts that hold nothing would be as many as the peer likes.
    if (text !== "") this.#parts.push(text);
    this.#length += text.length;
    if (this.#length > LONG_LENGTH_MAX) return "tooLong";
    if (!last) return "more";
    const whole = this.#parts.join("");
    this.#parts = [];
    this.#length = 0;
    return { kind: "whole", text: whole };
  }
}
