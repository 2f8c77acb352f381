/**
 * The suite's step `image`: the tests of test/xdp and of `guest` on Debian's kernels, one guest for each kernel, side by
 * side. What they come to is added up and written to the file named by FUTAGO_REPORT, as vitest's steps do.
 *
 *   node test/image/main.ts [--kernel bookworm|trixie] [FILE… | KERNEL=FILE…]
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { type Outcome, sum, totalsLine, vitestOutcome } from "../suite/totals.ts";
import { boardArguments, serveBoard } from "./board.ts";
import { BUILD, kernelOf, type Suite, SUITES } from "./kernels.ts";
import { ROOT, runGuest } from "./machine.ts";

const LIMIT_MINUTES = 25;

/** What needs hardware has a guest of its own, after the others: its watchdog resets it. */
const BOARD_TESTS = "test/image/guest/board/";

async function testsOn(suite: Suite, files: readonly string[]): Promise<Outcome> {
  const isOfBoard = (file: string) => file.startsWith(BOARD_TESTS);
  const parts = [files.filter((file) => !isOfBoard(file)), files.filter(isOfBoard)].filter((part) => part.length > 0);
  const outcomes: Outcome[] = [];
  for (const part of parts) outcomes.push(await testOn(suite, part, part.some(isOfBoard)));
  return sum(outcomes);
}

async function testOn(suite: Suite, files: readonly string[], hasBoard: boolean): Promise<Outcome> {
  const kernel = kernelOf(suite);
  const report = mkdtempSync(`${tmpdir()}/futago-guest-`);
  const say = (line: string) => process.stdout.write(`${suite} | ${line}\n`);
  try {
    const node = "node_modules/.bin/node node_modules/vitest/vitest.mjs run --configLoader=native --project guest";
    const reporters = "--reporter=default --reporter=./test/suite/reporter.ts";
    const chosen = files.map((file) => `'${file}'`).join(" ");
    const script = [
      "export FUTAGO_REPORT=/run/report/outcome.json NODE_COMPILE_CACHE=/run/compile-cache",
      `${node} ${reporters} ${chosen}`,
    ];
    const board = hasBoard ? { hardware: boardArguments(report), beside: serveBoard } : {};
    const code = await runGuest({ kernel, script, report, limitMinutes: LIMIT_MINUTES, onLine: say, ...board });
    const written = `${report}/outcome.json`;
    const outcome = vitestOutcome("vitest", code, existsSync(written) ? readFileSync(written, "utf8") : undefined);
    say(`Linux ${kernel.release}: ${totalsLine(outcome)}`);
    const here = <T extends { readonly test: string }>(one: T): T => ({ ...one, test: `${suite}: ${one.test}` });
    return { ...outcome, failed: outcome.failed.map(here), skipped: outcome.skipped.map(here) };
  } finally {
    rmSync(report, { recursive: true });
  }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { kernel: { type: "string" } } });
const suites = SUITES.filter((suite) => values.kernel === undefined || suite === values.kernel);
if (suites.length === 0) throw new Error(`no kernel ${values.kernel}; kernels: ${SUITES.join(" ")}`);
/** "trixie=FILE" is for that kernel only. */
const chosen = positionals.map((text) => {
  const [kernel, file] = text.includes("=") ? text.split("=", 2) : [undefined, text];
  return { kernel, file: file ?? "" };
});
const strange = chosen.filter(({ kernel }) => kernel !== undefined && !SUITES.some((suite) => suite === kernel));
if (strange.length > 0) throw new Error(`no kernel ${strange[0]?.kernel}; kernels: ${SUITES.join(" ")}`);
// Vitest takes a name that fits nothing for a filter, and runs the others without a word.
const missing = chosen.map(({ file }) => file).filter((file) => !existsSync(`${ROOT}/${file}`));
if (missing.length > 0) throw new Error(`no such tests: ${missing.join(" ")}`);
const filesFor = (suite: Suite) =>
  chosen.filter(({ kernel }) => kernel === undefined || kernel === suite).map(({ file }) => file);
execFileSync("make", ["-s", "-C", `${ROOT}/test/image`], { stdio: "inherit" });
process.stdout.write(`kernels lie in ${BUILD}\n`);
const outcome = sum(await Promise.all(suites.map((suite) => testsOn(suite, filesFor(suite)))));
const path = process.env["FUTAGO_REPORT"];
if (path !== undefined) writeFileSync(path, JSON.stringify(outcome));
process.stdout.write(`${totalsLine(outcome)}\n`);
process.exitCode = outcome.failed.length === 0 ? 0 : 1;
