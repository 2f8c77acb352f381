/**
 * One health check of one address, as a pure step function: when to look, how results become a verdict, and the
 * words for it. Does no I/O; the runtime carries out `probe` and `abandon` and reports each attempt once.
 *
 * The first result decides at once, so that a box that starts is soon ready; for what the box cannot judge before its
 * own links have settled it takes `fall` failures from the beginning. Later `rise` good results in a row make
 * it healthy and `fall` failures unhealthy. A refused connection makes it unhealthy at once: the host itself says that
 * nobody listens. So does one failure after a hint from clients' packets, which is no proof alone: it may be forged.
 * Something that goes silent is found dead at most `intervalMs` × `fall` after its death: attempts start a little
 * earlier where the timeout needs it, and after a failure the next ones do not wait for their turn.
 */
import type { CheckTiming } from "../config/resolved.ts";
import { after, earliest, type Instant, type Micros, micros, millis } from "@futago/hal/units/time.ts";

export type Verdict = "unknown" | "healthy" | "unhealthy";

export interface CheckState {
  readonly verdict: Verdict;
  /** The newest result in words: "answered 503, expected 200-399". */
  readonly reason: string;
  /** Since when the verdict holds. */
  readonly since: Instant;
  /** Results in a row that contradict the verdict. */
  readonly against: number;
  /** When the first of the failures in a row was started; undefined after a good result. */
  readonly failingSince: Instant | undefined;
  readonly roundTrip: Micros | undefined;
  /** When the certificate that the other side last showed ends, in Unix milliseconds; undefined where there is none. */
  readonly certificateEndsAt: number | undefined;
  /** Counts attempts; results of earlier ones are ignored. */
  readonly attempt: number;
  /** The attempt under way. */
  readonly probe: Attempt | undefined;
  /** When the next attempt starts, unless one is under way. */
  readonly nextAt: Instant;
  /** 0 to 1: keeps checks that began together from looking together for ever. */
  readonly phase: number;
  /** Whether the very first result may say unhealthy. */
  readonly firstDecides: boolean;
  /** Whether the newest failure may be this box's own, as when nothing answers any more by the same port. */
  readonly blind: boolean;
  /** When clients' packets last showed trouble, until an attempt from after that has an answer: one failure is enough. */
  readonly hintedAt: Instant | undefined;
}

export interface Attempt {
  readonly startedAt: Instant;
  readonly deadline: Instant;
  /** The deadline was put off once because this box was late itself. */
  readonly putOff: boolean;
}

export type Outcome =
  /** `sentence` says how: "answered 200 OK". */
  | {
      readonly kind: "good";
      readonly sentence: string;
      readonly roundTrip: Micros;
      readonly certificateEndsAt?: number | undefined;
    }
  /** ECONNREFUSED: the SYN was answered with a reset. */
  | { readonly kind: "refused" }
  | {
      readonly kind: "failed";
      readonly sentence: string;
      readonly certificateEndsAt?: number | undefined;
      /** Nothing came back at all. */
      readonly silent?: boolean;
    }
  /** The box itself could not ask (no memory, no descriptor): it says nothing about the other side. */
  | { readonly kind: "notAsked"; readonly sentence: string };

export type Input =
  /** `missing` says what the attempt under way still waits for: "connected, but no answer". */
  | { readonly kind: "timeout"; readonly missing?: string; readonly blind?: boolean }
  /** Clients' packets were refused, or did not arrive: look now. */
  | { readonly kind: "hint" }
  | { readonly kind: "result"; readonly attempt: number; readonly outcome: Outcome; readonly blind?: boolean };

export type Action =
  /** Begin to look; answer with a result of the same attempt. */
  | { readonly kind: "probe"; readonly attempt: number; readonly timeout: Micros }
  /** The attempt took too long; close it, its result does not count. */
  | { readonly kind: "abandon"; readonly attempt: number }
  /** It turned, or what is unhealthy became `blind`, or certain. */
  | { readonly kind: "verdict"; readonly from: Verdict; readonly to: Verdict; readonly reason: string };

