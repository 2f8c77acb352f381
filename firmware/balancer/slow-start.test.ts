import { instant, seconds } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import { slowStart } from "./slow-start.ts";

const at = (value: number) => instant(seconds(value));

describe("a backend that returned", () => {
  // 40 seconds: the first fifth at once, one more each ten seconds.
  const rows = [
    [0, 1, 10],
    [9.999, 1, 10],
    [10, 2, 20],
    [25, 3, 30],
    [30, 4, 40],
    [40, 5, undefined],
    [4_000, 5, undefined],
  ] as const;
  it.each(rows)("after %d of 40 seconds has %d fifths of its weight", (elapsed, step, next) => {
    const nextAt = next === undefined ? undefined : at(100 + next);
    expect(slowStart(at(100), 40, at(100 + elapsed))).toEqual({ step, nextAt });
  });

  it("has its whole weight at once without a slow start, or when it was never away", () => {
    expect(slowStart(at(100), 0, at(100))).toEqual({ step: 5, nextAt: undefined });
    expect(slowStart(undefined, 40, at(100))).toEqual({ step: 5, nextAt: undefined });
  });

  it("reaches each step at the moment that was said before", () => {
    let now = at(100);
    const steps: number[] = [];
    for (;;) {
      const { step, nextAt } = slowStart(at(100), 7, now);
      steps.push(step);
      if (nextAt === undefined) break;
      expect(nextAt > now).toBe(true);
      now = nextAt;
    }
    expect(steps).toEqual([1, 2, 3, 4, 5]);
  });
});
