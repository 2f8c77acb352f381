/**
 * Carries out what the health checks decide: attempts and their outcomes. One timer for all: it rings when the first
 * attempt must start or end, and starts what would be due within the next milliseconds too.
 */
import type { Hal } from "@futago/hal/contract/hal.ts";
import type { Dialer } from "@futago/hal/contract/dial.ts";
import type { Link } from "@futago/hal/contract/network.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import { after, between, earliest, type Instant, toMillis } from "@futago/hal/units/time.ts";
import {
  type Action,
  type CheckState,
  earlinessMax,
  type Input,
  type Outcome,
  phaseOf,
  retimeCheck,
  startCheck,
  step,
} from "../../../health/check.ts";
import { Slices } from "../slices.ts";
import { Deadlines } from "./deadlines.ts";
import { probeDns } from "./dns-probe.ts";
import { EchoProbe } from "./echo-probe.ts";
import { GatewayProbe } from "./gateway-probe.ts";
import { probeHttps } from "./https-probe.ts";
import type { OnOutcome, RunningProbe } from "./probe.ts";
import { addTarget, Sight, type Target } from "./sight.ts";
import type { Subject } from "./subjects.ts";
import { probeHttp, probeTcp } from "./tcp-probe.ts";
import { TrustedAuthorities } from "./trusted-authorities.ts";

type Machine = Pick<Hal, "clock" | "dialing" | "icmp" | "network">;

interface Check {
  subject: Subject;
  state: CheckState;
  /** The attempt under way, or the last one. */
  running: RunningProbe;
}

export interface CheckRunnerOptions {
  readonly machine: Machine;
  /** A verdict changed. */
  readonly onVerdict: (subject: Subject, state: CheckState) => void;
  /** Whose certificates count; left out, those that the machine trusts. */
  readonly authorities?: TrustedAuthorities;
}

interface Result {
  readonly attempt: number;
  readonly outcome: Outcome;
}

const NOT_RUNNING: RunningProbe = { end: () => undefined, missing: () => "no answer" };

export class CheckRunner {
  readonly #machine: Machine;
  readonly #onVerdict: CheckRunnerOptions["onVerdict"];
  readonly #authorities: TrustedAuthorities;
  readonly #dialer: Dialer;
  readonly #echo: EchoProbe;
  readonly #gateway: GatewayProbe;
  readonly #starts: Deadlines<Check>;
  readonly #ends: Deadlines<Check>;
  readonly #sight = new Sight();
  #checks = new Map<string, Check>();
  /** Those that take their place, while they are put together. */
  #coming: Map<string, Check> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer rings; undefined when it does not. */
  #ringsAt: Instant | undefined;
  #closed = false;

