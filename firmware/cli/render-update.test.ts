import { expect, it } from "vitest";
import type { UpdateShown } from "../runtime/control-update.ts";
import { renderUpdate } from "./render-update.ts";

const shown: UpdateShown = {
  version: "0.8.0",
  slots: [
    { slot: "a", isRunning: false, isFirst: false, verdict: "good", tries: 8, version: null },
    { slot: "b", isRunning: true, isFirst: true, verdict: "trial", tries: 1, version: "0.8.0" },
  ],
  proof: { state: "waiting", findings: ["the peer is not heard"], secondsLeft: null },
  percent: null,
  steps: [],
  isWorking: false,
  failure: null,
  peer: null,
  pair: null,
};

it("says which version runs, what keeps it from being good, and what is in the slots", () => {
  expect(renderUpdate(shown).split("\n")).toEqual([
    "Version 0.8.0 runs. It was not found good yet:",
    "  the peer is not heard",
    "",
    "SLOT  STATE                                               INSTALLED",
    "a     good, 8 starts left                                 -",
    "b     trial, 1 start left, runs, first at the next start  0.8.0",
    "",
  ]);
});

it("says how far an update is, without letting its words move a terminal's cursor", () => {
  const steps = [{ at: "2026-11-30T02:00:00.000Z", sentence: "it is written\u001b[2J" }];
  const text = renderUpdate({
    ...shown,
    proof: { state: "soaking", findings: [], secondsLeft: 90 },
    steps,
    percent: 40,
    isWorking: true,
  });
  expect(text).toContain("Nothing is wrong with it; it is found good in 90 s if that lasts.");
  expect(text).toContain("  2026-11-30T02:00:00.000Z  it is written");
  expect(text).not.toContain("\u001b");
  expect(text).toContain("  40% written\n  It is under way.\n");
});

it("says that a machine has no slots", () => {
  expect(renderUpdate({ ...shown, version: null, slots: [] })).toContain("no slots to update");
});
