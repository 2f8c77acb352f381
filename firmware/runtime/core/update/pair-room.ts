/**
 * Updates of the pair: one box leads, the one that serves; the other one is updated first. Who asks the box that does not serve
 * has it hand the bundle over. What is shown of it lies on both.
 */
import type { Duplex } from "node:stream";
import type { BundleFacts } from "../../../update/bundle.ts";
import type { Sight } from "../../../update/pair-compare.ts";
import { type PairStanding, refuseBox, refusePair } from "../../../update/pair-refusals.ts";
import type { PairUpdateShown, PeerVersionShown, ProofShown } from "../../control-update.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Penalty } from "../../messages.ts";
import type { ImageFacts } from "../../update/protocol.ts";
import type { AlarmBoard } from "../alarm-board.ts";
import { refusedOf } from "./bundle-intake.ts";
import { BundleSender, type Offer } from "./bundle-sender.ts";
import type { BundleUpload } from "./bundle-upload.ts";
import { PairFollower } from "./pair-follower.ts";
import { PairLeader, type PairLeaderOptions, type SlotHands } from "./pair-leader.ts";
import { RecordKeeper, type RecordSettings, sentenceOf, shownRecord } from "./pair-record.ts";
import {
  buildName,
  buildOf,
  conflict,
  failedSentence,
  handedOnRecord,
  leaderGone,
  NO_SLOTS,
  offerOf,
  penaltiesOf,
  refused,
  toldOf,
} from "./pair-words.ts";
import type { PairRecord, UpdateMessage, UpdateRefused } from "./update-message.ts";
import type { AskUpdater } from "./updater-client.ts";

export interface PairRoomOptions
  extends Pick<PairLeaderOptions, "clock" | "log" | "times" | "send" | "command" | "isInMaintenance" | "status"> {
  readonly box: "a" | "b" | undefined;
  readonly stateDirectory: string;
  readonly settings: RecordSettings;
  readonly updater: AskUpdater | undefined;
  readonly hands: SlotHands;
  readonly alarms: Pick<AlarmBoard, "set">;
  /** Of the image that runs; undefined until the updater said so, and where there are no slots. */
  readonly image: () => ImageFacts | undefined;
  readonly proof: () => ProofShown;
  /** `isWatched`: while an update goes on, so that it is worth the looking. */
  readonly sight: (isWatched: boolean, onSilent?: () => void) => Promise<Sight>;
  readonly standing: () => PairStanding;
  readonly isPaired: () => boolean;
  readonly isLinked: () => boolean;
  readonly onPenalty: (penalties: readonly Penalty[]) => void;
  readonly onClose: () => void;
}

type Word = Extract<UpdateMessage, { kind: "updateTold" }>;

const TELL_MILLIS = 500;
/** While no update goes on. */
const TELL_IDLE_MILLIS = 5_000;
const AWAY_MILLIS = 120_000;
/** A leader that is away for so long does not lead any more. */
const LEADER_MILLIS_MAX = 1_800_000;

export class PairRoom {
  readonly #options: PairRoomOptions;
  readonly #keeper: RecordKeeper;
  readonly #follower: PairFollower;
  readonly #timer: NodeJS.Timeout;
  #leader: PairLeader | undefined;
  /** Hands a bundle to the box that leads. */
  #handing: BundleSender | undefined;
  #word: Word | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #leaderHeardAt = performance.now();
  #isBeginning = false;
  #forget: (() => Promise<void>) | undefined;

