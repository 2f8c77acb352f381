import { describe, expect, it } from "vitest";
import { seriesTable } from "./report.ts";
import { distribution } from "./statistics.ts";

describe("a distribution", () => {
  it("takes nearest ranks: the median of four is the second, p95 of twenty the nineteenth", () => {
    expect(distribution([4, 1, 3, 2])).toEqual({ count: 4, median: 2, p95: 4, worst: 4 });
    const twenty = Array.from({ length: 20 }, (_, index) => 20 - index);
    expect(distribution(twenty)).toEqual({ count: 20, median: 10, p95: 19, worst: 20 });
  });

  it("of nothing is nothing", () => {
    expect(distribution([])).toBeUndefined();
  });
});

describe("a table of trials", () => {
  it("lists trials beside a stall apart and compares medians with the last row's", () => {
    const ours = {
      contender: "ours",
      unit: "ms",
      stallMax: 25,
      trials: [80, 90, 300].map((value, i) => ({ value, stall: i * 20 })),
    };
    const theirs = { contender: "theirs", unit: "ms", stallMax: 1_000, trials: [{ value: 3_200, stall: 12 }] };
    const table = seriesTable("Silence", [ours, theirs]).join("\n");
    expect(table).toMatch(/\| ours +\| ms +\| 2 +\| 80 +\| 90 +\| 90 +\| 0\.025 +\| 300 \(40\) +\|/);
    expect(table).toMatch(/\| theirs +\| ms +\| 1 +\| 3200 +\| 3200 +\| 3200 +\| 1\.000 +\| none +\|/);
  });
});
