/** Carries out what the health checks decide: attempts, their outcomes, and one timer for the earliest next look. */
import type { Hal } from "@futago/hal/contract/hal.ts";
import { between, earliest, type Instant, toMillis } from "@futago/hal/units/time.ts";
import {
  type Action,
  type CheckState,
  type Input,
  nextTimeout,
  type Outcome,
  phaseOf,
  retimeCheck,
  startCheck,
  step,
} from "../../../health/check.ts";
import { EchoProbe } from "./echo-probe.ts";
import { GatewayProbe } from "./gateway-probe.ts";
import type { Subject } from "./subjects.ts";
import { probeTcp } from "./tcp-probe.ts";

type Machine = Pick<Hal, "clock" | "icmp" | "network">;

interface Check {
  readonly subject: Subject;
  state: CheckState;
  /** Ends the attempt under way. */
  abandon: () => void;
}

export interface CheckRunnerOptions {
  readonly machine: Machine;
  /** A verdict changed. */
  readonly onVerdict: (subject: Subject, state: CheckState) => void;
}

export class CheckRunner {
  readonly #machine: Machine;
  readonly #onVerdict: CheckRunnerOptions["onVerdict"];
  readonly #echo: EchoProbe;
  readonly #gateway: GatewayProbe;
  #checks: ReadonlyMap<string, Check> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ machine, onVerdict }: CheckRunnerOptions) {
    this.#machine = machine;
    this.#onVerdict = onVerdict;
    this.#echo = new EchoProbe(machine.icmp, machine.clock, process.pid);
    this.#gateway = new GatewayProbe(this.#echo, machine.network, machine.clock);
  }

  /** By the subject's path. */
  states(): ReadonlyMap<string, CheckState> {
    return new Map([...this.#checks].map(([path, check]) => [path, check.state]));
  }

  /** Looks at these from now on. What is known of a target that stays is kept. */
  setSubjects(subjects: readonly Subject[]): void {
    const now = this.#machine.clock.now();
    const former = this.#checks;
    this.#checks = new Map(
      subjects.map((subject) => {
        const known = former.get(subject.path);
        if (known === undefined || !isSameTarget(known.subject, subject)) return [subject.path, begin(subject, now)];
        return [subject.path, { ...known, subject, state: retimeCheck(subject.probe, known.state, now) }];
      }),
    );
    for (const [path, check] of former) {
      const successor = this.#checks.get(path);
      if (successor?.abandon !== check.abandon) check.abandon();
    }
    this.#schedule(now);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const check of this.#checks.values()) check.abandon();
    this.#echo.close();
  }

  #schedule(now: Instant): void {
    clearTimeout(this.#timer);
    let next: Instant | undefined;
    for (const check of this.#checks.values()) next = earliest(next, nextTimeout(check.state));
    if (next === undefined || this.#closed) return;
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, Math.ceil(toMillis(between(now, next)))));
  }

  #onTimer(): void {
    const now = this.#machine.clock.now();
    for (const check of this.#checks.values()) {
      if (nextTimeout(check.state) <= now) this.#input(check, { kind: "timeout" }, now);
    }
    this.#schedule(now);
  }

  #input(check: Check, input: Input, now: Instant): void {
    const { state, actions } = step(check.subject.probe, check.state, input, now);
    check.state = state;
    for (const action of actions) this.#carryOut(check, action);
  }

  #carryOut(check: Check, action: Action): void {
    switch (action.kind) {
      case "probe": {
        const { attempt } = action;
        check.abandon = this.#start(check.subject, action, (outcome) =>
          this.#onOutcome(check.subject.path, attempt, outcome),
        );
        return;
      }
      case "abandon":
        check.abandon();
        return;
      case "verdict":
        this.#onVerdict(check.subject, check.state);
    }
  }

  #start(
    subject: Subject,
    action: Extract<Action, { kind: "probe" }>,
    onOutcome: (outcome: Outcome) => void,
  ): () => void {
    if (subject.probe.kind !== "icmp") return probeTcp(subject, this.#machine.clock, onOutcome);
    if (subject.about.kind === "gateway") return this.#gateway.start(subject.address, action.timeout, onOutcome);
    return this.#echo.start(subject.address, onOutcome);
  }

  /** By path, because a commit may have put a new check in the place of the one that asked. */
  #onOutcome(path: string, attempt: number, outcome: Outcome): void {
    const check = this.#checks.get(path);
    if (check === undefined || this.#closed) return;
    const now = this.#machine.clock.now();
    this.#input(check, { kind: "result", attempt, outcome }, now);
    this.#schedule(now);
  }
}

function begin(subject: Subject, now: Instant): Check {
  // A gateway behind a link that has only just come up is not resolved yet; its first silence says nothing.
  const firstDecides = subject.about.kind !== "gateway";
  const state = startCheck(subject.probe, phaseOf(subject.path), now, firstDecides);
  return { subject, state, abandon: () => undefined };
}

/** Whether an answer to one is an answer to the other: all but the timing is the same. */
function isSameTarget(a: Subject, b: Subject): boolean {
  return targetOf(a) === targetOf(b);
}

function targetOf({ probe, address, port, source }: Subject): string {
  const { intervalMs: _i, timeoutMs: _t, rise: _r, fall: _f, ...question } = probe;
  return JSON.stringify([question, address, port, source]);
}
