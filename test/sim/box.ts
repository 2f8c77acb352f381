/**
 * One simulated box: the real C core of pulse and the real election, with delays between them, a clock that drifts,
 * and the ways in which a box can fail: frozen, without power, its sentinel or its pulse killed.
 */
import { type Instant, instant } from "@futago/hal/units/time.ts";
import type { PulseCommand, PulseReport } from "@futago/hal/units/pulse.ts";
import { initialPair, nextTimeout, step } from "../../firmware/standby/pair/step.ts";
import type { PairAction, PairConfig, PairInput, PairState } from "../../firmware/standby/pair/types.ts";
import { PulseCore } from "./core.ts";
import type { Network, Side } from "./network.ts";
import type { EventQueue } from "./queue.ts";
import type { Random } from "./random.ts";

const PET_MICROS = 50_000;
const PULSE_RESTART_MICROS = 100_000;
const SENTINEL_RESTART_MICROS = 300_000;
/** Datagrams that a socket holds for a frozen process. */
const SOCKET_DATAGRAMS = 250;

export interface BoxWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly network: Network;
  readonly now: () => number;
  readonly duplicateProbability: number;
  readonly deliver: (to: Side, path: number, beat: Uint8Array) => void;
  readonly trace: (side: Side, what: string) => void;
}

export class Box {
  readonly side: Side;
  readonly config: PairConfig;
  readonly #world: BoxWorld;
  readonly #clockOffset: number;
  readonly #clockRate: number;
  #pulse: PulseCore | undefined;
  #state: PairState | undefined;
  #frozen = false;
  #freezeBefore: number | undefined;
  #sentinelFrozen = false;
  /** Counts lives, so that events of an earlier life do nothing. */
  #life = 0;
  #pulseLife = 0;
  #held: (() => void)[] = [];
  #sentinelHeld: (() => void)[] = [];
  #fitness = 255;
  /** When somebody ordered something last; microseconds of the world's clock. */
  orderedAt = -Infinity;
  #timeoutAt = 0;
  #toSentinelAt = 0;
  #toPulseAt = 0;
  #witnessReachable = true;
  #witnessTurn = 0;

  constructor(side: Side, config: PairConfig, world: BoxWorld) {
    this.side = side;
    this.config = config;
    this.#world = world;
    this.#clockOffset = world.random.whole(1_000_000, 4_000_000_000);
    this.#clockRate = 1 + world.random.between(-0.0002, 0.0002);
  }

  get running(): boolean {
    return this.#state !== undefined && this.#pulse !== undefined && !this.#frozen && !this.#sentinelFrozen;
  }

  get booted(): boolean {
    return this.running && this.#state?.booting === false;
  }

  get fitness(): number {
    return this.#fitness;
  }

  role(group: string): string {
    return this.#state?.groups[group]?.state ?? "off";
  }

  /** Whether neighbours get an answer for the group's VIPs from this box at this moment. */
  answers(slot: number): boolean {
    return this.#pulse !== undefined && (this.#pulse.gate(slot, this.#local()) & 1) !== 0;
  }

