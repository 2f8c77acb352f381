/**
 * One seed of the commit protocol: two boxes, people who commit, confirm and roll back on either, and a world that cuts
 * the link, moves roles, fills disks and takes the power away; then a healing, and the rules that must hold.
 */
import type {
  CommitInput,
  CommitMessage,
  Outcome,
  Request,
  Revision,
  Wish,
} from "@futago/firmware/pair/commit/types.ts";
import { EventQueue } from "../queue.ts";
import { Random } from "../random.ts";
import type { Verdict } from "../simulations.ts";
import { type Letter, short, SimulatedBox, type World } from "./box.ts";
import { type Asked, Rules } from "./rules.ts";

/** Numbers of what somebody asks for once more, having been refused. */
const AGAIN = 1_000;
/** Of a large revision over a slow link. */
const SLOW_PARTS = 3;
const FAULTS_UNTIL = 12_000_000;
/** Time for the slowest of all: many changes that each wait for a disk that takes seconds, a patience, a slow fetch. */
const SETTLES_WITHIN = 240_000_000;

export class CommitSimulation implements World {
  readonly queue = new EventQueue();
  readonly random: Random;
  readonly boxes: Readonly<Record<Letter, SimulatedBox>>;
  readonly #seed: number;
  readonly #wide: boolean;
  readonly #keepTrace: boolean;
  readonly #trace: string[] = [];
  readonly #broken: string[] = [];
  readonly #asked = new Map<number, Asked>();
  #now = 0;
  #connection: { readonly arrives: Record<Letter, number>; up: Record<Letter, boolean> } | undefined;
  #cable = true;
  /** Tells a box that a link is gone, before it hears of the next. */
  readonly #untold: Record<Letter, () => void> = { a: () => undefined, b: () => undefined };

  /** `wide`: documents repeat, disks stay full, and the link is slow, more than in the world of the oldest seeds. */
  constructor(seed: number, keepTrace: boolean, wide = true) {
    this.#seed = seed;
    this.#wide = wide;
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
    if (this.#broken.length === 0) new Rules(this.boxes, this.#asked, (what) => this.fail(what)).judge();
    return { seed: this.#seed, broken: this.#broken, trace: this.#trace };
  }

  send(from: Letter, message: CommitMessage): void {
    const to = other(from);
    const connection = this.#connection;
    if (connection === undefined || !connection.up[from]) return;
    const slow = this.#wide && message.kind === "revision" && this.#now < FAULTS_UNTIL && this.random.chance(0.2);
    const parts = slow ? SLOW_PARTS : 0;
    const deliver = (input: CommitInput, said: string) => {
      this.queue.add(connection.arrives[to], () => {
        if (connection !== this.#connection || !connection.up[to] || !this.#cable) return;
        if (this.#keepTrace) this.note(`${from} → ${to}  ${said}`);
        if (parts > 0 && input.kind === "message") this.#judgeWaiting(to, message);
        this.boxes[to].input(input);
      });
    };
    connection.arrives[to] = Math.max(connection.arrives[to] + 1, this.#now + this.random.whole(50, 2_000));
    for (let part = 0; part < parts; part++) {
      deliver({ kind: "arriving", length: 1 << 20 }, `part ${part}`);
      connection.arrives[to] += this.random.whole(5_000_000, 20_000_000);
    }
    deliver({ kind: "message", message }, describe(message));
  }

  /** It did not stop waiting for what was on its way, and refused nothing. */
  #judgeWaiting(letter: Letter, message: CommitMessage): void {
    const { state, cannotTake } = this.boxes[letter];
    const { cannot } = state ?? {};
    if (message.kind !== "revision" || cannot === undefined || cannotTake !== undefined) return;
    if (cannot.id === message.revision.id && cannot.until > this.#now) this.fail(`${letter} gave up what was coming`);
  }

  note(what: string): void {
    if (this.#keepTrace) this.#trace.push(`${(this.#now / 1_000).toFixed(1).padStart(9)} ms  ${what}`);
  }

  fail(what: string): void {
    this.note(`!! ${what}`);
    this.#broken.push(what);
  }

  onJudged(box: Letter, { id, origin }: Request, revision: Revision): void {
    const asker = origin === "here" ? box : other(box);
    const asked = origin === "gone" ? undefined : this.#asked.get(this.boxes[asker].asked(id) ?? 0);
    if (asked !== undefined) asked.revision = revision;
  }

  onReply(box: Letter, request: number | undefined, outcome: Outcome): void {
    const asked = this.#asked.get(request ?? 0);
    const said = outcome.kind === "done" ? `done ${short(outcome.revision)} ${outcome.peer}` : outcome.refusal.what;
    this.note(`${box} answers ${request ?? "nobody"}: ${said}`);
    if (asked === undefined) return;
    if (asked.box !== box) this.fail(`request ${request} of ${asked.box} was answered on ${box}`);
    const { wish, revision } = asked;
    const strange = outcome.kind === "done" && outcome.changed && outcome.revision !== revision?.id;
    if (strange && wish.kind === "commit") this.fail(`request ${request} was answered with another's revision`);
    if (asked.outcome !== undefined) this.fail(`request ${request} was answered twice`);
    asked.outcome = outcome;
    asked.answeredAt = this.#now;
    const again = this.#wide && outcome.kind === "refused" && this.#now < FAULTS_UNTIL && this.random.chance(0.5);
    const soon = this.#now + this.random.whole(1_000, 3_000_000);
    if (again) this.queue.add(soon, () => this.#ask(AGAIN + this.#asked.size, box, wish));
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
    const count = this.random.whole(3, this.#wide ? 30 : 14);
    for (let i = 1; i <= count; i++)
      this.queue.add(this.random.whole(200_000, FAULTS_UNTIL), () => this.#ask(i, this.random.chance(0.5) ? "a" : "b"));
  }

  #ask(id: number, letter: Letter, again?: Wish): void {
    const box = this.boxes[letter];
    if (!box.running) return;
    const wish = again ?? this.#wish(id, box);
    const asked = { box: letter, wish, revision: undefined, outcome: undefined, answeredAt: Infinity, dropped: false };
    this.#asked.set(id, asked);
    const source = wish.kind === "commit" ? ` ${JSON.stringify(wish.source)} confirm ${wish.confirmSeconds}` : "";
    this.note(`${letter} is asked ${id}: ${wish.kind}${source}`);
    box.ask(id, wish);
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
    const document = `document ${this.#wide && random.chance(0.5) ? random.whole(1, 3) : id}${oddity}`;
    return { kind: "commit", source: { kind: "given", document }, base, author, comment, confirmSeconds };
  }

  #planFaults(): void {
    this.queue.add(0, () => this.#moveRoles());
    const count = this.random.whole(0, this.#wide ? 20 : 10);
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
        if (!this.#wide || this.random.chance(0.6))
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

export function simulateCommits(seed: number, keepTrace = false, wide = true): Verdict {
  return new CommitSimulation(seed, keepTrace, wide).run();
}
