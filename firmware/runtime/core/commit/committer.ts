/**
 * Runs the commit protocol of this box: carries out what the machine says, on the disk, the kernel and the link to the
 * peer, and tells it what came of it. The rules are pair/commit's.
 */
import type { Hal } from "@futago/hal/contract/hal.ts";
import { between, type Instant, instant, toMillis } from "@futago/hal/units/time.ts";
import { newestConfirmed } from "../../../pair/commit/catch-up.ts";
import { isUnconfirmed } from "../../../pair/commit/parts.ts";
import { initialCommit, nextTimeout, step } from "../../../pair/commit/step.ts";
import type {
  CommitAction,
  CommitConfig,
  CommitInput,
  CommitMessage,
  CommitState,
  Outcome,
  Revision,
  RevisionSummary,
  Wish,
} from "../../../pair/commit/types.ts";
import type { UnconfirmedShown } from "../../control.ts";
import { RefusalError } from "../../exit-code.ts";
import type { Configuration, InForce } from "../configuration.ts";
import type { Log } from "../log.ts";
import type { Disagreement, Lost, Stuck } from "../sentences.ts";
import { LINEAGE_MAX, WANTED_MAX } from "../peer-link/commit-message.ts";
import { Documents } from "./documents.ts";
import { Errands } from "./errands.ts";
import { HandOvers } from "./handed-over.ts";
import { LatestSettings } from "./latest-settings.ts";

export interface CommitterOptions {
  readonly hal: Pick<Hal, "clock" | "sysctl">;
  readonly configuration: Configuration;
  readonly log: Log;
  readonly box: CommitConfig["box"];
  /** Brings the box to a revision; what did not work, as a sentence. */
  readonly putIntoForce: (inForce: InForce) => Promise<string | undefined>;
  readonly send: (message: CommitMessage) => void;
  /** Resolves when what was sent so far is on its way, or lost. */
  readonly sent: () => Promise<void>;
  /** The head or what is said of it changed. */
  readonly onChange: () => void;
}

/** The setting that keeps which of two siblings lost, until somebody commits after that. */
const LOST = "lost";
/** The setting that keeps the deadline of an unconfirmed revision, or of one that could not be rolled back. */
const DEADLINE = "unconfirmed";
/** The setting that keeps what is to be rolled back once it is the head. */
const WITHDRAWN = "withdrawn";
/** It stands in a comment, and goes to the peer. */
const TROUBLE_LENGTH_MAX = 2_000;
const MORE_THAN_IS_KEPT = { what: "the other box hands over more than is kept" };
const TIMER_MILLIS_MAX = 2 ** 31 - 1;
/** The peer asks for one, and for a newer one when the head moves meanwhile. */
const SERVED_MAX = 4;

export class Committer {
  readonly #options: CommitterOptions;
  readonly #documents: Documents;
  readonly #bootId: string;
  readonly #replies = new Map<number, (outcome: Outcome) => void>();
  /** Documents that the peer asks for: many of the largest do not fit into the memory at once. */
  readonly #served = new Errands(SERVED_MAX);
  readonly #toHandOver = new Errands(WANTED_MAX);
  readonly #handOvers = new HandOvers();
  /** Told once while the link stands, and not as often as the other box likes. */
  #toldNotKept = false;
  readonly #settings: LatestSettings;
  #nextRequest = 1;
  #state: CommitState;
  #timer: NodeJS.Timeout | undefined;
  #disagreement: Disagreement = { cannotTake: undefined, lost: undefined };
  #settled: () => void = () => undefined;
  #closed = false;

