import { instant, seconds } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import { afterEnd, type RestartState } from "./restart-delay.ts";

const at = (value: number) => instant(seconds(value));

describe("restarting a child that died", () => {
  it("starts it again at once the first time", () => {
    expect(afterEnd(undefined, at(10), at(11)).startAt).toBe(11_000_000);
  });

  it("waits 100, 200, 400 ms … and never more than 5 s while it keeps dying", () => {
    const waits: number[] = [];
    let state: RestartState | undefined;
    for (let i = 0; i < 9; i++) {
      state = afterEnd(state, at(100), at(101));
      waits.push(state.startAt - at(101));
    }
    expect(waits).toEqual([0, 100_000, 200_000, 400_000, 800_000, 1_600_000, 3_200_000, 5_000_000, 5_000_000]);
  });

  it("forgets earlier deaths once the child has lived for 30 s", () => {
    const sick: RestartState = { quickEnds: 7, startAt: at(0) };
    expect(afterEnd(sick, at(100), at(130))).toEqual({ quickEnds: 1, startAt: at(130) });
    expect(afterEnd(sick, at(100), at(129)).quickEnds).toBe(8);
  });
});
