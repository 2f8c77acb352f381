/** What a check makes of a hint: that clients' packets to its address were refused, or did not arrive. */
import { type Instant, instant, micros, millis } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import type { CheckTiming } from "../config/resolved.ts";
import { type Action, type CheckState, type Input, type Outcome, startCheck, step } from "./check.ts";

const timing: CheckTiming = { intervalMs: 1_000, timeoutMs: 500, rise: 2, fall: 3 };
const at = (milliseconds: number): Instant => instant(millis(milliseconds));
const base: CheckState = {
  ...startCheck(timing, 0.5, at(0)),
  verdict: "healthy",
  attempt: 7,
  nextAt: at(10_000),
};
const asking: CheckState = { ...base, probe: { startedAt: at(10_000), deadline: at(10_500), putOff: false } };
const failed: Outcome = { kind: "failed", sentence: "answered 503" };
const good: Outcome = { kind: "good", sentence: "answered 200", roundTrip: micros(900) };
const result = (outcome: Outcome): Input => ({ kind: "result", attempt: 7, outcome });
const down: Action = { kind: "verdict", from: "healthy", to: "unhealthy", reason: "answered 503" };
const ended = { probe: undefined, roundTrip: micros(900), reason: "answered 200" };

interface Row {
  readonly name: string;
  readonly state: CheckState;
  readonly input: Input;
  readonly now: number;
  readonly becomes: Partial<CheckState>;
  readonly actions: readonly Action[];
}

const rows: readonly Row[] = [
  {
    name: "looks at once",
    state: base,
    input: { kind: "hint" },
    now: 9_200,
    becomes: { hintedAt: at(9_200), nextAt: at(9_200) },
    actions: [],
  },
  {
    name: "is not hurried when it knows already",
    state: { ...base, verdict: "unhealthy" },
    input: { kind: "hint" },
    now: 9_200,
    becomes: {},
    actions: [],
  },
  {
    name: "takes one failure for enough, of the three that it would take",
    state: { ...asking, hintedAt: at(9_999) },
    input: result(failed),
    now: 10_100,
    becomes: {
      verdict: "unhealthy",
      since: at(10_100),
      probe: undefined,
      reason: "answered 503",
      failingSince: at(10_000),
      hintedAt: undefined,
      nextAt: at(11_000),
    },
    actions: [down],
  },
  {
    name: "believes its own good answer more",
    state: { ...asking, hintedAt: at(9_999) },
    input: result(good),
    now: 10_100,
    becomes: { ...ended, hintedAt: undefined, nextAt: at(11_000) },
    actions: [],
  },
  {
    name: "looks again when the hint came after the attempt began",
    state: { ...asking, hintedAt: at(10_050) },
    input: result(good),
    now: 10_100,
    becomes: { ...ended, nextAt: at(10_100) },
    actions: [],
  },
];

describe("a check that gets a hint from clients' packets", () => {
  it.each(rows)("$name", ({ state, input, now, becomes, actions }) => {
    expect(step(timing, state, input, at(now))).toEqual({ state: { ...state, ...becomes }, actions });
  });

  it("begins an attempt at the next timeout", () => {
    const { state } = step(timing, base, { kind: "hint" }, at(9_200));
    expect(step(timing, state, { kind: "timeout" }, at(9_200)).actions).toEqual([
      { kind: "probe", attempt: 8, timeout: millis(500) },
    ]);
  });
});
