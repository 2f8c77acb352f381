/** The way of a pair's update, box by box: what is behind it, where it is, what is to come. */
import type { PairUpdateShown, PairUpdateStage, UpdateShown } from "@futago/firmware/runtime/control-update.ts";

export interface WayStep {
  readonly stage: PairUpdateStage;
  readonly state: "done" | "now" | "next";
}

export interface WayPart {
  readonly box: "a" | "b";
  readonly steps: readonly WayStep[];
}

const FIRST: readonly PairUpdateStage[] = [
  "checking",
  "sending",
  "installing",
  "starting",
  "proving",
  "handingOver",
  "watching",
];
const SECOND: readonly PairUpdateStage[] = ["installing", "starting", "proving"];
const BACK: readonly PairUpdateStage[] = ["handingBack", "goingBack"];

export function isUnderWay({ isWorking, pair }: Pick<UpdateShown, "isWorking" | "pair">): boolean {
  return isWorking || pair?.outcome === "running";
}

type Told = Pick<PairUpdateShown, "stage" | "box" | "outcome" | "canStop">;

/** The box that is updated first, then the other one; the way back is of the first alone. Empty where it was left. */
export function wayOf(told: Told): readonly WayPart[] {
  const { stage, box, outcome } = told;
  if (outcome !== "running") return outcome === "done" ? all(other(box), FIRST.length, SECOND.length) : [];
  if (BACK.includes(stage)) return [{ box, steps: steps(BACK, BACK.indexOf(stage)) }];
  // It can be stopped for as long as it is about the first box.
  const isSecond = SECOND.includes(stage) && !told.canStop;
  if (isSecond) return all(other(box), FIRST.length, SECOND.indexOf(stage));
  return all(box, FIRST.indexOf(stage), -1);
}

function all(first: "a" | "b", firstNow: number, secondNow: number): readonly WayPart[] {
  return [
    { box: first, steps: steps(FIRST, firstNow) },
    { box: other(first), steps: steps(SECOND, secondNow) },
  ];
}

function steps(stages: readonly PairUpdateStage[], now: number): readonly WayStep[] {
  return stages.map((stage, index) => ({ stage, state: index < now ? "done" : index === now ? "now" : "next" }));
}

function other(box: "a" | "b"): "a" | "b" {
  return box === "a" ? "b" : "a";
}
