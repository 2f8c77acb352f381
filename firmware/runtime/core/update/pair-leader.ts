/** Leads an update of the pair on the machine: looks, and carries out what update/pair-update.ts orders. */
import type { Clock } from "@futago/hal/contract/machine.ts";
import type { Sight } from "../../../update/pair-compare.ts";
import type { PairInput, PairOrder, PairStep, PairTimes, PairUpdate, Told } from "../../../update/pair-types.ts";
import { beginPairUpdate, resumePairUpdate, stepOwnProof, stepPairUpdate } from "../../../update/pair-update.ts";
import type { UpdateStep } from "../../control-update.ts";
import { RefusalError } from "../../exit-code.ts";
import type { SentinelCommand, SentinelStatus } from "../../messages.ts";
import type { Log } from "../log.ts";
import type { CommandResult } from "../sentinel-link.ts";
import { BundleSender, type Offer } from "./bundle-sender.ts";
import { recordOf, type RecordKeeper, stepNow } from "./pair-record.ts";
import type { PairRecord, UpdateMessage } from "./update-message.ts";

/** What this box can do with its own slots. */
export interface SlotHands {
  install(file: string, onPercent: (percent: number) => void): Promise<void>;
  /** Hands over what this box holds, and starts it anew from the other slot, on trial. */
  startTrial(): Promise<void>;
  /** The slot that runs is bad, and the box starts anew from the other one. */
  goBack(): Promise<void>;
  /** The next start takes the slot that runs. */
  cancelTrial(): Promise<void>;
}

export interface PairLeaderOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly times: PairTimes;
  readonly keeper: RecordKeeper;
  readonly hands: SlotHands;
  readonly send: (message: UpdateMessage) => void;
  readonly command: (command: SentinelCommand) => Promise<CommandResult>;
  /** A person wants this box in maintenance. */
  readonly isInMaintenance: () => boolean;
  readonly status: () => SentinelStatus | undefined;
  /** `onSilent`: a VIP of the other box has just stopped answering. */
  readonly sight: (onSilent: () => void) => Promise<Sight>;
  /** Undefined while the link is down. */
  readonly told: () => Told | undefined;
  readonly ownProof: () => Pick<Told, "proof" | "findings" | "secondsLeft">;
  /** It is over, however. */
  readonly onOver: () => void;
}

const LOOK_MILLIS = 500;
const BACK_MILLIS_MAX = 20_000;
const AGAIN_MILLIS = 100;

export class PairLeader {
  readonly #options: PairLeaderOptions;
  readonly #of: { readonly author: string; readonly startedAt: string };
  readonly #offer: Offer | undefined;
  readonly #file: string | undefined;
  readonly #looking: NodeJS.Timeout;
  #state: PairUpdate;
  #steps: readonly UpdateStep[];
  #sender: BundleSender | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isLooking = false;
  #closed = false;

  private constructor(
    options: PairLeaderOptions,
    from: Pick<PairRecord, "author" | "startedAt" | "steps">,
    first: PairStep,
    bundle: { readonly offer: Offer; readonly file: string } | undefined,
  ) {
    this.#options = options;
    this.#of = from;
    this.#steps = from.steps;
    this.#offer = bundle?.offer;
    this.#file = bundle?.file;
    this.#state = first.state;
    this.#looking = setInterval(() => void this.#look(), LOOK_MILLIS);
    this.#apply(first);
  }

  /** `file` stays where it is until `onOver`. */
  static begin(options: PairLeaderOptions, leader: "a" | "b", build: string, offer: Offer, file: string): PairLeader {
    const { update: id, version, author } = offer;
    const first = beginPairUpdate({ id, version, build, leader }, options.clock.now());
    const from = { author, startedAt: new Date().toISOString(), steps: [] };
    return new PairLeader(options, from, first, { offer, file });
  }

  /** This box was started anew in the middle of it. */
  static resume(options: PairLeaderOptions, record: PairRecord, runs: Pick<Told, "version" | "build">): PairLeader {
    return new PairLeader(options, record, resumePairUpdate(record, runs, options.clock.now()), undefined);
  }

  get state(): PairUpdate {
    return this.#state;
  }

  get sender(): BundleSender | undefined {
    return this.#sender;
  }

  stop(author: string): void {
    this.#input({ kind: "stop", author });
  }

  hear(message: Extract<UpdateMessage, { kind: "updateGot" }>): void {
    this.#sender?.hear(message);
  }

