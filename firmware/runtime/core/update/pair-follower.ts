/** The box that is updated first: takes the bundle, and does what the one that leads says, as far as that is about its update. */
import type { Work } from "../../../update/pair-types.ts";
import { BundleIntake } from "./bundle-intake.ts";
import type { Offer } from "./bundle-sender.ts";
import { type SlotHands, troubleOf } from "./pair-leader.ts";
import { sentenceOf } from "./pair-record.ts";
import type { PairRecord, UpdateMessage } from "./update-message.ts";

export interface PairFollowerOptions {
  readonly box: "a" | "b" | undefined;
  readonly stateDirectory: string;
  readonly hands: SlotHands;
  readonly record: () => PairRecord | undefined;
  /** What runs here. */
  readonly build: () => string | undefined;
  readonly send: (message: UpdateMessage) => void;
  /** Something that the other box is to know. */
  readonly onChange: () => void;
  /** A bundle came whole. */
  readonly onWhole: (offer: Offer, file: string) => void;
}

type Order = Extract<UpdateMessage, { kind: "updateOrder" }>;

export class PairFollower {
  readonly #options: PairFollowerOptions;
  readonly intake: BundleIntake;
  #work: Work | null = null;
  /** A bundle that this box handed to the one that leads. */
  #own: { readonly update: string; readonly file: string; readonly forget: () => Promise<void> } | undefined;

  constructor(options: PairFollowerOptions) {
    this.#options = options;
    this.intake = new BundleIntake(options.stateDirectory, options.send, options.onWhole);
  }

  get work(): Work | null {
    return this.#work;
  }

  /** What is given to the leader need not come back. */
  keepOwn(update: string, file: string, forget: () => Promise<void>): void {
    this.#own = { update, file, forget };
  }

  take(offer: Offer): void {
    if (this.#own?.update !== offer.update) return this.intake.take(offer);
    const { update, length } = offer;
    this.#options.send({ kind: "updateGot", update, received: length, isWhole: true, refusal: undefined });
  }

  order({ update, order }: Order): void {
    const { record, box } = this.#options;
    const of = record();
    // Only of the update that this box follows, and only while that goes on.
    if (of?.id !== update || of.leader === box || of.outcome !== "running") return;
    switch (order) {
      case "install":
        if (this.#work?.update !== update || this.#work.doing === "failed") void this.#install(update);
        return;
      case "start":
        if (this.#work?.update === update && this.#work.doing === "installed") void this.#start(update);
        return;
      case "goBack":
        void this.#goBack(update, of.build);
    }
  }

  /** The update is over. */
  async forget(): Promise<void> {
    this.#work = null;
    const own = this.#own;
    this.#own = undefined;
    await own?.forget();
    await this.intake.forget();
  }

  async #install(update: string): Promise<void> {
    const file = this.#own?.update === update ? this.#own.file : this.intake.fileOf(update);
    if (file === undefined) return this.#set({ update, doing: "failed", percent: null, failure: "it has no bundle" });
    this.#set({ update, doing: "installing", percent: 0, failure: null });
    const onPercent = (percent: number) => this.#set({ update, doing: "installing", percent, failure: null });
    const trouble = await troubleOf(() => this.#options.hands.install(file, onPercent));
    this.#done(update, "installed", trouble);
  }

  async #start(update: string): Promise<void> {
    this.#set({ update, doing: "starting", percent: null, failure: null });
    const trouble = await troubleOf(() => this.#options.hands.startTrial());
    if (trouble !== undefined) this.#done(update, "starting", trouble);
  }

  async #goBack(update: string, build: string): Promise<void> {
    const { hands } = this.#options;
    if (this.#work?.doing === "goingBack") return;
    const runsIt = this.#options.build() === build;
    if (!runsIt) {
      await troubleOf(() => hands.cancelTrial());
      this.#work = null;
      return this.#options.onChange();
    }
    this.#set({ update, doing: "goingBack", percent: null, failure: null });
    const trouble = await troubleOf(() => hands.goBack());
    if (trouble !== undefined) this.#done(update, "goingBack", trouble);
  }

  #done(update: string, doing: "installed" | "starting" | "goingBack", trouble: string | undefined): void {
    if (trouble === undefined) this.#set({ update, doing, percent: null, failure: null });
    else this.#set({ update, doing: "failed", percent: null, failure: sentenceOf(trouble) });
  }

  #set(work: Work): void {
    const of = this.#options.record();
    // An installation may outlast its update.
    if (of?.id !== work.update || of.outcome !== "running") return;
    this.#work = work;
    this.#options.onChange();
  }
}