  /** Throws HalError when the kernel gives no descriptor. Keeps the process alive until it is closed. */
  constructor({ machine, onVerdict, authorities }: CheckRunnerOptions) {
    this.#machine = machine;
    this.#onVerdict = onVerdict;
    this.#authorities = authorities ?? new TrustedAuthorities();
    this.#dialer = machine.dialing.open();
    this.#echo = new EchoProbe(machine.icmp, machine.clock, process.pid);
    this.#gateway = new GatewayProbe(this.#echo, machine.network, machine.clock);
    const isCurrent = (check: Check) => this.#checks.get(check.subject.path) === check;
    this.#starts = new Deadlines(
      (check, at) => check.state.probe === undefined && check.state.nextAt === at && isCurrent(check),
    );
    this.#ends = new Deadlines((check, at) => check.state.probe?.deadline === at && isCurrent(check));
  }

  /** By the subject's path. */
  stateOf(path: string): CheckState | undefined {
    return this.#checks.get(path)?.state;
  }

  /**
   * Looks at these from now on. What is known of a target that stays is kept. Of many the checks go on meanwhile, and
   * those that are new begin at the end.
   */
  async setSubjects(subjects: readonly Subject[], slices: Slices = new Slices()): Promise<void> {
    const checks = new Map<string, Check>();
    this.#coming = checks;
    const fresh: Subject[] = [];
    const targets = new Map<Ifname, Target>();
    for (const subject of subjects) {
      addTarget(targets, subject);
      const known = this.#checks.get(subject.path);
      if (known === undefined || !isSameTarget(known.subject, subject)) fresh.push(subject);
      else {
        if (known.subject !== subject) this.#retime(known, subject);
        checks.set(subject.path, known);
      }
      if (slices.spent) await slices.rest();
    }
    const begun: Check[] = [];
    for (const subject of fresh) {
      const check = this.#begin(subject, fresh.length);
      checks.set(subject.path, check);
      begun.push(check);
      if (slices.spent) await slices.rest();
    }
    const former = this.#checks;
    this.#checks = checks;
    this.#coming = undefined;
    this.#sight.setTargets(targets);
    for (const [path, check] of former) if (checks.get(path) !== check) check.running.end();
    for (const check of begun) {
      this.#plan(check);
      if (slices.spent) await slices.rest();
    }
    this.#schedule(this.#machine.clock.now());
  }

  #begin(subject: Subject, together: number): Check {
    // A gateway behind a link that has only just come up is not resolved yet; its first silence says nothing.
    const firstDecides = subject.about.kind !== "gateway";
    const now = this.#machine.clock.now();
    const state = startCheck(subject.probe, phaseOf(subject.path), now, { firstDecides, together });
    return { subject, state, running: NOT_RUNNING };
  }

  /** The same target, asked at other times. */
  #retime(check: Check, subject: Subject): void {
    const now = this.#machine.clock.now();
    check.subject = subject;
    check.state = retimeCheck(subject.probe, check.state, now);
    this.#plan(check);
    this.#schedule(now);
  }

  /** Which ports have a carrier. */
  setLinks(links: readonly Link[]): void {
    this.#sight.setLinks(links, this.#machine.clock.now());
  }

  /** Clients' packets showed trouble: looks now. */
  hint(path: string): void {
    const check = this.#checks.get(path);
    if (check === undefined || this.#closed) return;
    const now = this.#machine.clock.now();
    this.#input(check, { kind: "hint" }, now);
    this.#schedule(now);
  }

  /** Looks at this one, too, from now on; nothing happens when it is known. */
  add(subject: Subject): void {
    if (this.#checks.has(subject.path) || this.#closed) return;
    const now = this.#machine.clock.now();
    const check = this.#begin(subject, 1);
    check.state = { ...check.state, nextAt: now };
    this.#checks.set(subject.path, check);
    this.#coming?.set(subject.path, check);
    this.#plan(check);
    this.#schedule(now);
  }

  drop(path: string): void {
    this.#checks.get(path)?.running.end();
    this.#checks.delete(path);
    this.#coming?.delete(path);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const check of this.#checks.values()) check.running.end();
    this.#dialer.close();
    this.#echo.close();
  }

  /** Notes when the check must be looked at next. */
  #plan(check: Check): void {
    const { probe, nextAt } = check.state;
    if (probe === undefined) this.#starts.add(nextAt, check);
    else this.#ends.add(probe.deadline, check);
  }

  #schedule(now: Instant): void {
    const next = earliest(this.#starts.earliest(), this.#ends.earliest());
    if (next === undefined || this.#closed) return;
    // A timer that rings too early finds nothing to do; that is cheaper than setting it anew each time.
    if (this.#ringsAt !== undefined && this.#ringsAt <= next) return;
    clearTimeout(this.#timer);
    this.#ringsAt = next;
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, Math.ceil(toMillis(between(now, next)))));
  }

  #onTimer(): void {
    this.#ringsAt = undefined;
    const now = this.#machine.clock.now();
    const slices = new Slices();
    // After a moment answers are read and others have their turn; what is due then is due still.
    for (
      let check = this.#ends.take(now);
      check !== undefined;
      check = slices.spent ? undefined : this.#ends.take(now)
    ) {
      const blind = this.#sight.isBlind(check.subject, check.state, now);
      this.#input(check, { kind: "timeout", missing: check.running.missing(), blind }, now);
    }
    const until = after(now, earlinessMax);
    while (!slices.spent) {
      const check = this.#starts.take(until);
      if (check === undefined) break;
      this.#input(check, { kind: "timeout" }, now);
    }
    this.#schedule(this.#machine.clock.now());
  }

  #input(check: Check, input: Input, now: Instant): void {
    const { state, actions } = step(check.subject.probe, check.state, input, now);
    check.state = state;
    this.#plan(check);
    for (const action of actions) this.#carryOut(check, action);
  }

  #carryOut(check: Check, action: Action): void {
    switch (action.kind) {
      case "probe": {
        const { attempt } = action;
        const { path } = check.subject;
        check.running = this.#start(check.subject, action, (outcome) => {
          const now = this.#machine.clock.now();
          this.#onResult(path, { attempt, outcome }, now);
        });
        return;
      }
      case "abandon":
        check.running.end();
        return;
      case "verdict":
        this.#onVerdict(check.subject, check.state);
    }
  }

  #start(subject: Subject, action: Extract<Action, { kind: "probe" }>, onOutcome: OnOutcome): RunningProbe {
    const { probe } = subject;
    const { clock } = this.#machine;
    switch (probe.kind) {
      case "tcp":
        return probeTcp(subject, { dialer: this.#dialer, clock }, onOutcome);
      case "http":
        return probeHttp(subject, probe, { dialer: this.#dialer, clock }, onOutcome);
      case "https":
        return probeHttps(subject, probe, { clock, authorities: this.#authorities, wallMillis: Date.now }, onOutcome);
      case "dns":
        return probeDns(subject, probe, clock, onOutcome);
      case "icmp": {
        const { address, about } = subject;
        const end =
          about.kind === "gateway"
            ? this.#gateway.start(address, action.timeout, onOutcome)
            : this.#echo.start(address, onOutcome);
        return { end, missing: NOT_RUNNING.missing };
      }
    }
  }

  /** By path, because a commit may have put a new check in the place of the one that asked. */
  #onResult(path: string, { attempt, outcome }: Result, now: Instant): void {
    const check = this.#checks.get(path);
    if (check === undefined || this.#closed) return;
    // What has answered is not held on to until the next attempt: of many checks that is much.
    if (attempt === check.state.attempt) check.running = NOT_RUNNING;
    const blind =
      outcome.kind === "failed" && outcome.silent === true && this.#sight.isBlind(check.subject, check.state, now);
    if (isAnswer(outcome)) this.#sight.heard(check.subject.device, now);
    this.#input(check, { kind: "result", attempt, outcome, blind }, now);
    this.#schedule(now);
  }
}

function isAnswer(outcome: Outcome): boolean {
  return outcome.kind === "failed" ? outcome.silent !== true : outcome.kind !== "notAsked";
}

/** Whether an answer to one is an answer to the other: all but the timing is the same. */
function isSameTarget(a: Subject, b: Subject): boolean {
  if (a === b) return true;
  const samePlace = a.address === b.address && a.port === b.port && a.source === b.source;
  return samePlace && (a.probe === b.probe || questionOf(a.probe) === questionOf(b.probe));
}

function questionOf(probe: Subject["probe"]): string {
  const { intervalMs: _i, timeoutMs: _t, rise: _r, fall: _f, ...question } = probe;
  return JSON.stringify(question);
}