export interface Step {
  readonly state: CheckState;
  readonly actions: readonly Action[];
}

/** The first attempts of some checks are spread over this long; those of many over as long as `firstEvery` of each. */
const firstSpread = millis(100);
const firstEvery = micros(250);

/** An attempt may start this much before its time, so that one wake-up of the box serves several checks. */
export const earlinessMax = millis(4);

/** A timer that is later than this was held up by the box itself. */
const latenessMax = millis(20);
/** How long a deadline is put off then, for the sockets to be read first. */
const extension = millis(10);

export interface Beginning {
  /** Whether the first failure says that it is unhealthy. */
  readonly firstDecides?: boolean;
  /** Checks that begin at the same time. */
  readonly together?: number;
}

/** A check that has not looked yet. `phase` is {@link phaseOf} its path. */
export function startCheck(timing: CheckTiming, phase: number, now: Instant, beginning: Beginning = {}): CheckState {
  const { firstDecides = true, together = 1 } = beginning;
  const spread = micros(Math.min(period(timing), Math.max(firstSpread, together * firstEvery)) * phase);
  return {
    verdict: "unknown",
    reason: "not checked yet",
    since: now,
    against: 0,
    failingSince: undefined,
    roundTrip: undefined,
    certificateEndsAt: undefined,
    attempt: 0,
    probe: undefined,
    nextAt: after(now, spread),
    phase,
    firstDecides,
    blind: false,
    hintedAt: undefined,
  };
}

/** The state under a changed configuration of the same target: what is known stays known, the attempt under way goes on. */
export function retimeCheck(timing: CheckTiming, state: CheckState, now: Instant): CheckState {
  const latest = after(now, period(timing));
  return { ...state, nextAt: earliest(state.nextAt, latest) ?? latest };
}

/** A number from 0 to 1 that spreads checks apart, always the same for the same text (FNV-1a). */
export function phaseOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash / 2 ** 32;
}

/** When {@link step} must next be called with a timeout. */
export function nextTimeout(state: CheckState): Instant {
  return state.probe?.deadline ?? state.nextAt;
}

/**
 * From the start of a good attempt to the start of the next. The interval, or less where `fall` attempts that time
 * out would otherwise end later than `fall` intervals after a death just behind a good attempt; never less than a
 * quarter of the interval.
 */
export function period({ intervalMs, timeoutMs, fall }: CheckTiming): Micros {
  const latest = fall * (intervalMs - timeoutMs);
  return millis(Math.max(Math.min(intervalMs, latest), intervalMs / 4));
}

export function step(timing: CheckTiming, state: CheckState, input: Input, now: Instant): Step {
  switch (input.kind) {
    case "timeout":
      return stepTimeout(timing, state, input, now);
    case "hint":
      if (state.verdict === "unhealthy") return { state, actions: [] };
      return { state: { ...state, hintedAt: now, nextAt: now }, actions: [] };
    case "result": {
      const { probe } = state;
      if (probe === undefined || input.attempt !== state.attempt) return { state, actions: [] };
      return conclude(timing, state, { ...input, startedAt: probe.startedAt }, now);
    }
  }
}

type TimeoutInput = Extract<Input, { kind: "timeout" }>;

function stepTimeout(timing: CheckTiming, state: CheckState, input: TimeoutInput, now: Instant): Step {
  const { probe } = state;
  if (probe !== undefined) {
    if (now < probe.deadline) return { state, actions: [] };
    if (probe.putOff || now < after(probe.deadline, latenessMax)) {
      return expire(timing, state, { ...input, startedAt: probe.startedAt }, now);
    }
    // The box itself was held up; the answer may have come in time and wait to be read.
    return { state: { ...state, probe: { ...probe, deadline: after(now, extension), putOff: true } }, actions: [] };
  }
  if (after(now, earlinessMax) < state.nextAt) return { state, actions: [] };
  const attempt = state.attempt + 1;
  const timeout = millis(timing.timeoutMs);
  return {
    state: { ...state, attempt, probe: { startedAt: now, deadline: after(now, timeout), putOff: false } },
    actions: [{ kind: "probe", attempt, timeout }],
  };
}