  powerOn(): void {
    if (this.#state !== undefined) return;
    this.#world.trace(this.side, "power on");
    this.#life += 1;
    this.#frozen = false;
    this.#freezeBefore = undefined;
    this.#sentinelFrozen = false;
    this.#startSentinel();
  }

  powerOff(): void {
    this.#world.trace(this.side, "power off");
    this.#life += 1;
    this.#pulseLife += 1;
    this.#state = undefined;
    this.#pulse = undefined;
    this.#held = [];
    this.#sentinelHeld = [];
  }

  freeze(): void {
    this.#world.trace(this.side, "frozen");
    this.#frozen = true;
  }

  /** Frozen while it is about to say something: what is still to be sent goes out when it thaws. */
  freezeBeforeSending(datagrams: number): void {
    this.#freezeBefore = datagrams;
  }

  thaw(): void {
    this.#freezeBefore = undefined;
    if (!this.#frozen) return;
    this.#world.trace(this.side, "thawed");
    this.#frozen = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }

  freezeSentinel(): void {
    this.#world.trace(this.side, "sentinel frozen");
    this.#sentinelFrozen = true;
  }

  thawSentinel(): void {
    this.#sentinelFrozen = false;
    const held = this.#sentinelHeld;
    this.#sentinelHeld = [];
    for (const run of held) run();
  }

  killSentinel(): void {
    if (this.#state === undefined) return;
    this.#world.trace(this.side, "sentinel killed");
    const pulse = this.#pulse;
    this.#state = undefined;
    this.#life += 1;
    // The program sees the end of file and lets go; then it ends.
    this.#whenThawed(() => {
      pulse?.releaseAll(this.#local());
      this.#flush();
      this.#pulseLife += 1;
      this.#pulse = undefined;
    });
    this.#later(SENTINEL_RESTART_MICROS, () => this.#startSentinel());
  }

  killPulse(): void {
    if (this.#pulse === undefined) return;
    this.#world.trace(this.side, "pulse killed");
    this.#endPulse();
  }

  setFitness(health: number): void {
    this.#world.trace(this.side, `health ${health}`);
    this.#fitness = health;
    this.#input({ kind: "fitness", fitness: this.#fitnessMap() });
  }

  order(input: Extract<PairInput, { kind: "switchover" | "maintenance" }>): void {
    this.#world.trace(this.side, input.kind);
    this.orderedAt = this.#world.now();
    this.#input(input);
  }

  setWitness(reachable: boolean): void {
    this.#witnessReachable = reachable;
  }

  receive(path: number, beat: Uint8Array): void {
    if (this.#frozen) {
      if (this.#held.length < SOCKET_DATAGRAMS) this.#held.push(() => this.receive(path, beat));
      return;
    }
    this.#pulse?.receive(path, beat, this.#local());
    this.#flush();
  }

  #local(): Instant {
    return instant(this.#clockOffset + this.#world.now() * this.#clockRate);
  }

  #global(local: number): number {
    return (local - this.#clockOffset) / this.#clockRate;
  }

  #later(delay: number, run: () => void): void {
    const life = this.#life;
    this.#world.queue.add(this.#world.now() + delay, () => {
      if (this.#life === life) this.#whenThawed(run);
    });
  }

  #whenThawed(run: () => void): void {
    if (this.#frozen) this.#held.push(run);
    else run();
  }

  #startSentinel(): void {
    this.#state = initialPair(this.config, this.#local(), false);
    this.#startPulse();
    this.#pet();
    this.#askWitness();
    this.#input({ kind: "fitness", fitness: this.#fitnessMap() });
  }

  #startPulse(): void {
    this.#pulseLife += 1;
    this.#pulse = new PulseCore(this.#world.random.whole(1, 2 ** 50), this.#local());
    const paths = this.#world.network.paths.map((_, i) => ({ ifindex: (i + 1) as never, id: i + 1 }));
    const { configId, box, safety } = this.config;
    this.#pulse.command(
      { kind: "configure", key: new Uint8Array(32), configId, box, safety, port: 7405, paths },
      this.#local(),
    );
    this.#input({ kind: "pulseStarted" });
    this.#scheduleTick(this.#pulse.tick(this.#local()));
  }

