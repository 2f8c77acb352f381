import { expect, test } from "vitest";
import { single, sum, totalsLine, vitestOutcome } from "./totals.ts";

const skip = { test: "gpio line reads", reason: "this kernel has no GPIO" };

test("the last line names passed and failed, and skipped only when there are any", () => {
  expect(totalsLine({ passed: 12, failed: 0, skipped: [] })).toBe("12 passed, 0 failed");
  expect(totalsLine({ passed: 1, failed: 2, skipped: [skip] })).toBe("1 passed, 2 failed, 1 skipped");
});

test("outcomes add up and keep every skip", () => {
  const whole = sum([single(true), single(false), { passed: 5, failed: 1, skipped: [skip] }]);
  expect(whole).toEqual({ passed: 6, failed: 2, skipped: [skip] });
});

test("a vitest run without a report is a failure", () => {
  expect(vitestOutcome(0, undefined)).toEqual({ passed: 0, failed: 1, skipped: [] });
});

test("a vitest run that exits with an error is a failure even when every test passed", () => {
  const report = JSON.stringify({ passed: 7, failed: 0, skipped: [] });
  expect(vitestOutcome(1, report)).toEqual({ passed: 7, failed: 1, skipped: [] });
  expect(vitestOutcome(undefined, report)).toEqual({ passed: 7, failed: 1, skipped: [] });
  expect(vitestOutcome(0, report)).toEqual({ passed: 7, failed: 0, skipped: [] });
});

test("failed tests are counted once, not again for the exit code", () => {
  const report = JSON.stringify({ passed: 7, failed: 3, skipped: [] });
  expect(vitestOutcome(1, report).failed).toBe(3);
});