  private constructor(options: CommitterOptions, bootId: string, state: CommitState) {
    this.#options = options;
    this.#documents = new Documents(options.configuration, options.box !== undefined);
    const { configuration, log } = options;
    this.#settings = new LatestSettings(
      (key, value) => configuration.putSetting(key, value),
      (key, error) => log.warn("setting-not-kept", { key, error: String(error) }),
    );
    this.#bootId = bootId;
    this.#state = state;
  }

  static async open(options: CommitterOptions): Promise<Committer> {
    const { configuration, hal } = options;
    const bootId = hal.sysctl.read("kernel.random.boot_id").trim();
    const line = await configuration.store.lineage(LINEAGE_MAX);
    const deadline = readDeadline(await configuration.setting(DEADLINE), line[0], bootId);
    const withdrawn = await configuration.setting(WITHDRAWN);
    const state = initialCommit(line[0], deadline, newestConfirmed(line), withdrawn);
    // Until the sentinel says otherwise the peer may be there, and active.
    const committer = new Committer(options, bootId, { ...state, peerAlive: options.box !== undefined });
    const lost = await configuration.setting(LOST);
    if (lost !== undefined) committer.#disagreement = { cannotTake: undefined, lost: JSON.parse(lost) as Lost };
    return committer;
  }

  /** Resolves when the head is in force, or as much of it as can be; at once where there is none. */
  async bringUp(): Promise<void> {
    const settled = new Promise<void>((resolve) => {
      this.#settled = resolve;
    });
    this.#input({ kind: "timeout" });
    await settled;
  }

  get head(): RevisionSummary | undefined {
    return this.#state.head;
  }

  /** The head, while it waits for somebody to confirm it. */
  get unconfirmed(): UnconfirmedShown | null {
    const { head, deadline } = this.#state;
    if (head === undefined || deadline === undefined || !isUnconfirmed(head)) return null;
    const left = toMillis(between(this.#options.hal.clock.now(), deadline));
    return { revision: head.id, author: head.author, rollsBackAt: new Date(Date.now() + left).toISOString() };
  }

  /** The head, while it is to be rolled back and cannot be. */
  get stuck(): Stuck | undefined {
    const { head, barred } = this.#state;
    if (head === undefined || barred === undefined) return undefined;
    return { revision: head.id, author: head.author, refusal: barred.refusal, canStay: isUnconfirmed(head) };
  }

  /** Nothing is being changed, here or for the peer, and nobody waits for it. */
  get isQuiet(): boolean {
    const { work, waiting, forwarded, offered } = this.#state;
    return work.kind === "idle" && waiting.length === 0 && forwarded.length === 0 && offered === undefined;
  }

  get #hasPeer(): boolean {
    return this.#state.link !== undefined || this.#state.peerAlive;
  }

  get disagreement(): Disagreement {
    return this.#disagreement;
  }

  request(wish: Wish): Promise<Outcome> {
    const id = this.#nextRequest++;
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      this.#input({ kind: "request", request: { id, origin: "here", wish } });
    });
  }

  setRole(active: boolean, peerAlive: boolean): void {
    if (active !== this.#state.active || peerAlive !== this.#state.peerAlive)
      this.#input({ kind: "role", active, peerAlive });
  }

  setLink(up: boolean): void {
    this.#toldNotKept = false;
    this.#input({ kind: up ? "linkUp" : "linkDown" });
  }

  receive(message: CommitMessage): void {
    this.#input({ kind: "message", message });
  }

  /** Of a message of the peer. */
  arriving(length: number): void {
    this.#input({ kind: "arriving", length });
  }

  close(): void {
    this.#closed = true;
    this.#settings.close();
    clearTimeout(this.#timer);
  }

  #input(input: CommitInput): void {
    if (this.#closed) return;
    const { hal, box } = this.#options;
    const before = this.#state;
    const { state, actions } = step({ box }, before, input, hal.clock.now());
    this.#state = state;
    if (state.deadline !== before.deadline) this.#keepDeadline(state);
    if (state.withdrawn !== before.withdrawn) this.#settings.keep(WITHDRAWN, state.withdrawn);
    for (const action of actions) void this.#begin(action);
    this.#setTimer();
    if (state.work.kind === "idle" && state.head?.id === state.inForce) this.#settled();
    const theirs = state.link?.theirs;
    // Another head of the peer, or of this box, may be the end of it.
    if (this.#disagreement.cannotTake !== undefined && theirs !== undefined && theirs.head === state.head?.id)
      this.#setDisagreement({ cannotTake: undefined });
    const changed = state.head !== before.head || state.deadline !== before.deadline || state.barred !== before.barred;
    if (changed) this.#options.onChange();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const at = nextTimeout(this.#state);
    if (at === undefined) return;
    const wait = Math.ceil(toMillis(between(this.#options.hal.clock.now(), at)));
    this.#timer = setTimeout(() => this.#input({ kind: "timeout" }), Math.min(Math.max(wait, 0), TIMER_MILLIS_MAX));
  }

  /** A core that starts anew in the same boot goes on counting; without this it rolls back at once. */
  #keepDeadline({ head, deadline }: CommitState): void {
    const kept =
      head === undefined || deadline === undefined
        ? undefined
        : JSON.stringify({ id: head.id, at: deadline, boot: this.#bootId });
    this.#settings.keep(DEADLINE, kept);
  }

  /** Whatever throws in there is our own fault, and ends the process. */
  async #begin(action: CommitAction): Promise<void> {
    const input = await this.#carryOut(action);
    if (input !== undefined) this.#input(input);
  }

  async #carryOut(action: CommitAction): Promise<CommitInput | undefined> {
    const documents = this.#documents;
    const { log } = this.#options;
    switch (action.kind) {
      case "send":
        this.#options.send(action.message);
        return undefined;
      case "judge":
        return { kind: "judged", judged: await documents.judge(action.wish, action.parent, this.#hasPeer) };
      case "consider":
        await documents.consider(action.document);
        return undefined;
      case "check":
        return { kind: "checked", id: action.revision.id, refusal: await documents.check(action.revision) };
      case "land": {
        const landed = await documents.land(action.revision);
        if (landed.ok) log.info("configuration-committed", { revision: landed.head.id, author: landed.head.author });
        // Whoever commits now has seen what is in force, and what was said of it.
        if (landed.ok && this.#disagreement.lost !== undefined) this.#setLost(undefined);
        return { kind: "landed", landed };
      }
      case "adopt": {
        const landed = await documents.adopt(action);
        if (landed.ok) log.info("configuration-taken-over", { revision: landed.head.id, author: landed.head.author });
        return { kind: "landed", landed };
      }
      case "undo": {
        const landed = await documents.undo(action.id, action.comment);
        const what = landed.ok ? action.comment : landed.refusal.what;
        log.warn(landed.ok ? "configuration-rolled-back" : "roll-back-failed", { revision: action.id, what });
        return { kind: "landed", landed };
      }
      case "apply":
        return {
          kind: "applied",
          id: action.id,
          trouble: (await this.#apply(action.id))?.slice(0, TROUBLE_LENGTH_MAX),
        };
      case "relate":
        return { ...action, kind: "related", ...(await documents.relation(action.theirs, action.undone)) };
      case "confirm": {
        const refusal = await documents.confirm(action.id, action.by);
        if (refusal === undefined) log.info("configuration-confirmed", { revision: action.id, by: action.by });
        return { ...action, kind: "confirmed", refusal };
      }
      case "serve":
      case "fillUp":
      case "handOver":
      case "keep":
        await this.#exchange(action);
        return undefined;
      case "reply": {
        const reply = this.#replies.get(action.request);
        this.#replies.delete(action.request);
        reply?.(action.outcome);
        return undefined;
      }
      case "lost":
        this.#setLost({ sibling: action.sibling, winner: action.winner });
        return undefined;
      case "cannotTake":
        this.#setDisagreement({ cannotTake: action.refusal });
        return undefined;
    }
  }

  /** Documents that go from box to box, of which the protocol waits for none. */
  async #exchange(
    action: Extract<CommitAction, { readonly kind: "serve" | "fillUp" | "handOver" | "keep" }>,
  ): Promise<void> {
    const { send, sent } = this.#options;
    switch (action.kind) {
      case "serve":
        await this.#served.add(async () => {
          await sent();
          const passage = await this.#documents.passage(action.id, action.have);
          if (passage !== undefined) send({ kind: "revision", ...passage });
        });
        return;
      case "fillUp": {
        const ids = await this.#documents.missing();
        this.#handOvers.ask(ids);
        if (ids.length > 0) send({ kind: "want", ids });
        return;
      }
      case "handOver":
        await this.#toHandOver.add(async () => {
          await sent();
          const revision = await this.#documents.whole(action.id);
          if (revision !== undefined) send({ kind: "keep", revision });
        });
        return;
      case "keep":
        return this.#keep(action.revision);
    }
  }

  async #keep(revision: Revision): Promise<void> {
    const { log, hal } = this.#options;
    const takes = this.#handOvers.take(revision, hal.clock.now());
    const refusal = takes ? await this.#documents.keep(revision) : MORE_THAN_IS_KEPT;
    if (takes) this.#handOvers.done(revision);
    if (refusal === undefined) return this.#noteSibling(revision.id);
    if (!this.#toldNotKept) log.warn("revision-not-kept", { revision: revision.id, what: refusal.what });
    this.#toldNotKept = true;
  }

  /** What the peer hands over and is no ancestor lost against this box's. */
  async #noteSibling(id: string): Promise<void> {
    const winner = this.#state.head?.id;
    if (winner !== undefined && (await this.#options.configuration.store.kinship(id)) === "relative")
      this.#setLost({ sibling: id, winner });
  }

  #setLost(lost: Lost | undefined): void {
    const before = this.#disagreement.lost;
    if (before?.sibling === lost?.sibling && before?.winner === lost?.winner) return;
    if (lost !== undefined) this.#options.log.warn("revision-lost", { revision: lost.sibling, winner: lost.winner });
    this.#setDisagreement({ lost });
    this.#settings.keep(LOST, lost && JSON.stringify(lost));
  }

  #setDisagreement(change: Partial<Disagreement>): void {
    this.#disagreement = { ...this.#disagreement, ...change };
    this.#options.onChange();
  }

  async #apply(id: string): Promise<string | undefined> {
    const { configuration, putIntoForce } = this.#options;
    let inForce: InForce;
    try {
      inForce = await this.#documents.load(id);
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      // What was found to run instead, at start.
      if (configuration.inForce !== undefined) await putIntoForce(configuration.inForce);
      return error.refusal.what;
    }
    configuration.use(inForce);
    return await putIntoForce(inForce);
  }
}

/** The past, unless this boot of the box set a deadline for this revision. Of others one is kept that was refused to go. */
function readDeadline(
  kept: string | undefined,
  head: RevisionSummary | undefined,
  bootId: string,
): Instant | undefined {
  if (head === undefined || head.confirmedBy !== undefined) return undefined;
  const { id, at, boot } = (kept === undefined ? {} : JSON.parse(kept)) as Record<string, unknown>;
  if (head.confirmSeconds === undefined && id !== head.id) return undefined;
  return id === head.id && boot === bootId && typeof at === "number" ? instant(at) : instant(0);
}