function expire(
  timing: CheckTiming,
  state: CheckState,
  { missing = "no answer", blind = false, startedAt }: TimeoutInput & { readonly startedAt: Instant },
  now: Instant,
): Step {
  const sentence = `${missing} within ${timing.timeoutMs} ms`;
  const concluded = conclude(timing, state, { startedAt, outcome: { kind: "failed", sentence }, blind }, now);
  return { ...concluded, actions: [{ kind: "abandon", attempt: state.attempt }, ...concluded.actions] };
}

interface Conclusion {
  readonly startedAt: Instant;
  readonly outcome: Outcome;
  readonly blind?: boolean;
}

function conclude(
  timing: CheckTiming,
  state: CheckState,
  { startedAt, outcome, blind = false }: Conclusion,
  now: Instant,
): Step {
  const certificateEndsAt =
    ("certificateEndsAt" in outcome ? outcome.certificateEndsAt : undefined) ?? state.certificateEndsAt;
  const idle = { ...state, probe: undefined, reason: sentenceOf(outcome), certificateEndsAt };
  switch (outcome.kind) {
    case "notAsked":
      return { state: { ...idle, nextAt: regular(timing, state, startedAt, now) }, actions: [] };
    case "good": {
      const against = state.verdict === "unhealthy" ? state.against + 1 : 0;
      const stale = state.hintedAt !== undefined && state.hintedAt > startedAt;
      const hintedAt = stale ? state.hintedAt : undefined;
      const nextAt = stale ? now : regular(timing, state, startedAt, now);
      const known = { ...idle, against, failingSince: undefined, roundTrip: outcome.roundTrip, hintedAt, nextAt };
      return state.verdict === "unknown" || against >= timing.rise
        ? turn(known, "healthy", now)
        : { state: known, actions: [] };
    }
    case "refused":
    case "failed": {
      const failingSince = state.failingSince ?? startedAt;
      const first = state.verdict === "unknown" && state.firstDecides;
      const against = state.verdict === "unhealthy" ? 0 : state.against + 1;
      const nextAt = regular(timing, state, startedAt, now);
      const known = { ...idle, against, failingSince, hintedAt: undefined, nextAt, blind };
      const down = outcome.kind === "refused" || first || state.hintedAt !== undefined || against >= timing.fall;
      if (down && state.verdict !== "unhealthy") return turn(known, "unhealthy", now);
      if (state.verdict === "unhealthy") return { state: known, actions: blind === state.blind ? [] : [tell(known)] };
      return { state: { ...known, nextAt: hurried(timing, known, now) }, actions: [] };
    }
  }
}

function turn(state: CheckState, to: Verdict, now: Instant): Step {
  if (state.verdict === to) return { state, actions: [] };
  const turned = { ...state, verdict: to, since: now, against: 0, blind: to === "unhealthy" && state.blind };
  return { state: turned, actions: [tell(turned, state.verdict)] };
}

function tell({ verdict: to, reason }: CheckState, from: Verdict = to): Action {
  return { kind: "verdict", from, to, reason };
}

/** One period after the attempt began; the second attempt comes earlier by the phase. */
function regular(timing: CheckTiming, state: CheckState, startedAt: Instant, now: Instant): Instant {
  const share = state.attempt === 1 ? 0.5 + state.phase / 2 : 1;
  return notBefore(now, after(startedAt, micros(period(timing) * share)));
}

/** Early enough that the failures still missing end in time, each taking its whole timeout. */
function hurried(timing: CheckTiming, state: CheckState, now: Instant): Instant {
  const missing = timing.fall - state.against;
  const end = millis(timing.fall * timing.intervalMs - missing * timing.timeoutMs);
  const latest = after(state.failingSince ?? now, micros(end - period(timing)));
  return notBefore(now, earliest(state.nextAt, latest) ?? latest);
}

function notBefore(now: Instant, moment: Instant): Instant {
  return moment < now ? now : moment;
}

function sentenceOf(outcome: Outcome): string {
  return outcome.kind === "refused" ? "connection refused" : outcome.sentence;
}