  /** What the other box was told went with the link. */
  setLink(up: boolean): void {
    if (up) {
      this.#sender?.restart();
      this.#tellRecord();
    } else void this.#look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#sender?.close();
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#closed) return;
    this.#isLooking = true;
    const { sight, told, ownProof } = this.#options;
    // That the link went down must be seen even when it is up again by the time that everything was looked at.
    const heard = told();
    try {
      const own = await sight(() => void this.#look());
      if (this.#closed) return;
      this.#input({ kind: "look", told: heard, own });
      this.#apply(stepOwnProof(this.#state, ownProof()));
    } finally {
      this.#isLooking = false;
    }
  }

  #input(input: PairInput): void {
    this.#apply(stepPairUpdate(this.#options.times, this.#state, input, this.#options.clock.now()));
  }

  #apply({ state, orders }: PairStep): void {
    const { keeper, log, onOver } = this.#options;
    if (this.#closed) return;
    const wasRunning = this.#state.outcome === "running";
    this.#state = state;
    for (const order of orders) {
      if (order.kind !== "say") continue;
      this.#steps = [...this.#steps, stepNow(order.sentence)];
      log.info("pair-update", { update: state.id, stage: state.stage, box: state.box, sentence: order.sentence });
    }
    const record = recordOf(state, { ...this.#of, steps: this.#steps });
    if (JSON.stringify(record) !== JSON.stringify(keeper.record)) {
      keeper.set(record);
      this.#tellRecord();
    }
    const work = orders.filter((order) => order.kind !== "say");
    if (work.length > 0) this.#turn = this.#carryOutAll(this.#turn, work);
    if (state.outcome === "running" || (!wasRunning && orders.length === 0)) return;
    this.close();
    onOver();
  }

  #tellRecord(): void {
    const { record } = this.#options.keeper;
    if (record?.id === this.#state.id) this.#options.send({ kind: "updateRecord", record });
  }

  /** What is done was put down before: a box that dies in the middle knows what it was about. */
  async #carryOutAll(before: Promise<void>, orders: readonly PairOrder[]): Promise<void> {
    await before;
    await this.#options.keeper.written();
    for (const order of orders) if (!this.#closed) await this.#carryOut(order);
  }

  async #carryOut(order: PairOrder): Promise<void> {
    switch (order.kind) {
      case "say":
        return;
      case "tell":
        return this.#options.send({ kind: "updateOrder", update: this.#state.id, order: order.order });
      case "send":
        return this.#send();
      case "stopSending":
        return this.#sender?.close();
      case "handOver":
        return this.#input({ kind: "handedOver", trouble: await this.#handOver() });
      case "handBack":
        return this.#input({ kind: "handedBack", trouble: await this.#handBack() });
      case "install":
        return this.#install();
      case "start":
        return this.#start();
    }
  }

  async #send(): Promise<void> {
    const [offer, file] = [this.#offer, this.#file];
    if (offer === undefined || file === undefined) return;
    this.#sender = await BundleSender.begin({
      offer,
      file,
      send: this.#options.send,
      onPercent: (percent) => this.#input({ kind: "sending", percent }),
      onWhole: () => this.#input({ kind: "sent" }),
      onRefused: ({ what, mend }) => this.#input({ kind: "notSent", why: mend === "" ? what : `${what}. ${mend}` }),
    });
  }

  /** As for maintenance: make before break, and nothing to take over by a second order that crosses it. */
  async #handOver(): Promise<string | undefined> {
    const { command, status, isInMaintenance } = this.#options;
    const holds = status()?.groups.some(({ state }) => state === "active");
    if (holds === false) return undefined;
    const { ok, cause, message } = await command({ kind: "maintenance", on: true });
    await command({ kind: "maintenance", on: isInMaintenance() });
    return ok ? undefined : (cause ?? message);
  }

  async #handBack(): Promise<string | undefined> {
    const { command, status, isInMaintenance } = this.#options;
    let trouble = "the sentinel says nothing";
    for (const end = performance.now() + BACK_MILLIS_MAX; performance.now() < end && !this.#closed; ) {
      // A core that died while it handed over has left the sentinel in maintenance.
      await command({ kind: "maintenance", on: isInMaintenance() });
      const missing = status()?.groups.filter(({ state }) => state !== "active");
      if (missing?.length === 0) return undefined;
      for (const { name } of missing ?? []) {
        const { ok, message } = await command({ kind: "switchover", group: name });
        if (!ok) trouble = message;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLIS));
    }
    return trouble;
  }

  async #install(): Promise<void> {
    const { hands } = this.#options;
    const trouble = await troubleOf(() =>
      hands.install(this.#file ?? "", (percent) => this.#input({ kind: "writing", percent })),
    );
    this.#input({ kind: "written", trouble });
  }

  async #start(): Promise<void> {
    const why = await troubleOf(() => this.#options.hands.startTrial());
    if (why !== undefined) this.#input({ kind: "notStarted", why });
  }
}

/** Undefined when it was done. */
export async function troubleOf(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    const { what, mend } = error.refusal;
    return mend === undefined ? what : `${what}. ${mend}`;
  }
}
