import { expect, test } from "vitest";
import { figuresOf } from "./drills.ts";

const vip = (silenceMicros: number | null, lost: number) => ({
  group: "edge",
  address: "10.1.0.1",
  silenceMicros,
  sent: 100,
  lost,
  pauseMicros: 10,
  from: "a" as const,
});

test("the longest silence of any VIP counts, and all that was lost", () => {
  expect(figuresOf({ vips: [vip(1_000, 1), vip(null, 0), vip(40_000, 2)] })).toEqual({
    longestMicros: 40_000,
    lost: 3,
  });
});

test("where no VIP changed hands there is no silence", () => {
  expect(figuresOf({ vips: [vip(null, 0)] })).toEqual({ longestMicros: null, lost: 0 });
});
