/** What a check makes of silences that may be this box's own: it is as unhealthy as ever, and known to be in doubt. */
import { type Instant, instant, micros, millis } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import type { CheckTiming } from "../config/resolved.ts";
import { type CheckState, type Input, type Outcome, startCheck, step } from "./check.ts";

const timing: CheckTiming = { intervalMs: 1_000, timeoutMs: 500, rise: 2, fall: 2 };
const at = (milliseconds: number): Instant => instant(millis(milliseconds));
const asking: CheckState = {
  ...startCheck(timing, 0.5, at(0)),
  verdict: "healthy",
  attempt: 7,
  nextAt: at(10_000),
  probe: { startedAt: at(10_000), deadline: at(10_500), putOff: false },
};
const inDoubt: CheckState = { ...asking, verdict: "unhealthy", failingSince: at(9_500), blind: true };
const good: Outcome = { kind: "good", sentence: "answered 200", roundTrip: micros(900) };
const unreachable: Outcome = { kind: "failed", sentence: "host unreachable", silent: true };
const result = (outcome: Outcome, blind: boolean): Input => ({ kind: "result", attempt: 7, outcome, blind });
const late = (blind: boolean): Input => ({ kind: "timeout", blind });

interface Row {
  readonly name: string;
  readonly state: CheckState;
  readonly input: Input;
  readonly now: number;
  readonly becomes: Partial<CheckState>;
  readonly told: boolean;
}

const rows: readonly Row[] = [
  {
    name: "turns unhealthy in doubt",
    state: { ...asking, against: 1, failingSince: at(9_500) },
    input: late(true),
    now: 10_500,
    becomes: { verdict: "unhealthy", blind: true },
    told: true,
  },
  {
    name: "is still healthy after the first of two silences",
    state: asking,
    input: late(true),
    now: 10_500,
    becomes: { verdict: "healthy", against: 1 },
    told: false,
  },
  {
    name: "is certain by the last failure, whatever was in doubt before",
    state: { ...asking, against: 1, failingSince: at(9_500), blind: true },
    input: late(false),
    now: 10_500,
    becomes: { verdict: "unhealthy", blind: false },
    told: true,
  },
  {
    name: "tells when what is unhealthy becomes certain",
    state: inDoubt,
    input: result(unreachable, false),
    now: 10_020,
    becomes: { verdict: "unhealthy", blind: false },
    told: true,
  },
  {
    name: "tells when what is unhealthy becomes doubtful",
    state: { ...inDoubt, blind: false },
    input: late(true),
    now: 10_500,
    becomes: { verdict: "unhealthy", blind: true },
    told: true,
  },
  {
    name: "says nothing anew while it stays in doubt",
    state: inDoubt,
    input: result(unreachable, true),
    now: 10_020,
    becomes: { verdict: "unhealthy", blind: true },
    told: false,
  },
  {
    name: "is certain when it refuses",
    state: inDoubt,
    input: result({ kind: "refused" }, false),
    now: 10_020,
    becomes: { verdict: "unhealthy", blind: false },
    told: true,
  },
  {
    name: "stays in doubt with the first good answer of two, which is no reason to reset anybody",
    state: inDoubt,
    input: result(good, false),
    now: 10_020,
    becomes: { verdict: "unhealthy", against: 1, failingSince: undefined, blind: true },
    told: false,
  },
  {
    name: "is in no doubt when it is healthy again",
    state: { ...inDoubt, against: 1, failingSince: undefined },
    input: result(good, false),
    now: 10_020,
    becomes: { verdict: "healthy", blind: false },
    told: true,
  },
];

describe("a check", () => {
  it.each(rows)("$name", ({ state, input, now, becomes, told }) => {
    const after = step(timing, state, input, at(now));
    expect(after.state).toMatchObject(becomes);
    expect(after.actions.some(({ kind }) => kind === "verdict")).toBe(told);
  });
});
