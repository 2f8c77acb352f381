/** A vitest reporter that writes the counts, and why tests were skipped, to the file named by FUTAGO_REPORT. */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, SerializedError, TestModule } from "vitest/node";
import { type Failure, failedOne, type Outcome, type Skip, sum } from "./totals.ts";

export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const path = process.env["FUTAGO_REPORT"];
    if (path === undefined) return;
    writeFileSync(path, JSON.stringify(sum([count(modules), ...unhandled.map(outsideOfTests)])));
  }
}

function count(modules: readonly TestModule[]): Outcome {
  let passed = 0;
  const failed: Failure[] = [];
  const skipped: Skip[] = [];
  for (const module of modules) {
    // A file that breaks while it is loaded has no tests to fail.
    if (module.state() === "failed" && [...module.children.allTests("failed")].length === 0)
      failed.push({
        test: module.relativeModuleId,
        reason: firstLine(module.errors()) ?? "failed outside of its tests",
      });
    for (const test of module.children.allTests()) {
      const result = test.result();
      const name = `${module.relativeModuleId}: ${test.fullName}`;
      if (result.state === "passed") passed++;
      else if (result.state === "skipped" && result.note !== undefined)
        skipped.push({ test: name, reason: result.note });
      // Failed; or never run, because a hook failed or the run was broken off; or skipped without a reason.
      else failed.push({ test: name, reason: firstLine(result.errors) ?? "it never ran" });
    }
  }
  return { passed, failed, skipped };
}

/** An error that nothing caught, which fails a run whose tests all pass; vitest names the file that was running. */
function outsideOfTests(error: SerializedError): Outcome {
  const running: unknown = error["VITEST_TEST_PATH"];
  const place = typeof running === "string" ? relative(process.cwd(), running) : "outside of the tests";
  const frame = error.stack
    ?.split("\n")
    .find((line) => /^\s+at /.test(line))
    ?.trim();
  return failedOne(
    place,
    [`uncaught ${error.name ?? "error"}: ${firstLine([error])}`, frame].filter(Boolean).join(" "),
  );
}

function firstLine(errors: readonly { readonly message: string }[] | undefined): string | undefined {
  return errors?.[0]?.message.split("\n", 1)[0];
}
