/**
 * One seed of the commit protocol: two boxes, people who commit, confirm and roll back on either, and a world that cuts
 * the link, moves roles, fills disks and takes the power away; then a healing, and the rules that must hold.
 */
import type { CommitMessage, Outcome, Revision, Wish } from "@futago/firmware/pair/commit/types.ts";
import { EventQueue } from "../queue.ts";
import { Random } from "../random.ts";
import type { Verdict } from "../simulations.ts";
import { type Letter, short, SimulatedBox, type World } from "./box.ts";

const FAULTS_UNTIL = 12_000_000;
/** Time for the slowest of all: a disk that takes seconds, a patience, a fetch that is tried again. */
const SETTLES_WITHIN = 90_000_000;

interface Asked {
  readonly box: Letter;
  readonly wish: Wish;
  revision: Revision | undefined;
  outcome: Outcome | undefined;
  /** The box that was asked has died since: nobody waits for an answer. */
  dropped: boolean;
}

export class CommitSimulation implements World {
  readonly queue = new EventQueue();
  readonly random: Random;
  readonly boxes: Readonly<Record<Letter, SimulatedBox>>;
  readonly #seed: number;
  readonly #keepTrace: boolean;
  readonly #trace: string[] = [];
  readonly #broken: string[] = [];
  readonly #asked = new Map<number, Asked>();
  #now = 0;
  #connection: { readonly arrives: Record<Letter, number>; up: Record<Letter, boolean> } | undefined;
  #cable = true;
  /** Tells a box that a link is gone, before it hears of the next. */
  readonly #untold: Record<Letter, () => void> = { a: () => undefined, b: () => undefined };

  constructor(seed: number, keepTrace: boolean) {
    this.#seed = seed;
    this.#keepTrace = keepTrace;
    this.random = new Random(seed);
    this.boxes = { a: new SimulatedBox("a", this), b: new SimulatedBox("b", this) };
  }

  now(): number {
    return this.#now;
  }

