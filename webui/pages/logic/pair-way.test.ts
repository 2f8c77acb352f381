import { expect, test } from "vitest";
import type { PairUpdateShown } from "@futago/firmware/runtime/control-update.ts";
import { wayOf } from "./pair-way.ts";

const running = { outcome: "running", canStop: true } as const;

/** "b: checking+ sending* installing", with + for what is done and * for what is under way. */
function drawn(told: Pick<PairUpdateShown, "stage" | "box" | "outcome" | "canStop">): readonly string[] {
  const marks = { done: "+", now: "*", next: "" };
  return wayOf(told).map(
    ({ box, steps }) => `${box}: ${steps.map(({ stage, state }) => stage + marks[state]).join(" ")}`,
  );
}

test.each([
  [
    "the standby is written",
    { ...running, stage: "installing", box: "b" },
    ["b: checking+ sending+ installing* starting proving handingOver watching", "a: installing starting proving"],
  ],
  [
    "it is watched",
    { ...running, stage: "watching", box: "b" },
    ["b: checking+ sending+ installing+ starting+ proving+ handingOver+ watching*", "a: installing starting proving"],
  ],
  [
    "the other one is proved, and nothing can be stopped any more",
    { ...running, canStop: false, stage: "proving", box: "a" },
    [
      "b: checking+ sending+ installing+ starting+ proving+ handingOver+ watching+",
      "a: installing+ starting+ proving*",
    ],
  ],
  ["it goes back", { ...running, canStop: false, stage: "goingBack", box: "b" }, ["b: handingBack+ goingBack*"]],
  [
    "both run it",
    { stage: "over", box: "a", outcome: "done", canStop: false },
    [
      "b: checking+ sending+ installing+ starting+ proving+ handingOver+ watching+",
      "a: installing+ starting+ proving+",
    ],
  ],
  ["it came back", { stage: "over", box: "b", outcome: "cameBack", canStop: false }, []],
] as const)("%s", (_, told, expected) => {
  expect(drawn(told)).toEqual(expected);
});
