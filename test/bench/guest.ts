/**
 * The row `guest`: instructions per packet on Debian's kernels, which have what other kernels may lack, IPVS. In a guest
 * under QEMU's `-icount` each instruction takes a nanosecond of the guest's time, so that the processor time of the
 * box's threads, as on a machine of its own, is a number of instructions. What else this machine does meanwhile
 * changes nothing. `guest-inside.ts` is what runs there.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { kernelOf, SUITES, type Suite } from "../image/kernels.ts";
import { runGuest } from "../image/machine.ts";
import { buildFrames } from "./frames.ts";
import type { Print } from "./silence.ts";

const LOOP = fileURLToPath(new URL("guest-loop.c", import.meta.url));
const ROUNDS_DEFAULT = 3;
const LIMIT_MINUTES = 20;
/** One processor, and nothing but its instructions moves its clock while it is busy. */
const COUNTING = "-accel tcg,thread=single -icount shift=0".split(" ");

export async function guestBench(
  { trials = ROUNDS_DEFAULT }: { readonly trials: number | undefined },
  print: Print,
): Promise<readonly string[]> {
  const all = await Promise.all(SUITES.map((suite) => tablesOf(suite, trials, print)));
  const lines = all.flat();
  for (const line of lines) print(line);
  return lines;
}

async function tablesOf(suite: Suite, rounds: number, print: Print): Promise<readonly string[]> {
  const kernel = kernelOf(suite);
  const report = mkdtempSync(`${tmpdir()}/futago-bench-guest-`);
  try {
    const { program, object } = buildFrames(report);
    const loop = `${report}/loop`;
    execFileSync("cc", ["-O2", "-o", loop, LOOP]);
    const tables = `${report}/tables`;
    const script = [
      "export NODE_COMPILE_CACHE=/run/compile-cache",
      `node_modules/.bin/node test/bench/guest-inside.ts ${rounds} ${loop} ${program} ${object} >/run/report/tables`,
    ];
    const onLine = (line: string) => print(`${suite} | ${line}`);
    const code = await runGuest({ kernel, script, report, machine: COUNTING, limitMinutes: LIMIT_MINUTES, onLine });
    if (code !== 0) throw new Error(`the guest with Linux ${kernel.release} ended with ${code ?? "nothing"}`);
    const text = readFileSync(tables, "utf8").replaceAll(/^### /gm, `### Linux ${kernel.release}: `);
    return [...text.trimEnd().split("\n"), ""];
  } finally {
    rmSync(report, { recursive: true });
  }
}
