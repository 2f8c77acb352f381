import { expect, test } from "vitest";
import { complaints, isTest, PURE_ROOMS, type SourceFile, typescript } from "./source.ts";

/** A clock, timer, random number, process, log or wire inside a decision. */
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bMath\.random\b|\bcrypto\b|\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bprocess\.|\bconsole\.|\bfetch\(|\bBuffer\b|"node:|"pino"|\basync\b|\bawait\b/;

function impurities(among: readonly SourceFile[]): readonly string[] {
  return complaints(among, (line) => {
    const code = line.replace(/^\s*(\/\/|\/?\*).*/, "").replace(/\s\/\/ .*$/, "");
    return IMPURE.exec(code)?.[0];
  });
}

const pure = typescript.filter(({ path }) => PURE_ROOMS.some((room) => path.startsWith(room)) && !isTest(path));

test("pure rooms hold no clock, timer, random number, process, log or wire", () => {
  expect(impurities(pure)).toEqual([]);
});

test.each([
  "const t = Date.now();",
  "setTimeout(f, 1);",
  'import { x } from "node:fs";',
  "  console.log(1);",
  "async function f() {}",
])("%s would be found", (text) => expect(impurities([{ path: "firmware/standby/a.ts", text }])).toHaveLength(1));

test("comments may speak of clocks", () => {
  expect(impurities([{ path: "firmware/standby/a.ts", text: " * Reads no Date.now.\n// no setTimeout" }])).toEqual([]);
});
