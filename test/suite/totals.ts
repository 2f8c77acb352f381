/** What a step of the suite came to, and the line that sums all steps up. */

export interface Skip {
  readonly test: string;
  /** The missing kernel feature, and the test that covers the case elsewhere. */
  readonly reason: string;
}

export interface Failure {
  readonly test: string;
  /** The first line of what it said. */
  readonly reason: string;
}

export interface Outcome {
  readonly passed: number;
  readonly failed: readonly Failure[];
  readonly skipped: readonly Skip[];
}

/** One test that passed. */
export const passedOne: Outcome = { passed: 1, failed: [], skipped: [] };

/** One test that failed. */
export function failedOne(test: string, reason: string): Outcome {
  return { passed: 0, failed: [{ test, reason }], skipped: [] };
}

export function sum(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((total, outcome) => total + outcome.passed, 0),
    failed: outcomes.flatMap((outcome) => outcome.failed),
    skipped: outcomes.flatMap((outcome) => outcome.skipped),
  };
}

/** The last line of a run: "812 passed, 0 failed", and ", 3 skipped" where there were any. */
export function totalsLine({ passed, failed, skipped }: Outcome): string {
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  return `${passed} passed, ${failed.length} failed${tail}`;
}

/**
 * A vitest run's outcome from its exit code and what the reporter wrote. Vitest can fail without a failed test (an
 * error outside of tests, no test file found, a crash); that counts as one failure, never as none.
 */
export function vitestOutcome(step: string, exitCode: number | undefined, report: string | undefined): Outcome {
  if (report === undefined) return failedOne(step, "vitest ended without a report");
  const outcome = JSON.parse(report) as Outcome;
  if (exitCode === 0 || outcome.failed.length > 0) return outcome;
  return sum([outcome, failedOne(step, `no test failed, and vitest's exit code is ${exitCode ?? "that of a signal"}`)]);
}
