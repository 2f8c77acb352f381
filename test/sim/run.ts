/** One seed: two boxes, a string of faults, a healing, and the rules that must hold all the while. */
import { micros, millis, seconds } from "@futago/hal/units/time.ts";
import type { PairConfig } from "../../firmware/standby/pair/types.ts";
import { Box, type BoxWorld } from "./box.ts";
import { breakSomething } from "./faults.ts";
import { Network, type Side } from "./network.ts";
import { EventQueue } from "./queue.ts";
import { Random } from "./random.ts";
import type { Verdict } from "./simulations.ts";

const GROUP = "edge";
const SLOT = 0;
const DEAD = millis(75);
/** What a healed pair may take until one box serves: the boot, an offer that expires, an election. */
const SETTLES_WITHIN = seconds(7);
const LOOKS_EVERY = millis(50);
const SERVES_FOR = millis(300);
/** One seed in so many is watched for long after it has settled. */
const PATIENT_EVERY = 20;
const FAULTS_UNTIL = seconds(3);
const ASIDE = 0x5eed_0000;
/** For so long after a thaw the box that serves must go on serving. */
const THAW_DISTURBS_NOBODY_FOR = millis(300);
/** An order that was given so shortly before a box froze may be carried out when it thaws. */
const ORDER_LASTS = millis(300);

function pairConfig(side: Side, random: Random, safety: boolean, preempt: boolean, fixed: boolean): PairConfig {
  const box = side === 0 ? "a" : "b";
  return {
    box,
    configId: "00000000000000c1",
    safety,
    deadTime: DEAD,
    fixed,
    bootWait: micros(random.whole(400_000, 1_200_000)),
    spare: false,
    groups: [{ slot: SLOT, name: GROUP, id: 77, preference: side === 0 ? 200 : 100, preempt }],
  };
}

export class Simulation {
  readonly queue = new EventQueue();
  readonly random: Random;
  /** Chance for what was added later: drawn apart, so that a seed keeps its story. */
  readonly aside: Random;
  readonly network: Network;
  readonly boxes: readonly [Box, Box];
  readonly safety: boolean;
  readonly #seed: number;
  readonly #preempt: boolean;
  readonly #trace: string[] = [];
  readonly #broken: string[] = [];
  readonly #keepTrace: boolean;
  #now = 0;
  #shown = "";
  #faults = 0;
  #undisturbed: { readonly side: Side; readonly until: number; readonly faults: number } | undefined;
  readonly #faultsAtFreeze: [number, number] = [0, 0];
  readonly #frozenAt: [number, number] = [0, 0];

