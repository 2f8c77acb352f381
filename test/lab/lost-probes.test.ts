import { describe, expect, it } from "vitest";
import { areOfTheMachine, lossSentence } from "./lost-probes.ts";

const DEAD = 75_000;
const run = { start: 1_000_000, end: 1_020_000, count: 20 };
const stall = (before: number, length: number) => ({ start: run.start - before - length, end: run.start - before });

describe("lost probes", () => {
  it("are the machine's right after it stood still for more than a third of the dead time", () => {
    expect(areOfTheMachine(20, [run], [stall(0, 48_000)], DEAD)).toBe(true);
    expect(areOfTheMachine(20, [run], [stall(70_000, 26_000)], DEAD)).toBe(true);
  });

  it.each([
    ["without a stall", []],
    ["beside short ones, however many", [stall(0, 20_000), stall(21_000, 24_000)]],
    ["long after one", [stall(76_000, 48_000)]],
    ["before one", [{ start: run.end + 1, end: run.end + 60_000 }]],
  ])("are the pair's %s", (_, stalls) => {
    expect(areOfTheMachine(20, [run], stalls, DEAD)).toBe(false);
  });

  it("are the pair's when they go on for longer than the stall and a dead time", () => {
    const long = { ...run, end: run.start + 48_000 + DEAD + 1, count: 124 };
    expect(areOfTheMachine(124, [long], [stall(0, 48_000)], DEAD)).toBe(false);
  });

  it("are the pair's when one of them is not told, or one run has no stall", () => {
    expect(areOfTheMachine(21, [run], [stall(0, 48_000)], DEAD)).toBe(false);
    const later = { start: 2_000_000, end: 2_000_000, count: 1 };
    expect(areOfTheMachine(21, [run, later], [stall(0, 48_000)], DEAD)).toBe(false);
  });

  it("are told with what stood beside them", () => {
    expect(lossSentence(run, [stall(0, 48_000)], DEAD)).toBe("20 lost in a row beside stalls of 48 ms");
    expect(lossSentence({ ...run, count: 1 }, [], DEAD)).toBe("1 lost while the machine ran");
  });
});
