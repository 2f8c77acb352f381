/**
 * Tells the peer how pools stand: each that this box answers for when the link comes up, and again each that stands
 * otherwise than the peer was told over this connection. What is said of a pool is complete; pools go some at a time, so
 * that no message is longer than a line may be and a slow peer is waited for.
 */
import { Slices } from "../slices.ts";
import type { PeerPool } from "./message.ts";

/** How a pool stands. */
export interface Picture {
  /** Another object when it stands otherwise. */
  readonly of: object;
  readonly make: () => PeerPool;
}

export interface PictureSenderOptions {
  /** Undefined: that is not this box's to say. */
  readonly pictureOf: (pool: string) => Picture | undefined;
  readonly send: (pools: readonly PeerPool[]) => void;
  /** Bytes that the peer has not taken yet; undefined while the link is down. */
  readonly unsent: () => number | undefined;
}

/** With the largest pool on top it stays below PEER_LINE_BYTES_MAX. */
export const MESSAGE_BYTES = 256 << 10;
const UNSENT_BYTES = 512 << 10;
const WAIT_MILLIS = 5;

export class PictureSender {
  readonly #options: PictureSenderOptions;
  readonly #waiting = new Set<string>();
  readonly #told = new Map<string, object>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PictureSenderOptions) {
    this.#options = options;
  }

  /** The link came up: the peer knows nothing. */
  restart(pools: readonly string[]): void {
    this.#told.clear();
    this.#waiting.clear();
    this.changed(pools);
  }

  /** These may stand otherwise. */
  changed(pools: readonly string[]): void {
    if (this.#options.unsent() === undefined) return;
    for (const name of pools) this.#waiting.add(name);
    if (this.#timer === undefined) this.#send();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #send(): void {
    this.#timer = undefined;
    const slices = new Slices();
    while (this.#waiting.size > 0) {
      const unsent = this.#options.unsent();
      // Whoever comes up next is told everything.
      if (unsent === undefined) return this.#waiting.clear();
      if (unsent > UNSENT_BYTES || slices.spent) {
        this.#timer = setTimeout(() => this.#send(), unsent > UNSENT_BYTES ? WAIT_MILLIS : 0);
        return;
      }
      const pools = this.#next();
      if (pools.length > 0) this.#options.send(pools);
    }
  }

  /** As many as a message holds. */
  #next(): readonly PeerPool[] {
    const pools: PeerPool[] = [];
    let bytes = 0;
    for (const name of this.#waiting) {
      if (bytes >= MESSAGE_BYTES) break;
      this.#waiting.delete(name);
      const picture = this.#options.pictureOf(name);
      if (picture === undefined) {
        this.#told.delete(name);
        continue;
      }
      if (this.#told.get(name) === picture.of) continue;
      this.#told.set(name, picture.of);
      const pool = picture.make();
      pools.push(pool);
      bytes += bytesMax(pool);
    }
    return pools;
  }
}

/** JSON writes a character with six bytes at most; and the names of fields. */
function bytesMax({ backends }: PeerPool): number {
  return backends.reduce((sum, { name, reason }) => sum + 6 * (name.length + reason.length) + 48, 512);
}
