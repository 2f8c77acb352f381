import { expect, test } from "vitest";
import { failedOne, passedOne, sum, totalsLine, vitestOutcome } from "./totals.ts";

const failure = { test: "ring closes", reason: "expected 3 to be 4" };
const skip = { test: "gpio line reads", reason: "this kernel has no GPIO" };

test("the last line names passed and failed, and skipped only when there are any", () => {
  expect(totalsLine({ passed: 12, failed: [], skipped: [] })).toBe("12 passed, 0 failed");
  expect(totalsLine({ passed: 1, failed: [failure, failure], skipped: [skip] })).toBe("1 passed, 2 failed, 1 skipped");
});

test("outcomes add up and keep every failure and every skip", () => {
  const whole = sum([passedOne, failedOne("lint", "exit code 1"), { passed: 5, failed: [failure], skipped: [skip] }]);
  const failed = [{ test: "lint", reason: "exit code 1" }, failure];
  expect(whole).toEqual({ passed: 6, failed, skipped: [skip] });
});

test("a vitest run without a report is a failure", () => {
  expect(vitestOutcome("unit", 0, undefined)).toEqual(failedOne("unit", "vitest ended without a report"));
});

test("a vitest run that exits with an error is a failure even when every test passed", () => {
  const report = JSON.stringify({ passed: 7, failed: [], skipped: [] });
  const reason = "no test failed, and vitest's exit code is";
  const failed = (code: string) => ({
    passed: 7,
    failed: [{ test: "unit", reason: `${reason} ${code}` }],
    skipped: [],
  });
  expect(vitestOutcome("unit", 1, report)).toEqual(failed("1"));
  expect(vitestOutcome("unit", undefined, report)).toEqual(failed("that of a signal"));
  expect(vitestOutcome("unit", 0, report)).toEqual({ passed: 7, failed: [], skipped: [] });
});

test("failed tests are counted once, not again for the exit code", () => {
  const report = JSON.stringify({ passed: 7, failed: [failure, failure, failure], skipped: [] });
  expect(vitestOutcome("unit", 1, report).failed).toEqual([failure, failure, failure]);
});
