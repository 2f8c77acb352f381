import { after, instant, seconds } from "@futago/hal/units/time.ts";
import { describe, expect, it, test } from "vitest";
import { decideGroup } from "./decide.ts";
import { active, heard, later, NOW } from "./standing.test-support.ts";
import { initialPair, step } from "./step.ts";
import type { PairAction, PairState } from "./types.ts";
import { CONFIG, EDGE, memoryOf, peerIn, reportOf, snapshotOf } from "./view.test-support.ts";

/** What a holder with a preferred peer, and preempt, does, ten seconds after it became the holder. */
function decide(more: Partial<PairState>): readonly string[] {
  const group = { ...EDGE, preempt: true };
  const report = reportOf("active", peerIn("standby", { preference: 201 }));
  const begun = instant(NOW - seconds(10));
  const state = { ...initialPair(CONFIG, begun, false), booting: false, snapshot: snapshotOf(NOW, [report]), ...more };
  const memory = memoryOf("active", begun);
  const actions: PairAction[] = [];
  decideGroup({ config: { ...CONFIG, groups: [group] }, state, group, memory, report, now: NOW }, actions);
  return actions.map((one) => (one.kind === "note" ? one.reason : one.kind));
}

describe("a box whose peer is preferred", () => {
  const soon = instant(NOW + 1);

  it("keeps the group while the peer lacks connections", () => {
    expect(decide({ untoldUntil: soon })).toEqual([]);
    expect(decide({})).toEqual(["pulse", "the peer is preferred and fit"]);
  });

  it("gives it away when the peer could not be told in good time", () => {
    expect(decide({ untoldUntil: NOW })).toEqual(["pulse", "the peer is preferred and fit"]);
  });

  it("gives it away at once when it cannot serve and the peer can, or a person wants it", () => {
    const unfit = { edge: { health: 155, sentence: "" } };
    expect(decide({ untoldUntil: soon, fitness: unfit })).toEqual(["pulse", "the peer is fitter"]);
    expect(decide({ untoldUntil: soon, maintenance: true })).toEqual(["pulse", "this box goes into maintenance"]);
  });
});

test("connections that the peer lacks are waited for ten seconds from when it is there, and no longer", () => {
  const untold = { kind: "connections", told: false } as const;
  const first = step(CONFIG, active, untold, NOW).state;
  expect(first.untoldUntil).toBe(after(NOW, seconds(10)));
  expect(step(CONFIG, first, untold, later(50)).state.untoldUntil).toBe(first.untoldUntil);
  const report = heard("active", "standby");
  expect(step(CONFIG, first, { kind: "report", report }, later(50)).state.untoldUntil).toBe(first.untoldUntil);
  const silent = { kind: "report", report: { ...report, peerAlive: false } } as const;
  expect(step(CONFIG, first, silent, later(50)).state.untoldUntil).toBe(after(later(50), seconds(10)));
  expect(step(CONFIG, first, { ...untold, told: true }, later(50)).state.untoldUntil).toBeUndefined();
});
