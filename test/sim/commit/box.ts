/** A simulated box of the commit protocol: the machine, its disk, and a world that takes its time and breaks. */
import {
  AUTOMATIC,
  type CommitAction,
  type CommitInput,
  type CommitMessage,
  type CommitRefusal,
  type CommitState,
  type Landed,
  type Outcome,
  type Request,
  type Revision,
  type RevisionId,
  type Wish,
} from "@futago/firmware/pair/commit/types.ts";
import { newestConfirmed } from "@futago/firmware/pair/commit/catch-up.ts";
import { initialCommit, nextTimeout, step } from "@futago/firmware/pair/commit/step.ts";
import { type Instant, instant } from "@futago/hal/units/time.ts";
import type { EventQueue } from "../queue.ts";
import type { Random } from "../random.ts";
import { Disk, revisionOf } from "./disk.ts";

export type Letter = "a" | "b";

export interface World {
  readonly queue: EventQueue;
  readonly random: Random;
  now(): number;
  send(from: Letter, message: CommitMessage): void;
  note(what: string): void;
  fail(what: string): void;
  /** `request`: as people call it. */
  onReply(box: Letter, request: number | undefined, outcome: Outcome): void;
  onJudged(box: Letter, request: Request, revision: Revision): void;
}

/** How long a box goes without answering itself. */
const STEPS_MAX = 20_000;
const FULL: CommitRefusal = { exitCode: 1, what: "the disk is full" };

export class SimulatedBox {
  readonly letter: Letter;
  readonly disk = new Disk();
  readonly lost = new Set<RevisionId>();
  cannotTake: CommitRefusal | undefined;
  state: CommitState | undefined;
  #life = 0;
  #boot = 0;
  #steps = 0;
  #timer: number | undefined;
  /** What people asked this box for, by its own numbers, which begin anew when it starts. */
  #asked: number[] = [];
  readonly #world: World;
  /** Writes under way, which a crash may or may not let through. */
  readonly #writes = new Set<() => void>();

  constructor(letter: Letter, world: World) {
    this.letter = letter;
    this.#world = world;
  }

  get running(): boolean {
    return this.state !== undefined;
  }

  start(boots: boolean): void {
    if (this.running) return;
    if (boots) this.#boot += 1;
    this.#asked = [];
    const head = this.disk.headSummary;
    const { deadline, withdrawn } = this.disk;
    const refused = deadline !== undefined && deadline.id === head?.id;
    const waits =
      head !== undefined && head.confirmedBy === undefined && (head.confirmSeconds !== undefined || refused);
    const known = refused && deadline.boot === this.#boot ? deadline.at : instant(0);
    this.state = initialCommit(head, waits ? known : undefined, newestConfirmed(this.disk.lineage()), withdrawn);
    this.#world.note(`${this.letter} starts at ${short(head?.id)}`);
    this.input({ kind: "timeout" });
  }

  ask(request: number, wish: Wish): void {
    const id = this.#asked.push(request);
    this.input({ kind: "request", request: { id, origin: "here", wish } });
  }

  /** What people call the request that has this number here; undefined for one of a former life, or of nobody. */
  asked(id: number): number | undefined {
    return this.#asked[id - 1];
  }