  run(): Verdict {
    for (const letter of ["a", "b"] as const) this.queue.add(this.random.whole(0, 500_000), () => this.#boot(letter));
    this.#planPeople();
    this.#planFaults();
    this.#runUntil(FAULTS_UNTIL);
    this.#heal();
    this.#runUntil(FAULTS_UNTIL + SETTLES_WITHIN);
    this.#judge();
    return { seed: this.#seed, broken: this.#broken, trace: this.#trace };
  }

  send(from: Letter, message: CommitMessage): void {
    const to = other(from);
    const connection = this.#connection;
    if (connection === undefined || !connection.up[from]) return;
    connection.arrives[to] = Math.max(connection.arrives[to] + 1, this.#now + this.random.whole(50, 2_000));
    this.queue.add(connection.arrives[to], () => {
      if (connection !== this.#connection || !connection.up[to] || !this.#cable) return;
      if (this.#keepTrace) this.note(`${from} → ${to}  ${describe(message)}`);
      this.boxes[to].input({ kind: "message", message });
    });
  }

  note(what: string): void {
    if (this.#keepTrace) this.#trace.push(`${(this.#now / 1_000).toFixed(1).padStart(9)} ms  ${what}`);
  }

  fail(what: string): void {
    this.note(`!! ${what}`);
    this.#broken.push(what);
  }

  onJudged(request: number, revision: Revision): void {
    const asked = this.#asked.get(request);
    if (asked !== undefined) asked.revision = revision;
  }

  onReply(box: Letter, request: number, outcome: Outcome): void {
    const asked = this.#asked.get(request);
    const said = outcome.kind === "done" ? `done ${short(outcome.revision)} ${outcome.peer}` : outcome.refusal.what;
    this.note(`${box} answers ${request}: ${said}`);
    if (asked === undefined) return;
    if (asked.outcome !== undefined) this.fail(`request ${request} was answered twice`);
    asked.outcome = outcome;
  }

  #runUntil(end: number): void {
    for (let next = this.queue.take(); next !== undefined && this.#broken.length === 0; next = this.queue.take()) {
      if (next.at > end) {
        this.queue.add(next.at, next.run);
        break;
      }
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }

  #planPeople(): void {
    const count = this.random.whole(3, 14);
    for (let i = 1; i <= count; i++)
      this.queue.add(this.random.whole(200_000, FAULTS_UNTIL), () => this.#ask(i, this.random.chance(0.5) ? "a" : "b"));
  }

  #ask(id: number, letter: Letter): void {
    const box = this.boxes[letter];
    if (!box.running) return;
    const wish = this.#wish(id, box);
    this.#asked.set(id, { box: letter, wish, revision: undefined, outcome: undefined, dropped: false });
    const source = wish.kind === "commit" ? ` ${JSON.stringify(wish.source)} confirm ${wish.confirmSeconds}` : "";
    this.note(`${letter} is asked ${id}: ${wish.kind}${source}`);
    box.input({ kind: "request", request: { id, origin: "here", wish } });
  }

  #wish(id: number, box: SimulatedBox): Wish {
    const { random } = this;
    const author = random.pick(["alice", "bob"]);
    if (random.chance(0.25)) return { kind: "confirm", revision: undefined, author, force: random.chance(0.7) };
    const comment = `change ${id}`;
    const base = random.chance(0.5) ? box.disk.head : undefined;
    const parent = box.disk.headSummary?.parent;
    const confirmSeconds = random.chance(0.35) ? random.whole(1, 6) : undefined;
    if (random.chance(0.15) && parent !== undefined)
      return { kind: "commit", source: { kind: "revision", id: parent }, base, author, comment, confirmSeconds };
    const oddity = random.chance(0.15)
      ? ` ${random.pick(["invalid", "troublesome"])} on ${random.pick(["a", "b"])}`
      : "";
    const document = `document ${id}${oddity}`;
    return { kind: "commit", source: { kind: "given", document }, base, author, comment, confirmSeconds };
  }

  #planFaults(): void {
    this.queue.add(0, () => this.#moveRoles());
    const count = this.random.whole(0, 10);
    for (let i = 0; i < count; i++)
      this.queue.add(this.random.whole(300_000, FAULTS_UNTIL), () => this.#breakSomething());
    this.queue.add(1_000, () => this.#connect());
  }

  #breakSomething(): void {
    const letter = this.random.pick(["a", "b"] as const);
    const soon = this.#now + this.random.whole(10_000, 4_000_000);
    switch (this.random.whole(0, 5)) {
      case 0: {
        const boots = this.random.chance(0.5);
        this.#kill(letter);
        this.queue.add(soon, () => this.#boot(letter, boots));
        return;
      }
      case 1: {
        this.#kill("a");
        this.#kill("b");
        for (const one of ["a", "b"] as const)
          this.queue.add(soon + this.random.whole(0, 3_000_000), () => this.#boot(one));
        return;
      }
      case 2:
        this.#cut();
        this.#cable = false;
        this.queue.add(soon, () => void (this.#cable = true));
        return;
      case 3:
        return this.#cut();
      case 4:
        this.note(`${letter}'s disk is full`);
        this.boxes[letter].disk.full = true;
        this.queue.add(soon, () => void (this.boxes[letter].disk.full = false));
        return;
      case 5:
        return this.#moveRoles();
    }
  }

  #boot(letter: Letter, boots = true): void {
    this.boxes[letter].start(boots);
    this.#tellRoles();
  }

  #kill(letter: Letter): void {
    this.#cut();
    for (const asked of this.#asked.values()) if (asked.box === letter) asked.dropped ||= asked.outcome === undefined;
    this.boxes[letter].crash();
    this.#tellRoles();
  }

  /** Each end learns of it in its own time. */
  #cut(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.note("the link breaks");
    this.#connection = undefined;
    for (const letter of ["a", "b"] as const) {
      const tell = () => {
        if (!connection.up[letter]) return;
        connection.up[letter] = false;
        this.boxes[letter].input({ kind: "linkDown" });
      };
      this.#untold[letter] = tell;
      this.queue.add(this.#now + this.random.whole(0, 800_000), tell);
    }
    this.queue.add(this.#now + 900_000, () => this.#connect());
  }

  #connect(): void {
    if (this.#connection !== undefined) return;
    const { a, b } = this.boxes;
    if (!this.#cable || !a.running || !b.running) {
      this.queue.add(this.#now + 200_000, () => this.#connect());
      return;
    }
    this.note("the link stands");
    const connection = { arrives: { a: this.#now, b: this.#now }, up: { a: false, b: false } };
    this.#connection = connection;
    for (const letter of ["a", "b"] as const) {
      const at = this.#now + this.random.whole(0, 5_000);
      connection.arrives[letter] = at;
      this.queue.add(at, () => {
        if (this.#connection !== connection) return;
        this.#untold[letter]();
        connection.up[letter] = true;
        this.boxes[letter].input({ kind: "linkUp" });
      });
    }
  }

  #active: Letter | "both" | "none" = "a";

  #moveRoles(): void {
    this.#active = this.random.pick(["a", "b", "a", "b", "none", "both"] as const);
    this.#tellRoles();
  }

  #tellRoles(): void {
    for (const letter of ["a", "b"] as const) {
      this.queue.add(this.#now + this.random.whole(0, 300_000), () => {
        const peerAlive = this.boxes[other(letter)].running && (this.#cable || this.random.chance(0.5));
        const alone = !peerAlive && this.#active !== "none";
        const active = this.#active === letter || this.#active === "both" || alone;
        this.boxes[letter].input({ kind: "role", active, peerAlive });
      });
    }
  }

  #heal(): void {
    this.note("-- everything is mended");
    this.#cable = true;
    for (const letter of ["a", "b"] as const) {
      this.boxes[letter].disk.full = false;
      this.queue.add(this.#now + 10_000, () => this.#boot(letter));
    }
    this.#active = this.random.pick(["a", "b"] as const);
    this.queue.add(this.#now + 20_000, () => this.#tellRoles());
    this.queue.add(this.#now + 30_000, () => this.#connect());
  }

  #judge(): void {
    if (this.#broken.length > 0) return;
    const { a, b } = this.boxes;
    const differ = a.disk.head !== b.disk.head;
    if (differ && a.cannotTake === undefined && b.cannotTake === undefined)
      this.fail(`the heads differ and nobody says why: ${short(a.disk.head)} ${short(b.disk.head)}`);
    for (const box of [a, b]) {
      const { state, letter } = box;
      if (state?.inForce !== box.disk.head)
        this.fail(`${letter} runs ${short(state?.inForce)} and holds ${short(box.disk.head)}`);
      if (state?.deadline !== undefined) this.fail(`${letter} still waits for a confirmation`);
      // What it cannot take it asks for again and again.
      if (state?.work.kind !== "idle" && box.cannotTake === undefined)
        this.fail(`${letter} is still ${state?.work.kind}`);
    }
    for (const [id, asked] of this.#asked) this.#judgeAsked(id, asked);
  }

  #judgeAsked(id: number, { outcome, revision, wish, dropped, box }: Asked): void {
    const { a, b } = this.boxes;
    if (outcome === undefined) {
      if (!dropped) this.fail(`request ${id} of ${box} was never answered`);
      return;
    }
    const inLineage = (which: string) => a.disk.isInLineage(which) || b.disk.isInLineage(which);
    if (outcome.kind === "done" && !inLineage(outcome.revision) && outcome.revision !== "") {
      const lost =
        a.lost.has(outcome.revision) || b.lost.has(outcome.revision) || this.#descendantLost(outcome.revision);
      // What both had is in the lineage of whatever came after.
      if (outcome.peer === "inForce" || !lost)
        this.fail(`request ${id} was acknowledged and ${short(outcome.revision)} is lost`);
    }
    if (outcome.kind === "done" && wish.kind === "confirm") this.#judgeConfirmed(outcome.revision);
    const unsure =
      outcome.kind === "refused" &&
      /connection to|other box has it|is tried again/.test(JSON.stringify(outcome.refusal));
    // Before the first one there is nothing that the boxes could go back to.
    if (outcome.kind === "refused" && revision?.parent !== undefined && !unsure) this.#judgeRefused(id, revision);
  }

  /** It lies in the lineage of a sibling that lost, was kept, and told. */
  #descendantLost(id: string): boolean {
    return [this.boxes.a, this.boxes.b].some((box) =>
      [...box.lost].some((sibling) => box.disk.lineage(sibling).some((one) => one.id === id)),
    );
  }

  #judgeConfirmed(id: string): void {
    const boxes = [this.boxes.a, this.boxes.b];
    for (const { disk, letter, cannotTake } of boxes) {
      const head = disk.headSummary;
      // A person who rolled it back made the same revision.
      if (boxes.some((box) => box.disk.summaries.get(head?.id ?? "")?.author !== "futago")) continue;
      if (cannotTake === undefined && head?.parent === id && head.author === "futago")
        this.fail(`${letter} rolled back ${short(id)}, which was confirmed`);
    }
  }

  #judgeRefused(id: number, revision: Revision): void {
    // A roll-back by hand and one by a box are the same revision.
    if ([this.boxes.a, this.boxes.b].some((box) => box.disk.summaries.get(revision.id)?.author === "futago")) return;
    for (const { disk, letter, cannotTake } of [this.boxes.a, this.boxes.b]) {
      // A box that cannot take the other's says so; before that it may not have heard of the roll-back.
      if (cannotTake !== undefined) continue;
      // The same may have been brought back for another reason.
      if (disk.head !== revision.id || disk.headSummary?.comment !== revision.comment) continue;
      // Somebody may have wished for the same from the same place, and got it.
      const others = [...this.#asked].some(([which, one]) => which !== id && one.revision?.id === revision.id);
      if (!others) this.fail(`request ${id} was refused, and ${short(revision.id)} is in force on ${letter}`);
    }
  }
}

function other(letter: Letter): Letter {
  return letter === "a" ? "b" : "a";
}

function describe(message: CommitMessage): string {
  const { kind } = message;
  if (kind === "standing") return `standing ${short(message.standing.head)}${message.standing.active ? " active" : ""}`;
  if (kind === "kin") return `kin mine ${short(message.mine)} yours ${short(message.yours)} ${message.kinship}`;
  if (kind === "notStored") return `notStored ${short(message.id)} ${message.cause}`;
  if ("id" in message) return `${kind} ${short(message.id)}`;
  return "revision" in message ? `${kind} ${short(message.revision.id)}` : kind;
}

export function simulateCommits(seed: number, keepTrace = false): Verdict {
  return new CommitSimulation(seed, keepTrace).run();
}
