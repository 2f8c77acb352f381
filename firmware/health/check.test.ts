import { after, type Instant, instant, micros, millis } from "@futago/hal/units/time.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CheckTiming } from "../config/resolved.ts";
import {
  type Action,
  type CheckState,
  type Input,
  nextTimeout,
  type Outcome,
  period,
  phaseOf,
  retimeCheck,
  startCheck,
  step,
} from "./check.ts";

const timing: CheckTiming = { intervalMs: 1_000, timeoutMs: 500, rise: 2, fall: 2 };
const at = (milliseconds: number): Instant => instant(millis(milliseconds));

const base: CheckState = {
  verdict: "healthy",
  reason: "answered 200",
  since: at(0),
  against: 0,
  failingSince: undefined,
  roundTrip: micros(400),
  certificateEndsAt: undefined,
  attempt: 7,
  probe: undefined,
  nextAt: at(10_000),
  phase: 0.5,
  firstDecides: true,
  blind: false,
  hintedAt: undefined,
};
const asking: CheckState = { ...base, probe: { startedAt: at(10_000), deadline: at(10_500), putOff: false } };
const good: Outcome = { kind: "good", sentence: "answered 200", roundTrip: micros(900) };
const FAILED_REASON = "answered 503, expected 200-399";
const failed: Outcome = { kind: "failed", sentence: FAILED_REASON };
const refused: Outcome = { kind: "refused" };
const result = (outcome: Outcome, attempt = 7): Input => ({ kind: "result", attempt, outcome });
const timeout: Input = { kind: "timeout" };

interface Row {
  readonly name: string;
  readonly state: CheckState;
  readonly input: Input;
  readonly now: number;
  readonly becomes: Partial<CheckState>;
  readonly actions: readonly Action[];
}

const turned = (from: "unknown" | "healthy" | "unhealthy", to: "healthy" | "unhealthy", reason: string): Action => ({
  kind: "verdict",
  from,
  to,
  reason,
});

