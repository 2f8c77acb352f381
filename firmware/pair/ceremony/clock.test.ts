import { instant } from "@futago/hal/units/time.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  clockDifference,
  type ClockVerdict,
  formatClock,
  formatClockReport,
  isWrong,
  parseClock,
  parseClockReport,
  seenFromThere,
} from "./clock.ts";

const asked = (millisTaken: number) => ({
  askedAt: instant(5_000_000),
  answeredAt: instant(5_000_000 + millisTaken * 1_000),
});

describe("the difference of two clocks", () => {
  it.each([
    // Read at 1,000,000 over there, half of the time before 990,000 here.
    [4, 1_000_000, 990_000, 10_002, 3],
    [0, 5_000, 5_000, 0, 1],
    [0.4, 5_000, 5_000, 0, 2],
    [3_000, 1_000_000, 1_011_500, -10_000, 1_501],
    [20, 0, 1_796_000_000_000, -1_795_999_999_990, 11],
  ])("after an answer that took %s ms", (taken, theirs, mine, aheadMillis, withinMillis) => {
    expect(clockDifference(asked(taken), { mine, theirs })).toEqual({ aheadMillis, withinMillis });
  });

  it.each([
    [2_001, 1, false],
    [2_002, 1, true],
    [-2_002, 1, true],
    [9_000, 7_500, false],
    [0, 1, false],
  ])("of %s ms, known to within %s ms, is wrong: %s", (aheadMillis, withinMillis, wrong) => {
    expect(isWrong({ aheadMillis, withinMillis })).toBe(wrong);
  });

  it("is the other way round from there", () => {
    const report = { aheadMillis: 40, withinMillis: 2, verdict: "level" } as const;
    expect(seenFromThere(report)).toEqual({ ...report, aheadMillis: -40 });
    expect(seenFromThere({ ...report, aheadMillis: 0 }).aheadMillis).toBe(0);
  });
});

describe("what is sealed of a clock", () => {
  it("is read as it was written", () => {
    const report = fc.record({
      aheadMillis: fc.integer({ min: -8.64e15, max: 8.64e15 }),
      withinMillis: fc.nat({ max: 999_999_999 }),
      verdict: fc.constantFrom<ClockVerdict>("level", "set", "kept", "refused"),
    });
    fc.assert(
      fc.property(report, (one) => {
        expect(parseClockReport(formatClockReport(one))).toEqual(one);
      }),
    );
    const time = fc.integer({ min: -8.64e15, max: 8.64e15 });
    fc.assert(
      fc.property(time, (one) => {
        expect(parseClock(formatClock(one))).toBe(one);
      }),
    );
  });

  it.each(["", "1", "1 1", "1 1 broken", "1 -1 set", "1 1 set ", "1.5 1 set", `${"9".repeat(18)} 1 set`])(
    "is no report as %j",
    (text) => expect(parseClockReport(text)).toBeUndefined(),
  );

  it.each(["", "1.5", "1e3", " 1", "8640000000000001", "0x10", "12345678901234567"])("is no time as %j", (text) =>
    expect(parseClock(text)).toBeUndefined(),
  );
});