  #endPulse(): void {
    this.#pulseLife += 1;
    this.#pulse = undefined;
    this.#later(PULSE_RESTART_MICROS, () => {
      if (this.#state !== undefined && this.#pulse === undefined) this.#whenSentinelThawed(() => this.#startPulse());
    });
  }

  #pet(): void {
    const life = this.#life;
    const again = () => {
      if (this.#life !== life) return;
      this.#whenThawed(() => this.#whenSentinelThawed(() => this.#pulse?.command({ kind: "pet" }, this.#local())));
      this.#world.queue.add(this.#world.now() + PET_MICROS, again);
    };
    again();
  }

  /** As the shell does: once a second, and at every beat from the first missing one, when a lease may hang on it. */
  #askWitness(missing = false): void {
    const { snapshot, timing } = this.#state ?? {};
    const { at = 0, heardAt = 0, peerAlive = true } = snapshot ?? {};
    const urgent = this.config.safety && (missing || !peerAlive || at - heardAt > (timing?.beat ?? 0));
    const turn = ++this.#witnessTurn;
    this.#askWitnessOnce();
    this.#later(urgent ? (timing?.beat ?? 15_000) : 1_000_000, () =>
      this.#whenSentinelThawed(() => {
        if (turn === this.#witnessTurn) this.#askWitness();
      }),
    );
  }

  #askWitnessOnce(): void {
    const at = this.#local();
    if (!this.#witnessReachable) return;
    this.#later(500, () => this.#whenSentinelThawed(() => this.#input({ kind: "witness", at })));
  }

  #whenSentinelThawed(run: () => void): void {
    if (this.#sentinelFrozen) this.#sentinelHeld.push(run);
    else run();
  }

  #scheduleTick(localDue: number): void {
    const life = this.#pulseLife;
    const at = Math.max(this.#global(localDue), this.#world.now()) + this.#world.random.between(10, 300);
    this.#world.queue.add(at, () => {
      if (this.#pulseLife !== life) return;
      this.#whenThawed(() => {
        if (this.#pulseLife !== life || this.#pulse === undefined) return;
        const due = this.#pulse.tick(this.#local());
        this.#flush();
        if (due < 0) this.#endPulse();
        else this.#scheduleTick(due);
      });
    });
  }

  #flush(): void {
    for (const output of this.#pulse?.take() ?? []) {
      if (output.kind === "report") this.#toSentinel(output.report);
      else this.#sendUnlessFrozen(output.path, output.beat);
    }
  }

  #sendUnlessFrozen(path: number, beat: Uint8Array): void {
    if (this.#freezeBefore !== undefined && --this.#freezeBefore < 0) {
      this.#freezeBefore = undefined;
      this.freeze();
    }
    this.#whenThawed(() => this.#send(path, beat));
  }

  #send(path: number, beat: Uint8Array): void {
    const { network, duplicateProbability, deliver } = this.#world;
    const other: Side = this.side === 0 ? 1 : 0;
    network.send(this.#world.now(), this.side, path, duplicateProbability, () => deliver(other, path, beat));
  }

  /** Reports arrive in order, a little later; those to a sentinel that is gone are lost with its socket. */
  #toSentinel(report: PulseReport): void {
    if (this.#state === undefined) return;
    this.#toSentinelAt = Math.max(this.#toSentinelAt, this.#world.now() + this.#world.random.between(50, 1_500));
    this.#later(this.#toSentinelAt - this.#world.now(), () => {
      this.#whenSentinelThawed(() => this.#input({ kind: "report", report }));
    });
  }

  #toPulse(command: PulseCommand): void {
    const life = this.#pulseLife;
    this.#toPulseAt = Math.max(this.#toPulseAt, this.#world.now() + this.#world.random.between(20, 300));
    this.#later(this.#toPulseAt - this.#world.now(), () => {
      if (this.#pulseLife !== life) return;
      this.#pulse?.command(command, this.#local());
      this.#pulse?.tick(this.#local());
      this.#flush();
    });
  }

  #fitnessMap() {
    return Object.fromEntries(this.config.groups.map((group) => [group.name, { health: this.#fitness, sentence: "" }]));
  }

  #input(input: PairInput): void {
    if (this.#state === undefined || this.#sentinelFrozen) return;
    const result = step(this.config, this.#state, input, this.#local());
    this.#state = result.state;
    for (const action of result.actions) this.#carryOut(action);
    this.#scheduleTimeout();
  }

  #carryOut(action: PairAction): void {
    if (action.kind === "pulse") this.#toPulse(action.command);
    if (action.kind === "transition")
      this.#world.trace(this.side, `${action.group}: ${action.from} -> ${action.to} (${action.reason})`);
    if (action.kind === "note") this.#world.trace(this.side, `${action.event} ${action.reason}`);
    if (action.kind === "askWitnesses") this.#askWitness(true);
  }

  #scheduleTimeout(): void {
    if (this.#state === undefined) return;
    const due = this.#global(nextTimeout(this.config, this.#state, this.#local()));
    if (due >= this.#timeoutAt && this.#timeoutAt > this.#world.now()) return;
    this.#timeoutAt = due;
    this.#later(Math.max(1, due - this.#world.now()), () => this.#input({ kind: "timeout" }));
  }
}