const rows: readonly Row[] = [
  { name: "waits until its time", state: base, input: timeout, now: 9_995, becomes: {}, actions: [] },
  {
    name: "may ask a few milliseconds early, together with others",
    state: base,
    input: timeout,
    now: 9_996,
    becomes: { attempt: 8, probe: { startedAt: at(9_996), deadline: at(10_496), putOff: false } },
    actions: [{ kind: "probe", attempt: 8, timeout: millis(500) }],
  },
  {
    name: "asks when its time has come",
    state: base,
    input: timeout,
    now: 10_000,
    becomes: { attempt: 8, probe: { startedAt: at(10_000), deadline: at(10_500), putOff: false } },
    actions: [{ kind: "probe", attempt: 8, timeout: millis(500) }],
  },
  { name: "waits for the answer", state: asking, input: timeout, now: 10_499, becomes: {}, actions: [] },
  {
    name: "gives up at the deadline, and asks again at once so as to end within the bound",
    state: asking,
    input: timeout,
    now: 10_500,
    becomes: {
      probe: undefined,
      against: 1,
      failingSince: at(10_000),
      reason: "no answer within 500 ms",
      nextAt: at(10_500),
    },
    actions: [{ kind: "abandon", attempt: 7 }],
  },
  {
    name: "reads what waits in its sockets first when it was itself held up",
    state: asking,
    input: timeout,
    now: 10_800,
    becomes: { probe: { startedAt: at(10_000), deadline: at(10_810), putOff: true } },
    actions: [],
  },
  {
    name: "puts a deadline off only once",
    state: { ...asking, probe: { startedAt: at(10_000), deadline: at(10_810), putOff: true } },
    input: timeout,
    now: 11_500,
    becomes: {
      probe: undefined,
      against: 1,
      failingSince: at(10_000),
      reason: "no answer within 500 ms",
      nextAt: at(11_500),
    },
    actions: [{ kind: "abandon", attempt: 7 }],
  },
  {
    name: "asks again one interval after a good answer began",
    state: { ...asking, against: 1, failingSince: at(9_000) },
    input: result(good),
    now: 10_020,
    becomes: { probe: undefined, against: 0, failingSince: undefined, roundTrip: micros(900), nextAt: at(11_000) },
    actions: [],
  },
  {
    name: "stays healthy after one failure of two, with the reason shown",
    state: asking,
    input: result(failed),
    now: 10_020,
    becomes: {
      probe: undefined,
      against: 1,
      failingSince: at(10_000),
      reason: "answered 503, expected 200-399",
      nextAt: at(10_500),
    },
    actions: [],
  },
  {
    name: "turns unhealthy with the second failure",
    state: { ...asking, against: 1, failingSince: at(9_500) },
    input: result(failed),
    now: 10_020,
    becomes: {
      probe: undefined,
      verdict: "unhealthy",
      against: 0,
      failingSince: at(9_500),
      since: at(10_020),
      reason: "answered 503, expected 200-399",
      nextAt: at(11_000),
    },
    actions: [turned("healthy", "unhealthy", "answered 503, expected 200-399")],
  },
  {
    name: "turns unhealthy at once when the connection is refused",
    state: asking,
    input: result(refused),
    now: 10_001,
    becomes: {
      probe: undefined,
      verdict: "unhealthy",
      failingSince: at(10_000),
      since: at(10_001),
      reason: "connection refused",
      nextAt: at(11_000),
    },
    actions: [turned("healthy", "unhealthy", "connection refused")],
  },
  {
    name: "stays unhealthy after one good answer of two",
    state: { ...asking, verdict: "unhealthy", failingSince: at(1_000) },
    input: result(good),
    now: 10_020,
    becomes: { probe: undefined, against: 1, failingSince: undefined, roundTrip: micros(900), nextAt: at(11_000) },
    actions: [],
  },
  {
    name: "turns healthy with the second good answer",
    state: { ...asking, verdict: "unhealthy", against: 1 },
    input: result(good),
    now: 10_020,
    becomes: {
      probe: undefined,
      verdict: "healthy",
      against: 0,
      since: at(10_020),
      roundTrip: micros(900),
      nextAt: at(11_000),
    },
    actions: [turned("unhealthy", "healthy", "answered 200")],
  },
  {
    name: "counts good answers anew after a failure",
    state: { ...asking, verdict: "unhealthy", against: 1 },
    input: result(failed),
    now: 10_020,
    becomes: {
      probe: undefined,
      against: 0,
      failingSince: at(10_000),
      reason: "answered 503, expected 200-399",
      nextAt: at(11_000),
    },
    actions: [],
  },
  {
    name: "believes the first good answer",
    state: { ...asking, verdict: "unknown", attempt: 1 },
    input: result(good, 1),
    now: 10_020,
    becomes: { probe: undefined, verdict: "healthy", since: at(10_020), roundTrip: micros(900), nextAt: at(10_750) },
    actions: [turned("unknown", "healthy", "answered 200")],
  },
  {
    name: "believes the first failure",
    state: { ...asking, verdict: "unknown" },
    input: timeout,
    now: 10_500,
    becomes: {
      probe: undefined,
      verdict: "unhealthy",
      since: at(10_500),
      failingSince: at(10_000),
      reason: "no answer within 500 ms",
      nextAt: at(11_000),
    },
    actions: [{ kind: "abandon", attempt: 7 }, turned("unknown", "unhealthy", "no answer within 500 ms")],
  },
  {
    name: "waits for more failures where the first shall not decide",
    state: { ...asking, verdict: "unknown", firstDecides: false },
    input: result(failed),
    now: 10_020,
    becomes: { probe: undefined, against: 1, failingSince: at(10_000), reason: FAILED_REASON, nextAt: at(10_500) },
    actions: [],
  },
  {
    name: "believes the last of them",
    state: { ...asking, verdict: "unknown", firstDecides: false, against: 2, failingSince: at(9_000) },
    input: result(failed),
    now: 10_020,
    becomes: {
      probe: undefined,
      verdict: "unhealthy",
      since: at(10_020),
      against: 0,
      reason: FAILED_REASON,
      nextAt: at(11_000),
    },
    actions: [turned("unknown", "unhealthy", FAILED_REASON)],
  },
  {
    name: "holds nothing against the other side when it could not ask",
    state: { ...asking, against: 1, failingSince: at(9_000) },
    input: result({ kind: "notAsked", sentence: "no file descriptor left (EMFILE)" }),
    now: 10_001,
    becomes: { probe: undefined, reason: "no file descriptor left (EMFILE)", nextAt: at(11_000) },
    actions: [],
  },
  {
    name: "ignores the result of an earlier attempt",
    state: asking,
    input: result(refused, 6),
    now: 10_020,
    becomes: {},
    actions: [],
  },
  {
    name: "ignores a result when it did not ask",
    state: base,
    input: result(refused),
    now: 9_000,
    becomes: {},
    actions: [],
  },
];

