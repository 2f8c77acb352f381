/** A bundle that the other box sends over the link between the two cores, onto this one's disk; compared once it is whole. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Offer } from "./bundle-sender.ts";
import { digestOf } from "./bundle-sender.ts";
import { BundleUpload } from "./bundle-upload.ts";
import { SENTENCE_LENGTH_MAX, type UpdateMessage, type UpdateRefused } from "./update-message.ts";

type Piece = Extract<UpdateMessage, { kind: "updatePiece" }>;

interface Intake {
  readonly offer: Offer;
  readonly id: number;
  received: number;
  isWhole: boolean;
}

/** Longer than a link is down in an update that goes on. */
const IDLE_MILLIS = 300_000;

export class BundleIntake {
  readonly #upload: BundleUpload;
  readonly #send: (message: UpdateMessage) => void;
  readonly #onWhole: (offer: Offer, file: string) => void;
  #intake: Intake | undefined;
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

  /** One that goes on with the bundle that is there is told how much of it is; another one takes its place. */
  take(offer: Offer): void {
    this.#inTurn(offer.update, async () => {
      if (!isSame(this.#intake?.offer, offer)) {
        this.#intake = undefined;
        this.#intake = { offer, id: await this.#upload.begin(offer.length), received: 0, isWhole: false };
      }
      this.#tell();
    });
  }

  piece({ update, offset, bytes }: Piece): void {
    this.#inTurn(update, async () => {
      const intake = this.#intake;
      // Of another bundle, or sent twice because an answer was late.
      if (intake?.offer.update !== update || offset !== intake.received || intake.isWhole) return;
      intake.received = await this.#upload.take(intake.id, offset, Buffer.from(bytes, "base64"));
      if (intake.received === intake.offer.length) await this.#compare(intake);
      this.#tell();
      if (intake.isWhole) this.#onWhole(intake.offer, this.#upload.path);
    });
  }

  async forget(): Promise<void> {
    await this.#turn;
    this.#intake = undefined;
    await this.#upload.forget();
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#upload.close();
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