  crash(): void {
    if (!this.running) return;
    this.#world.note(`${this.letter} crashes`);
    this.state = undefined;
    this.#life += 1;
    this.#timer = undefined;
    for (const write of this.#writes) if (this.#world.random.chance(0.5)) write();
    this.#writes.clear();
  }

  input(input: CommitInput): void {
    if (this.state === undefined) return;
    if (++this.#steps > STEPS_MAX) return this.#world.fail(`${this.letter} never rests`);
    const next = step({ box: this.letter }, this.state, input, instant(this.#world.now()));
    if (next.state.head?.id !== this.disk.head)
      this.#world.fail(`${this.letter} takes ${short(next.state.head?.id)} for the head`);
    this.#keepDeadline(this.state, next.state);
    this.disk.withdrawn = next.state.withdrawn;
    this.state = next.state;
    for (const action of next.actions) this.#carryOut(action);
    this.#setTimer();
  }

  #keepDeadline(before: CommitState, after: CommitState): void {
    if (after.deadline === before.deadline || after.head === undefined) return;
    this.disk.deadline =
      after.deadline === undefined ? undefined : { id: after.head.id, at: after.deadline, boot: this.#boot };
  }

  #setTimer(): void {
    const at = this.state === undefined ? undefined : nextTimeout(this.state);
    if (at === undefined || at === this.#timer) return;
    this.#timer = at;
    const life = this.#life;
    this.#world.queue.add(Math.max(at, this.#world.now() + 1), () => {
      if (life !== this.#life || this.#timer !== at) return;
      this.#timer = undefined;
      this.input({ kind: "timeout" });
    });
  }

  /** Answers later, unless the box has died by then. */
  #later(millisMax: number, answer: () => CommitInput | undefined): void {
    const life = this.#life;
    this.#world.queue.add(this.#world.now() + this.#world.random.whole(100, millisMax * 1_000), () => {
      if (life !== this.#life) return;
      const input = answer();
      if (input !== undefined) this.input(input);
    });
  }

  #write(write: () => void, answer: (refusal: CommitRefusal | undefined) => CommitInput | undefined): void {
    const once = () => {
      this.#writes.delete(once);
      write();
    };
    this.#writes.add(once);
    this.#later(this.#world.random.chance(0.05) ? 7_000 : 20, () => {
      if (this.disk.full) {
        this.#writes.delete(once);
        return answer(FULL);
      }
      if (this.#writes.has(once)) once();
      return answer(undefined);
    });
  }

  #carryOut(action: CommitAction): void {
    switch (action.kind) {
      case "send":
        return this.#world.send(this.letter, action.message);
      case "judge":
        return this.#judge(action);
      case "check":
        return this.#later(20, () => ({
          kind: "checked",
          id: action.revision.id,
          refusal: this.#refusalOf(action.revision.text),
        }));
      case "keep":
        return this.#write(
          () => this.disk.put(action.revision),
          () => undefined,
        );
      case "land":
        return this.#land(action.revision, () => this.disk.put(action.revision));
      case "adopt":
        return this.#land(action.revision, () => {
          for (const one of action.lineage) if (!this.disk.summaries.has(one.id)) this.disk.summaries.set(one.id, one);
          if (action.parent !== undefined) this.disk.put(action.parent);
          this.disk.put(action.revision);
        });
      case "undo":
        return this.#undo(action.id, action.comment);
      case "apply":
        return this.#apply(action.id);
      case "relate":
        return this.#relate(action);
      case "confirm":
        return this.#write(
          () => this.disk.confirm(action.id, action.by),
          (refusal) => ({ kind: "confirmed", id: action.id, by: action.by, refusal }),
        );
      case "serve": {
        const revision = this.disk.revisions.get(action.id);
        if (revision === undefined) return;
        const lineage = this.disk.lineage(revision.parent, action.have);
        const parent = this.disk.revisions.get(revision.parent ?? "");
        return this.#later(5, () => {
          this.#world.send(this.letter, { kind: "revision", revision, parent, lineage });
          return undefined;
        });
      }
      case "consider":
        return;
      case "fillUp": {
        const ids = this.disk.lineage().filter((one) => !this.disk.revisions.has(one.id));
        this.#world.send(this.letter, { kind: "want", ids: ids.map(({ id }) => id) });
        return;
      }
      case "handOver": {
        const revision = this.disk.revisions.get(action.id);
        if (revision !== undefined) this.#world.send(this.letter, { kind: "keep", revision });
        return;
      }
      case "reply":
        return this.#world.onReply(this.letter, this.asked(action.request), action.outcome);
      case "lost":
        this.#world.note(`${this.letter} says that ${short(action.sibling)} lost against ${short(action.winner)}`);
        return void this.lost.add(action.sibling);
      case "cannotTake":
        this.cannotTake = action.refusal;
    }
  }

  #relate(action: Extract<CommitAction, { readonly kind: "relate" }>): void {
    const kinship = this.disk.isInLineage(action.theirs) ? "ancestor" : "unknown";
    const undone = this.disk.lineage().find(({ id }) => id === action.undone);
    const by = undone?.confirmedBy;
    const confirmed = undone === undefined || by === undefined ? undefined : { id: undone.id, by };
    this.#later(5, () => ({ ...action, kind: "related", kinship, confirmed }));
  }

  #judge({ wish, parent }: Extract<CommitAction, { readonly kind: "judge" }>): void {
    this.#later(30, () => {
      const text =
        wish.source.kind === "given" ? String(wish.source.document) : this.disk.revisions.get(wish.source.id)?.text;
      const refusal = text === undefined ? { exitCode: 1, what: "dropped" } : this.#refusalOf(text);
      if (text === undefined || refusal !== undefined)
        return { kind: "judged", judged: { kind: "refused", refusal: refusal ?? FULL } };
      if (text === this.disk.revisions.get(parent ?? "")?.text)
        return { kind: "judged", judged: { kind: "unchanged", warnings: [] } };
      const { author, comment, confirmSeconds } = wish;
      const revision = revisionOf(text, parent, { author, comment, time: "", confirmSeconds });
      const { work } = this.state ?? {};
      if (work?.kind === "judging") this.#world.onJudged(this.letter, work.request, revision);
      return { kind: "judged", judged: { kind: "revision", revision, warnings: [] } };
    });
  }

  /** A document may name the box that cannot take it. */
  #refusalOf(text: string): CommitRefusal | undefined {
    return text.includes(`invalid on ${this.letter}`) ? { exitCode: 3, what: "invalid" } : undefined;
  }

  #land(revision: Revision, store: () => void): void {
    const former = this.disk.head;
    const write = () => {
      store();
      this.disk.head = revision.id;
      if (former !== undefined && !this.disk.isInLineage(former) && !this.lost.has(former))
        this.#world.fail(
          `${this.letter} moved from ${short(former)} to ${short(revision.id)}, which is none of its descendants`,
        );
    };
    this.#write(write, (refusal) => ({ kind: "landed", landed: this.#landed(refusal) }));
  }

  #landed(refusal: CommitRefusal | undefined): Landed {
    const head = this.disk.headSummary;
    return refusal === undefined && head !== undefined ? { ok: true, head } : { ok: false, refusal: refusal ?? FULL };
  }

  #undo(id: RevisionId, comment: string): void {
    const parent = this.disk.summaries.get(id)?.parent;
    const text = this.disk.revisions.get(parent ?? "")?.text;
    if (text === undefined) {
      const refusal = { exitCode: 1, what: "the document before it is gone" };
      return this.#later(5, () => ({ kind: "landed", landed: { ok: false, refusal } }));
    }
    const revision = revisionOf(text, id, { author: AUTOMATIC, comment, time: "" });
    this.#world.note(`${this.letter} undoes ${short(id)}`);
    this.#land(revision, () => this.disk.put(revision));
  }

  #apply(id: RevisionId): void {
    const text = this.disk.revisions.get(id)?.text ?? "";
    const trouble = text.includes(`troublesome on ${this.letter}`) ? "no such device" : undefined;
    this.#later(this.#world.random.chance(0.02) ? 20_000 : 30, () => ({ kind: "applied", id, trouble }));
  }
}

export function short(id: string | undefined): string {
  return id?.slice(0, 6) ?? "nothing";
}

export type { Instant };
