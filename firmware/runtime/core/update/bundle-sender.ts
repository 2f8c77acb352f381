/**
 * Sends a bundle to the other box. What is said of it goes over the link between the two cores; its bytes go over a connection
 * of their own, from where the other box asks for them, so that nothing else waits for them and none is told twice.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { fileTrouble } from "../../files.ts";
import { decodeRequest } from "./bundle-request.ts";
import type { UpdateMessage, UpdateRefused } from "./update-message.ts";

export interface Offer {
  readonly update: string;
  readonly lead: boolean;
  readonly version: string;
  readonly author: string;
  readonly length: number;
  readonly digest: string;
}

export interface BundleSenderOptions {
  readonly offer: Offer;
  readonly file: string;
  /** Lost while the link is down. */
  readonly send: (message: UpdateMessage) => void;
  readonly onPercent: (percent: number) => void;
  readonly onWhole: () => void;
  readonly onRefused: (refusal: UpdateRefused) => void;
}

/** When the other box does not have more of it after so long, it is given up. */
const STILL_MILLIS_MAX = 120_000;
/** An offer that was lost is made again, and one whose bytes do not go over. */
const OFFER_MILLIS = 2_000;
/** Read from the disk at once. */
const BLOCK_BYTES = 256 << 10;

export class BundleSender {
  readonly #options: BundleSenderOptions;
  readonly #file: FileHandle;
  readonly #offering: NodeJS.Timeout;
  /** When the other box told last that it has more or less of it than before. */
  #movedAt = performance.now();
  #received = 0;
  #isClosed = false;
  #socket: Duplex | undefined;

  private constructor(options: BundleSenderOptions, file: FileHandle) {
    this.#options = options;
    this.#file = file;
    this.#offering = setInterval(() => this.#offerAgain(), OFFER_MILLIS);
    this.#offer();
  }

  static async begin(options: BundleSenderOptions): Promise<BundleSender> {
    return new BundleSender(options, await open(options.file, "r"));
  }

  /** It is over, or came to nothing. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  hear(message: Extract<UpdateMessage, { kind: "updateGot" }>): void {
    const { offer, onPercent, onWhole, onRefused } = this.#options;
    if (this.#isClosed || message.update !== offer.update) return;
    const { received, isWhole, refusal } = message;
    if (received !== this.#received) this.#movedAt = performance.now();
    this.#received = received;
    if (refusal !== undefined || isWhole || received > offer.length) {
      this.close();
      if (refusal !== undefined) onRefused(refusal);
      else if (isWhole) onWhole();
      else onRefused(NONSENSE);
      return;
    }
    onPercent(Math.floor((100 * received) / offer.length));
  }

  /** The connection for its bytes stands: whoever is at its other end asks for them. Another one takes its place. */
  attach(socket: Duplex): void {
    this.#socket?.destroy();
    this.#socket = socket;
    if (this.#isClosed) return void socket.destroy();
    socket.on("error", () => socket.destroy());
    socket.once("data", (request: Buffer) => {
      // One is told in one record, and nothing may come behind it.
      socket.on("data", () => socket.destroy());
      void this.#answer(socket, request);
    });
  }

  /** The link came up: the other box says how much it has. */
  restart(): void {
    if (!this.#isClosed) this.#offer();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#offering);
    this.#socket?.destroy();
    // A read that is under way ends first; one that fails then has nobody who waits for it.
    void this.#file.close();
  }

  #offer(): void {
    this.#options.send({ kind: "updateOffer", ...this.#options.offer });
  }

  #offerAgain(): void {
    const still = performance.now() - this.#movedAt;
    if (still > STILL_MILLIS_MAX) {
      this.close();
      this.#options.onRefused(STILL);
    } else if (still > OFFER_MILLIS) this.#offer();
  }

  async #answer(socket: Duplex, request: Buffer): Promise<void> {
    const { offer } = this.#options;
    const asked = decodeRequest(request);
    if (asked?.update !== offer.update || asked.offset >= offer.length) return void socket.destroy();
    let offset = asked.offset;
    try {
      while (offset < offer.length && !socket.destroyed) {
        const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, offer.length - offset));
        const { bytesRead } = await this.#file.read(block, 0, block.length, offset);
        if (bytesRead === 0) return this.#giveUp("the bundle became shorter while it was sent");
        offset += bytesRead;
        await taken(socket, block.subarray(0, bytesRead));
      }
    } catch (error) {
      this.#giveUp(`the bundle cannot be read any more: ${fileTrouble(error)}`);
    }
  }

  #giveUp(what: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onRefused({ ...NONSENSE, what });
  }
}

/** Resolves once there is room for more, or the connection is gone. */
async function taken(socket: Duplex, bytes: Buffer): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      socket.off("drain", go).off("close", go);
      resolve();
    };
    socket.on("drain", go).on("close", go);
  });
}

const AGAIN = "Give the update again: `futago update FILE`.";
const NONSENSE: UpdateRefused = {
  exitCode: 1,
  what: "the other box has more of the bundle than there is",
  mend: AGAIN,
};
const STILL: UpdateRefused = {
  exitCode: 5,
  what: "nothing more of the bundle has reached the other box for two minutes",
  mend: `Look at both boxes with \`futago status\`, and at the cable between them. ${AGAIN}`,
};

/** Of a file, read in pieces. Rejects with the system's error. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