describe("one check", () => {
  it.each(rows)("$name", ({ state, input, now, becomes, actions }) => {
    expect(step(timing, state, input, at(now))).toEqual({ state: { ...state, ...becomes }, actions });
  });

  it("starts within a tenth of a second, the same for the same path", () => {
    const phase = phaseOf("pools.web.backends.s1");
    expect(phaseOf("pools.web.backends.s1")).toBe(phase);
    expect(phaseOf("pools.web.backends.s2")).not.toBe(phase);
    const state = startCheck(timing, 0.5, at(1_000));
    expect(state).toMatchObject({ verdict: "unknown", reason: "not checked yet" });
    expect(nextTimeout(state)).toBe(at(1_050));
  });

  it("keeps what it knows under other times, and looks no later than they say", () => {
    expect(retimeCheck({ ...timing, intervalMs: 100, timeoutMs: 50 }, base, at(9_000))).toEqual({
      ...base,
      nextAt: at(9_100),
    });
    expect(retimeCheck({ ...timing, intervalMs: 60_000 }, base, at(9_500))).toEqual(base);
  });

  it("looks earlier than the interval only where the timeout would break the bound", () => {
    const after1 = (fall: number, timeoutMs: number) => period({ intervalMs: 1_000, timeoutMs, rise: 1, fall });
    expect(after1(2, 500)).toBe(millis(1_000));
    expect(after1(3, 500)).toBe(millis(1_000));
    expect(after1(1, 500)).toBe(millis(500));
    expect(after1(2, 700)).toBe(millis(600));
    expect(after1(1, 1_000)).toBe(millis(250));
  });
});

/** A backend that answers after `answerMs` until it dies at `diesAt`, then goes silent or refuses. */
function detect(
  times: CheckTiming,
  phase: number,
  diesAt: number,
  answerMs: number,
  dead: "silent" | "refuses",
): number {
  let state = startCheck(times, phase, at(0));
  const pending: { readonly due: Instant; readonly input: Input }[] = [];
  for (let steps = 0; steps < 30_000; steps++) {
    const timer = nextTimeout(state);
    pending.sort((x, y) => x.due - y.due);
    const first = pending[0];
    const answered = first !== undefined && first.due <= timer;
    const now = answered ? first.due : timer;
    if (answered) pending.shift();
    const next = step(times, state, answered ? first.input : timeout, now);
    state = next.state;
    for (const action of next.actions) {
      if (action.kind === "verdict" && action.to === "unhealthy") return now - at(diesAt);
      if (action.kind !== "probe") continue;
      const due = after(now, millis(answerMs));
      if (due < at(diesAt)) pending.push({ due, input: result(good, action.attempt) });
      else if (now >= at(diesAt) && dead === "refuses")
        pending.push({ due: now, input: result(refused, action.attempt) });
    }
  }
  throw new Error("the dead backend was never found");
}

describe("the bound on detection", () => {
  const times = fc
    .record({
      intervalMs: fc.integer({ min: 20, max: 5_000 }),
      share: fc.double({ min: 0.05, max: 1, noNaN: true }),
      fall: fc.integer({ min: 1, max: 6 }),
    })
    .map(
      ({ intervalMs, share, fall }): CheckTiming => ({
        intervalMs,
        timeoutMs: Math.max(1, Math.floor(intervalMs * share)),
        rise: 1,
        fall,
      }),
    )
    // Beyond this the period would fall below a quarter of the interval, and the bound yields.
    .filter(({ intervalMs, timeoutMs, fall }) => fall * (intervalMs - timeoutMs) >= intervalMs / 4);

  it("holds for a backend that goes silent at any moment: interval × fall", () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(30_000), (all, phase, diesAt) => {
        const answerMs = Math.min(2, all.timeoutMs / 2);
        expect(detect(all, phase, diesAt, answerMs, "silent")).toBeLessThanOrEqual(
          millis(all.intervalMs * all.fall + 1 + answerMs),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("is one interval for a backend that refuses connections, whatever `fall` says", () => {
    fc.assert(
      fc.property(times, fc.nat(30_000), (all, diesAt) => {
        // An answer that was under way at the moment of death times out first.
        const late = all.intervalMs + all.timeoutMs;
        expect(detect(all, 0.3, diesAt, 0, "refuses")).toBeLessThanOrEqual(millis(late));
        expect(detect(all, 0.3, diesAt, 0, "refuses")).toBeLessThanOrEqual(millis(all.intervalMs + 1));
      }),
      { numRuns: 300 },
    );
  });

  it("never asks twice at a time, nor without pause while all is well", () => {
    fc.assert(
      fc.property(times, (all) => {
        let state = startCheck(all, 0.7, at(0));
        let asked = 0;
        while (nextTimeout(state) < at(all.intervalMs * 20)) {
          const now = nextTimeout(state);
          const { state: next, actions } = step(all, state, timeout, now);
          asked += actions.filter((action) => action.kind === "probe").length;
          state = step(all, next, result(good, next.attempt), now).state;
        }
        expect(asked).toBeGreaterThanOrEqual(20);
        expect(asked).toBeLessThanOrEqual(20 * 4 + 2);
      }),
    );
  });
});
