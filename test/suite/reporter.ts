/** A vitest reporter that writes the counts, and why tests were skipped, to the file named by FUTAGO_REPORT. */
import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import type { Failure, Outcome, Skip } from "./totals.ts";

export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const path = process.env["FUTAGO_REPORT"];
    if (path !== undefined) writeFileSync(path, JSON.stringify(count(modules)));
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

function firstLine(errors: readonly { readonly message: string }[] | undefined): string | undefined {
  return errors?.[0]?.message.split("\n", 1)[0];
}