  constructor(options: PairRoomOptions) {
    this.#options = options;
    this.#keeper = new RecordKeeper(options.settings, () => this.#onRecord());
    const { box, stateDirectory, hands, send } = options;
    this.#follower = new PairFollower({
      box,
      stateDirectory,
      hands,
      record: () => this.#keeper.record,
      build: () => buildOf(options.image()),
      send,
      onChange: () => void this.#tell(),
      onWhole: (offer, at) => (offer.lead ? void this.#leadHandedOn(offer, at) : undefined),
    });
    this.#timer = setInterval(() => this.#onTime(), TELL_MILLIS);
    void this.#keeper.load().then(() => this.#onRecord());
  }

  get shown(): { readonly peer: PeerVersionShown | null; readonly pair: PairUpdateShown | null } {
    const { record } = this.#keeper;
    const told = this.#word?.told;
    return {
      peer: told === undefined ? null : { version: told.version, proof: told.proof },
      pair: record === undefined ? null : shownRecord(record),
    };
  }

  /** What an order that would cross the update is answered with; undefined while none goes on. */
  get refusal(): RefusalError | undefined {
    const { record } = this.#keeper;
    if (!this.#isBeginning && !this.isGoingOn) return undefined;
    // Nobody waits for a leader that may be dead.
    const isAway = this.#leader === undefined && performance.now() - this.#leaderHeardAt > AWAY_MILLIS;
    if (!this.#isBeginning && isAway) return undefined;
    const what = `the pair is being updated${record === undefined ? "" : ` to ${record.version}`}`;
    const mend = "`futago update status` shows how far it is, and `futago update stop` takes it back.";
    return new RefusalError({ exitCode: ExitCode.conflict, reason: "pairUpdate", what, mend });
  }

  /** The box has slots, and a peer. */
  get isWanted(): boolean {
    return this.#options.updater !== undefined && this.#options.isPaired();
  }

  get isGoingOn(): boolean {
    return this.#keeper.record?.outcome === "running";
  }

  /** Resolves when the bundle was found fit for both boxes; the rest goes on by itself, and then `forget` is called. */
  async begin(file: string, author: string, forget: () => Promise<void>): Promise<string> {
    return this.#alone(async (updater, box) => {
      const facts = await updater("inspect", { file });
      this.#refuse(facts, box);
      const offer = await offerOf(file, facts, author);
      const doing = `The bundle holds ${facts.version}. `;
      if (this.#options.standing().held > 0) {
        this.#forget = forget;
        this.#lead(box, offer, buildName(facts), file);
        return `${doing}Both boxes are updated to it, the other one first.`;
      }
      await this.#handOn(box, offer, buildName(facts), file, forget);
      return `${doing}Both boxes are updated to it, this one first; the other one serves, and leads.`;
    });
  }

  /** As {@link begin}, of a bundle that was sent. */
  async beginFromUpload(upload: BundleUpload, id: number, author: string): Promise<string> {
    const forget = () => upload.forget();
    return this.begin(await upload.end(id), author, forget).catch(async (error: unknown) => {
      await forget();
      throw error;
    });
  }

  async stop(author: string): Promise<string> {
    const { record } = this.#keeper;
    const { box, isLinked, send } = this.#options;
    if (record?.outcome !== "running")
      throw conflict("no update of the pair is under way", "There is nothing to stop.");
    if (!record.canStop) {
      const what =
        "the update of the pair cannot be stopped any more: it goes back already, or both boxes are about to run it";
      throw conflict(
        what,
        "`futago update status` shows how it goes; `futago update back` starts a box from its other slot.",
      );
    }
    if (this.#leader !== undefined) this.#leader.stop(author);
    else if (record.leader !== box && isLinked()) send({ kind: "updateStop", update: record.id, author });
    else throw conflict("the box that leads the update is not there", "It goes back by itself once it is.");
    return "The update is taken back; `futago update status` shows how that goes.";
  }

  /** From the peer's core. */
  receive(message: UpdateMessage): void {
    switch (message.kind) {
      case "updateTold":
        this.#word = message;
        return;
      case "updateOffer":
        return this.#onOffer(message);
      case "updateGot":
        this.#handing?.hear(message);
        this.#leader?.hear(message);
        if (message.refusal !== undefined) this.#handedOnRefused(message.update, message.refusal);
        return;
      case "updateOrder":
        return this.#follower.order(message);
      case "updateStop":
        if (this.#leader?.state.id === message.update) this.#leader.stop(message.author);
        return;
      case "updateRecord":
        this.#hearRecord(message.record);
    }
  }

  /** A bundle is to go over, whichever way. */
  get wantsBundle(): boolean {
    return this.#sender !== undefined || this.#follower.intake.isWanting;
  }

  /** The connection for its bytes stands. */
  attachBundle(socket: Duplex): void {
    (this.#sender ?? this.#follower.intake).attach(socket);
  }

  get #sender(): BundleSender | undefined {
    return [this.#handing, this.#leader?.sender].find((one) => one?.isClosed === false);
  }

  /** The link came or went: what was told was told over another one. */
  setLink(up: boolean): void {
    this.#word = undefined;
    this.#leader?.setLink(up);
    if (!up) return;
    this.#handing?.restart();
    void this.#tell();
  }

  /** The updater has said what runs here: an update that this box led when it ended goes on. */
  async onImage(): Promise<void> {
    await this.#keeper.load();
    const { record } = this.#keeper;
    if (record !== undefined) this.#resume(record);
    this.#onRecord();
    void this.#tell();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#leader?.close();
    this.#handing?.close();
    void this.#follower.intake.close();
    this.#options.onClose();
  }

  async #alone(act: (updater: AskUpdater, box: "a" | "b") => Promise<string>): Promise<string> {
    const { updater, box } = this.#options;
    if (this.refusal !== undefined) throw this.refusal;
    if (updater === undefined || box === undefined)
      throw new TypeError("an update of a pair on a box that is none of one");
    this.#isBeginning = true;
    try {
      return await act(updater, box);
    } finally {
      this.#isBeginning = false;
    }
  }

  #refuse(facts: BundleFacts, box: "a" | "b"): void {
    const { standing, image, proof } = this.#options;
    const other = box === "a" ? "b" : "a";
    const word = this.#word;
    const refusal =
      refusePair({ ...standing(), speaks: word !== undefined }) ??
      refuseBox({ box: other, build: word?.build ?? undefined, isProven: word?.isProven === true }, facts) ??
      refuseBox({ box, build: image(), isProven: proof().state === "good" }, facts);
    if (refusal !== undefined) throw refused(refusal);
  }

  #lead(box: "a" | "b", offer: Offer, build: string, file: string): void {
    this.#leader = PairLeader.begin(this.#leaderOptions(), box, build, { ...offer, lead: false }, file);
  }

  #leaderOptions(): PairLeaderOptions {
    const { proof, sight } = this.#options;
    return {
      ...this.#options,
      keeper: this.#keeper,
      sight: (onSilent) => sight(true, onSilent),
      told: () => this.#word?.told,
      ownProof: () => ({ ...proof(), proof: proof().state }),
      onOver: () => {
        this.#leader = undefined;
        void this.#forgetBundle();
      },
    };
  }

  async #forgetBundle(): Promise<void> {
    const forget = this.#forget;
    this.#forget = undefined;
    await forget?.();
    await this.#follower.forget();
  }

  /** The box that serves leads: it gets the bundle first. */
  async #handOn(box: "a" | "b", offer: Offer, build: string, file: string, forget: () => Promise<void>): Promise<void> {
    const leader = box === "a" ? "b" : "a";
    const { update: id } = offer;
    this.#follower.keepOwn(id, file, forget);
    const record = handedOnRecord(offer, build, leader);
    this.#keeper.set(record);
    this.#handing = await BundleSender.begin({
      offer: { ...offer, lead: true },
      file,
      send: this.#options.send,
      onPercent: (percent) => {
        if (this.#keeper.record?.id === id) this.#keeper.set({ ...record, percent });
      },
      onWhole: () => (this.#handing = undefined),
      onRefused: (refusal) => this.#handedOnRefused(id, refusal),
    });
  }

  /** Also once it was whole: whoever leads looks at the bundle and at both boxes himself. */
  #handedOnRefused(update: string, { what, mend }: UpdateRefused): void {
    const { record } = this.#keeper;
    if (record?.id !== update || record.leader === this.#options.box || record.stage !== "sending") return;
    this.#handing = undefined;
    const failure = sentenceOf(`box ${record.leader}: ${what}. ${mend}`.trim());
    this.#keeper.set({ ...record, stage: "over", outcome: "cameBack", percent: null, failure });
    void this.#follower.forget();
  }

  #onOffer(offer: Extract<UpdateMessage, { kind: "updateOffer" }>): void {
    const isOther = this.isGoingOn && this.#keeper.record?.id !== offer.update;
    const hasSlots = this.#options.updater !== undefined;
    const refusal = isOther ? this.refusal : hasSlots ? undefined : refused(NO_SLOTS);
    if (refusal !== undefined) return this.#sayRefused(offer.update, refusal);
    if (this.#leader?.state.id === offer.update) return;
    if (!offer.lead || this.#follower.intake.fileOf(offer.update) === undefined) this.#follower.take(offer);
  }

  /** A bundle that the other box handed on is whole: this one leads. */
  async #leadHandedOn(offer: Offer, file: string): Promise<void> {
    try {
      await this.#alone(async (updater, box) => {
        const facts = await updater("inspect", { file });
        this.#refuse(facts, box);
        this.#lead(box, { ...offer, version: facts.version }, buildName(facts), file);
        return "";
      });
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      this.#sayRefused(offer.update, error);
    }
  }

  #sayRefused(update: string, error: RefusalError): void {
    const refusal = refusedOf(error);
    this.#options.send({ kind: "updateGot", update, received: 0, isWhole: false, refusal });
  }

  #hearRecord(record: PairRecord): void {
    const { box } = this.#options;
    const own = this.#keeper.record;
    if (record.leader === box) {
      // What this box put down went with a store that was set back.
      const isNews = this.#leader === undefined && own?.id !== record.id && record.outcome === "running";
      return isNews ? this.#resume(record) : undefined;
    }
    if (this.#leader !== undefined) return;
    this.#leaderHeardAt = performance.now();
    this.#handing?.close();
    this.#handing = undefined;
    this.#keeper.set(record);
    if (record.outcome !== "running") void this.#follower.forget();
  }

  #resume(record: PairRecord): void {
    const { box, image } = this.#options;
    const runs = image();
    if (record.leader !== box || record.outcome !== "running" || this.#leader !== undefined || runs === undefined)
      return;
    const build = buildName(runs);
    this.#leader = PairLeader.resume(this.#leaderOptions(), record, { version: runs.version, build });
  }

  #onTime(): void {
    const isDue = performance.now() - this.#toldAt >= (this.isGoingOn ? TELL_MILLIS : TELL_IDLE_MILLIS) - 1;
    if (isDue) void this.#tell();
    this.#onRecord();
    const { record } = this.#keeper;
    if (record?.outcome !== "running" || this.#leader !== undefined || this.#handing !== undefined) return;
    if (this.#options.isLinked()) this.#leaderHeardAt = performance.now();
    if (performance.now() - this.#leaderHeardAt < LEADER_MILLIS_MAX || record.leader === this.#options.box) return;
    this.#keeper.set(leaderGone(record, buildOf(this.#options.image()) === record.build));
  }

  async #tell(): Promise<void> {
    const { isPaired, isLinked, proof, image, sight, send, updater } = this.#options;
    if (updater === undefined || !isPaired() || !isLinked()) return;
    this.#toldAt = performance.now();
    const seen = { sight: await sight(this.isGoingOn), runs: image(), proof: proof() };
    const told = toldOf({ ...seen, work: this.#follower.work });
    send({ kind: "updateTold", told, build: image() ?? null, isProven: told.proof === "good" });
  }

  #onRecord(): void {
    const { alarms, onPenalty, box, image } = this.#options;
    const { record } = this.#keeper;
    const own = buildOf(image());
    const isProven = this.#options.proof().state === "good";
    onPenalty(penaltiesOf(record, { box, build: own, isProven }));
    const isOver = record !== undefined && record.outcome !== "running" && record.outcome !== "done";
    const theirs = this.#word?.told.build;
    // Whoever updated the other box since has mended it.
    const isMended = theirs === own && own === record?.build;
    alarms.set("pair-update-failed", "", isOver && !isMended ? failedSentence(record) : undefined);
  }
}
