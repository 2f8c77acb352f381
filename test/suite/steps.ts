/** The steps of the suite, in order: what is quick and finds most comes first. */
import { readdirSync } from "node:fs";

export interface Step {
  /** The word by which `./build.sh test NAME` chooses it. */
  readonly name: string;
  readonly command: readonly string[];
  /** Vitest steps count their own tests; any other step is one test. */
  readonly counts: "vitest" | "one";
  readonly limitMinutes: number;
}

export function steps(root: string): readonly Step[] {
  const bin = `${root}/node_modules/.bin`;
  const one = (name: string, limitMinutes: number, ...command: string[]): Step => ({
    name,
    command,
    counts: "one",
    limitMinutes,
  });
  const vitest = (name: string, limitMinutes: number): Step => ({
    name,
    command: [
      `${bin}/node`,
      `${root}/node_modules/vitest/vitest.mjs`,
      "run",
      "--configLoader=native",
      "--project",
      name,
      "--reporter=default",
      "--reporter=./test/suite/reporter.ts",
    ],
    counts: "vitest",
    limitMinutes,
  });
  return [
    one("format", 2, `${bin}/biome`, "format", "."),
    one("types", 5, `${bin}/tsc`, "--noEmit"),
    one("lint", 5, `${bin}/oxlint`, "--type-aware", "--deny-warnings"),
    vitest("tidy", 5),
    vitest("unit", 15),
    vitest("kernel", 35),
    ...labScripts(root).map((script) =>
      one(`lab-${script}`, 10, `${bin}/node`, "test/lab/main.ts", "--script", `test/lab/${script}.json`),
    ),
  ];
}

/** Every script of the lab, such as "tour". */
function labScripts(root: string): readonly string[] {
  return readdirSync(`${root}/test/lab`)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .toSorted();
}
