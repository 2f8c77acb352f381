import { describe, expect, it } from "vitest";
import { areOfTheMachine, lossSentence } from "./lost-probes.ts";

const DEAD_MICROS = 75_000;
const DEAD = () => DEAD_MICROS;
const run = { start: 1_000_000, end: 1_020_000, count: 20, total: 20 };
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
    const long = { ...run, end: run.start + 48_000 + DEAD_MICROS + 1, count: 124, total: 124 };
    expect(areOfTheMachine(124, [long], [stall(0, 48_000)], DEAD)).toBe(false);
  });

  it("are the pair's when one of them is not told, or one run has no stall", () => {
    expect(areOfTheMachine(21, [run], [stall(0, 48_000)], DEAD)).toBe(false);
    const later = { start: 2_000_000, end: 2_000_000, count: 1, total: 21 };
    expect(areOfTheMachine(21, [run, later], [stall(0, 48_000)], DEAD)).toBe(false);
  });

  it("are judged by the dead time that was in force when they were lost", () => {
    const widens = (at: number) => (at > run.end ? 2 * DEAD_MICROS : DEAD_MICROS);
    const after = { ...run, start: run.start + 100_000, end: run.end + 100_000, total: 40 };
    const stalls = [stall(0, 48_000), { start: after.start - 48_000, end: after.start }];
    expect(areOfTheMachine(20, [run], stalls, widens)).toBe(true);
    expect(areOfTheMachine(40, [run, after], stalls, widens)).toBe(false);
  });

  it("are told with what stood beside them", () => {
    expect(lossSentence(run, [stall(0, 48_000)], DEAD)).toBe("20 lost in a row beside stalls of 48 ms");
    expect(lossSentence({ ...run, count: 1 }, [], DEAD)).toBe("1 lost while the machine ran");
  });
});
