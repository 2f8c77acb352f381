/** What a step of the suite came to, and the lines that sum all steps up. */

export interface Skip {
  readonly test: string;
  /** The missing kernel feature, and the test that covers the case elsewhere. */
  readonly reason: string;
}

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
}

/** A step that is one test by itself. */
export function single(good: boolean): Outcome {
  return { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: [] };
}

export function sum(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((total, outcome) => total + outcome.passed, 0),
    failed: outcomes.reduce((total, outcome) => total + outcome.failed, 0),
    skipped: outcomes.flatMap((outcome) => outcome.skipped),
  };
}

/** The last line of a run: "812 passed, 0 failed", and ", 3 skipped" where there were any. */
export function totalsLine({ passed, failed, skipped }: Outcome): string {
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  return `${passed} passed, ${failed} failed${tail}`;
}

/**
 * A vitest run's outcome from its exit code and what the reporter wrote. Vitest can fail without a failed test (an
 * error outside of tests, no test file found, a crash); that counts as one failure, never as none.
 */
export function vitestOutcome(exitCode: number | undefined, report: string | undefined): Outcome {
  if (report === undefined) return single(false);
  const outcome = JSON.parse(report) as Outcome;
  if (exitCode === 0 || outcome.failed > 0) return outcome;
  return { ...outcome, failed: 1 };
}
