/**
 * Sends a bundle to the other box over the link between the two cores: a piece at a time, the next one once the former lies on
 * the other's disk, so that what else there is to say waits for one piece at most; after the link was down it goes on where
 * the other box is.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { fileTrouble } from "../../files.ts";
import { PIECE_BYTES_MAX, type UpdateMessage, type UpdateRefused } from "./update-message.ts";

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

/** Without a word of the other box for so long, it is given up. */
const SILENCE_MILLIS_MAX = 120_000;
/** An offer that was lost is made again. */
const OFFER_MILLIS = 2_000;

export class BundleSender {
  readonly #options: BundleSenderOptions;
  readonly #file: FileHandle;
  readonly #offering: NodeJS.Timeout;
  #heardAt = performance.now();
  #isClosed = false;
  #isReading = false;

  private constructor(options: BundleSenderOptions, file: FileHandle) {
    this.#options = options;
    this.#file = file;
    this.#offering = setInterval(() => this.#offerAgain(), OFFER_MILLIS);
    this.#offer();
  }

  static async begin(options: BundleSenderOptions): Promise<BundleSender> {
    return new BundleSender(options, await open(options.file, "r"));
  }

  hear(message: Extract<UpdateMessage, { kind: "updateGot" }>): void {
    const { offer, onPercent, onWhole, onRefused } = this.#options;
    if (this.#isClosed || message.update !== offer.update) return;
    this.#heardAt = performance.now();
    const { received, isWhole, refusal } = message;
    if (refusal !== undefined || isWhole || received > offer.length) {
      this.close();
      if (refusal !== undefined) onRefused(refusal);
      else if (isWhole) onWhole();
      else onRefused(NONSENSE);
      return;
    }
    onPercent(Math.floor((100 * received) / offer.length));
    if (received < offer.length) void this.#piece(received);
  }

  /** The link came up: the other box says how much it has. */
  restart(): void {
    if (!this.#isClosed) this.#offer();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#offering);
    // A read that is under way ends first; one that fails then has nobody who waits for it.
    void this.#file.close();
  }

  #offer(): void {
    this.#options.send({ kind: "updateOffer", ...this.#options.offer });
  }

  #offerAgain(): void {
    const silence = performance.now() - this.#heardAt;
    if (silence > SILENCE_MILLIS_MAX) {
      this.close();
      this.#options.onRefused(SILENT);
    } else if (silence > OFFER_MILLIS) this.#offer();
  }

  async #piece(offset: number): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { offer, send, onRefused } = this.#options;
    try {
      const buffer = Buffer.allocUnsafe(PIECE_BYTES_MAX);
      const { bytesRead } = await this.#file.read(buffer, 0, PIECE_BYTES_MAX, offset);
      if (this.#isClosed) return;
      if (bytesRead === 0) {
        this.close();
        return onRefused({ ...NONSENSE, what: "the bundle became shorter while it was sent" });
      }
      const bytes = buffer.subarray(0, bytesRead).toString("base64");
      send({ kind: "updatePiece", update: offer.update, offset, bytes });
    } catch (error) {
      if (this.#isClosed) return;
      this.close();
      onRefused({ ...NONSENSE, what: `the bundle cannot be read any more: ${fileTrouble(error)}` });
    } finally {
      this.#isReading = false;
    }
  }
}

const AGAIN = "Give the update again: `futago update FILE`.";
const NONSENSE: UpdateRefused = {
  exitCode: 1,
  what: "the other box has more of the bundle than there is",
  mend: AGAIN,
};
const SILENT: UpdateRefused = {
  exitCode: 5,
  what: "the other box did not say anything for two minutes while the bundle was sent to it",
  mend: AGAIN,
};

/** Of a file, read in pieces. Rejects with the system's error. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