  constructor(seed: number, keepTrace: boolean) {
    this.#seed = seed;
    this.#keepTrace = keepTrace;
    this.random = new Random(seed);
    this.aside = new Random(seed + ASIDE);
    this.safety = this.random.chance(0.3);
    this.#preempt = this.random.chance(0.3);
    this.network = new Network(this.queue, this.random, this.random.whole(1, 3));
    // Not drawn: a seed keeps its story.
    const fixed = seed % 2 === 0;
    const world: BoxWorld = {
      queue: this.queue,
      random: this.random,
      network: this.network,
      now: () => this.#now,
      duplicateProbability: this.random.chance(0.2) ? 0.1 : 0,
      deliver: (to, path, beat) => this.boxes[to].receive(path, beat),
      trace: (side, what) => this.note(`${side === 0 ? "a" : "b"}  ${what}`),
    };
    this.boxes = [
      new Box(0, pairConfig(0, this.random, this.safety, this.#preempt, fixed), world),
      new Box(1, pairConfig(1, this.random, this.safety, this.#preempt, fixed), world),
    ];
  }

  get now(): number {
    return this.#now;
  }

  freeze(side: Side): void {
    if (this.boxes[side].running) {
      this.#faultsAtFreeze[side] = this.#faults;
      this.#frozenAt[side] = this.#now;
    }
    if (this.aside.chance(0.5)) this.boxes[side].freeze();
    else this.boxes[side].freezeBeforeSending(this.aside.whole(0, 2 * this.network.paths.length));
  }

  /** A box that wakes up must not disturb the one that took over from it, unless something else went wrong. */
  thaw(side: Side): void {
    const other: Side = side === 0 ? 1 : 0;
    const [thawing, serving] = [this.boxes[side], this.boxes[other]];
    const served = serving.answers(SLOT) && serving.running && !thawing.answers(SLOT);
    const equal = !this.#preempt && thawing.fitness === serving.fitness;
    const ordered = this.#frozenAt[side] - thawing.orderedAt < ORDER_LASTS;
    if (served && equal && !ordered && this.#calm() && this.#faults === this.#faultsAtFreeze[side]) {
      this.#undisturbed = { side: other, until: this.now + THAW_DISTURBS_NOBODY_FOR, faults: this.#faults };
    }
    thawing.thaw();
  }

  #calm(): boolean {
    return this.#now - this.network.workingSince() > DEAD * 2;
  }

  note(what: string): void {
    if (this.#keepTrace) this.#trace.push(`${(this.#now / 1_000).toFixed(3).padStart(11)} ms  ${what}`);
  }

  run(): Verdict {
    for (const box of this.boxes) this.queue.add(this.random.whole(0, 300_000), () => box.powerOn());
    const healAt = this.#planFaults();
    this.#runUntil(healAt);
    this.#heal();
    this.#settle(healAt);
    this.#mustServeOnce("after healing");
    const roles = this.#roles();
    this.#runUntil(this.#now + seconds(this.#seed % PATIENT_EVERY === 0 ? 12 : 0.6));
    this.#mustServeOnce("a while later");
    // A preferred box may still be waiting to take the group back when the rest has settled.
    const returned = this.#preempt && this.boxes[0].role(GROUP) === "active";
    if (this.#roles() !== roles && !returned)
      this.#fail(`roles changed without a cause: ${roles} became ${this.#roles()}`);
    return { seed: this.#seed, broken: this.#broken, trace: this.#trace };
  }

  /** Until one box has served for a while, at the longest as long as a pair may take. */
  #settle(healAt: number): void {
    let servedFor = 0;
    while (this.#now < healAt + SETTLES_WITHIN && servedFor < SERVES_FOR) {
      this.#runUntil(this.#now + LOOKS_EVERY);
      const answering = this.boxes.filter((box) => box.answers(SLOT)).length;
      const active = this.boxes.filter((box) => box.role(GROUP) === "active").length;
      const once = answering === 1 && active === 1 && this.boxes.every((box) => box.booted);
      servedFor = once ? servedFor + LOOKS_EVERY : 0;
    }
  }

  #planFaults(): number {
    let at = this.random.whole(600_000, 1_500_000);
    const count = this.random.whole(1, 6);
    for (let i = 0; i < count; i++) {
      this.queue.add(at, () => {
        this.#faults += 1;
        breakSomething(this);
      });
      at += this.random.whole(20_000, FAULTS_UNTIL / count);
    }
    return at + this.random.whole(0, 400_000);
  }

  #heal(): void {
    this.note("-- everything is mended");
    this.network.heal(this.#now);
    for (const box of this.boxes) {
      box.setWitness(true);
      box.thaw();
      box.thawSentinel();
      box.powerOn();
      box.setFitness(255);
      box.order({ kind: "maintenance", on: false });
    }
  }

  #runUntil(end: number): void {
    for (;;) {
      const next = this.queue.take();
      if (next === undefined) return;
      if (next.at > end) {
        this.queue.add(next.at, next.run);
        this.#now = end;
        return;
      }
      this.#now = Math.max(this.#now, next.at);
      next.run();
      this.#check();
    }
  }

  /** Two boxes that answer at one moment are allowed only when no path has carried everything for a while. */
  #check(): void {
    const [a, b] = this.boxes.map((box) => box.answers(SLOT)) as [boolean, boolean];
    if (this.#keepTrace) this.#show(a, b);
    this.#checkUndisturbed(a, b);
    if (!(a && b)) return;
    if (!this.#calm() || this.#broken.length > 0) return;
    const workingFor = Math.round((this.#now - this.network.workingSince()) / 1_000);
    this.#fail(`both boxes answer although a path has worked for ${workingFor} ms`);
  }

  #checkUndisturbed(a: boolean, b: boolean): void {
    const rule = this.#undisturbed;
    if (rule === undefined) return;
    if (this.#now > rule.until || this.#faults !== rule.faults) this.#undisturbed = undefined;
    else if (!(rule.side === 0 ? a : b) && this.#calm() && this.boxes[rule.side].running && this.#broken.length === 0) {
      this.#fail(`the other box thawed and ${rule.side === 0 ? "a" : "b"} stopped answering`);
    }
  }

  #show(a: boolean, b: boolean): void {
    const shown = `${a ? "a" : "-"}${b ? "b" : "-"}`;
    if (shown !== this.#shown) this.note(`   answering: ${shown}`);
    this.#shown = shown;
  }

  #roles(): string {
    return this.boxes.map((box) => box.role(GROUP)).join("/");
  }

  #mustServeOnce(when: string): void {
    const answering = this.boxes.filter((box) => box.answers(SLOT)).length;
    if (answering !== 1) this.#fail(`${when} ${answering} boxes answer; roles ${this.#roles()}`);
    const active = this.boxes.filter((box) => box.role(GROUP) === "active").length;
    if (active !== 1) this.#fail(`${when} ${active} boxes are active; roles ${this.#roles()}`);
  }

  #fail(what: string): void {
    this.note(`!! ${what}`);
    this.#broken.push(what);
  }
}

export function simulate(seed: number, keepTrace = false): Verdict {
  return new Simulation(seed, keepTrace).run();
}
