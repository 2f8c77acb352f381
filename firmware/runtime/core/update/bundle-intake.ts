/**
 * A bundle that the other box has, onto this one's disk: asked for over a connection of its own, from where it broke off, and
 * compared once it is whole.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { encodeRequest } from "./bundle-request.ts";
import type { Offer } from "./bundle-sender.ts";
import { digestOf } from "./bundle-sender.ts";
import { BundleUpload } from "./bundle-upload.ts";
import { SENTENCE_LENGTH_MAX, type UpdateMessage, type UpdateRefused } from "./update-message.ts";

interface Intake {
  readonly offer: Offer;
  readonly id: number;
  received: number;
  isWhole: boolean;
}

/** Longer than a link is down in an update that goes on. */
const IDLE_MILLIS = 300_000;
/** The other box is told so often how much is there. */
const TELL_MILLIS = 500;
/** An offer that stands is made again each two seconds while nothing comes: one that was not for so long is none any more. */
const OFFERED_MILLIS = 15_000;

export class BundleIntake {
  readonly #upload: BundleUpload;
  readonly #send: (message: UpdateMessage) => void;
  readonly #onWhole: (offer: Offer, file: string) => void;
  #intake: Intake | undefined;
  #socket: Duplex | undefined;
  /** What was asked for last, and over which connection. */
  #asked: { readonly socket: Duplex; readonly intake: Intake } | undefined;
  /** When it was offered, or some of it came. */
  #offeredAt = Number.NEGATIVE_INFINITY;
  #toldAt = Number.NEGATIVE_INFINITY;
  #turn: Promise<void> = Promise.resolve();

  /** Its directory is emptied. */
  constructor(
    stateDirectory: string,
    send: (message: UpdateMessage) => void,
    onWhole: (offer: Offer, file: string) => void,
  ) {
    this.#upload = new BundleUpload(join(stateDirectory, "pair-update"), IDLE_MILLIS);
    this.#send = send;
    this.#onWhole = onWhole;
  }

  /** The path of this update's bundle, once it is whole. */
  fileOf(update: string): string | undefined {
    return this.#intake?.offer.update === update && this.#intake.isWhole ? this.#upload.path : undefined;
  }

  /** There is one of which more is to come, from somebody who still has it. */
  get isWanting(): boolean {
    const intake = this.#intake;
    const isOffered = performance.now() - this.#offeredAt < OFFERED_MILLIS;
    return intake !== undefined && intake.received < intake.offer.length && isOffered;
  }

  /** One that goes on with the bundle that is there is told how much of it is; another one takes its place. */
  take(offer: Offer): void {
    this.#offeredAt = performance.now();
    this.#inTurn(offer.update, async () => {
      if (!isSame(this.#intake?.offer, offer)) {
        this.#intake = undefined;
        this.#intake = { offer, id: await this.#upload.begin(offer.length), received: 0, isWhole: false };
      }
      this.#tell();
      this.#ask();
    });
  }

  /** The connection for its bytes stands; another one takes its place. It may stand before it is known what to ask for. */
  attach(socket: Duplex): void {
    this.#socket?.destroy();
    this.#socket = socket;
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      const intake = this.#intake;
      // Unasked, or of a bundle whose place another one has taken.
      if (intake === undefined || this.#asked?.socket !== socket || this.#asked.intake !== intake)
        return void socket.destroy();
      socket.pause();
      this.#inTurn(intake.offer.update, () => this.#piece(socket, intake, bytes));
    });
    if (this.#intake !== undefined) this.#inTurn(this.#intake.offer.update, async () => this.#ask());
  }

  async forget(): Promise<void> {
    await this.#turn;
    this.#intake = undefined;
    this.#socket?.destroy();
    await this.#upload.forget();
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    await this.#turn;
    await this.#upload.close();
  }

  #ask(): void {
    const [socket, intake] = [this.#socket, this.#intake];
    if (socket === undefined || socket.destroyed || intake === undefined || intake.isWhole) return;
    if (this.#asked?.socket === socket && this.#asked.intake === intake) return;
    this.#asked = { socket, intake };
    socket.write(encodeRequest({ update: intake.offer.update, offset: intake.received }));
  }

  async #piece(socket: Duplex, intake: Intake, bytes: Buffer): Promise<void> {
    if (this.#intake !== intake || intake.isWhole) return void socket.destroy();
    intake.received = await this.#upload.take(intake.id, intake.received, bytes);
    this.#offeredAt = performance.now();
    if (intake.received < intake.offer.length) {
      if (performance.now() - this.#toldAt >= TELL_MILLIS) this.#tell();
      socket.resume();
      return;
    }
    socket.destroy();
    await this.#compare(intake);
    this.#tell();
    this.#onWhole(intake.offer, this.#upload.path);
  }

  async #compare(intake: Intake): Promise<void> {
    const file = await this.#upload.end(intake.id);
    if ((await digestOf(file)) !== intake.offer.digest) {
      await rm(file, { force: true });
      const what = "the bundle did not come over as it was sent: its SHA-256 sum is another one";
      throw new RefusalError({ exitCode: ExitCode.failed, what, mend: "Give the update again." });
    }
    intake.isWhole = true;
  }

  #tell(): void {
    const intake = this.#intake;
    if (intake === undefined) return;
    this.#toldAt = performance.now();
    const { offer, received, isWhole } = intake;
    this.#send({ kind: "updateGot", update: offer.update, received, isWhole, refusal: undefined });
  }

  #inTurn(update: string, act: () => Promise<void>): void {
    const before = this.#turn;
    const carryOut = async () => {
      await before;
      try {
        await act();
      } catch (error) {
        if (!(error instanceof RefusalError)) throw error;
        this.#intake = undefined;
        const refusal = refusedOf(error);
        this.#send({ kind: "updateGot", update, received: 0, isWhole: false, refusal });
      }
    };
    this.#turn = carryOut();
  }
}

/** As it goes over the link. */
export function refusedOf({ refusal }: RefusalError): UpdateRefused {
  const { exitCode, what, mend = "" } = refusal;
  const isTold = exitCode === ExitCode.peerNeeded || exitCode === ExitCode.conflict;
  const [short, advice] = [what, mend].map((words) => words.slice(0, SENTENCE_LENGTH_MAX));
  return { exitCode: isTold ? exitCode : ExitCode.failed, what: short ?? "", mend: advice ?? "" };
}

function isSame(one: Offer | undefined, other: Offer): boolean {
  return one?.update === other.update && one.digest === other.digest && one.length === other.length;
}
