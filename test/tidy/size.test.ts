/** Sizes that oxlint's max-lines rules do not see: C, shell, documents; and that those rules are in force. */
import { expect, test } from "vitest";
import { c, files, typescript } from "./source.ts";

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

/** Functions that were longer when the limit came, with their present length. The numbers only ever go down. */
const RATCHET: Readonly<Record<string, number>> = {};

/** A record, to which the bench only ever adds. */
const RECORD = "test/bench/RESULTS.md";

test("no file is longer than 400 lines", () => {
  const long = files
    .filter(({ path }) => !path.startsWith("docs/") && !path.endsWith(".json") && path !== RECORD)
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX);
  expect(long).toEqual([]);
});

/** C functions in kernel style: the opening and the closing brace stand alone in the first column. */
function functionsOf(text: string): readonly { name: string; lines: number }[] {
  const rows = text.split("\n");
  return rows.flatMap((row, start) => {
    if (row !== "{") return [];
    const length = rows.slice(start).indexOf("}") + 1;
    let head = start - 1;
    while (head > 0 && !/^\w.*\(/.test(rows[head] ?? "")) head--;
    return [{ name: /(\w+)\(/.exec(rows[head] ?? "")?.[1] ?? "?", lines: length + start - head }];
  });
}

test("no C function is longer than 70 lines", () => {
  const long = c.flatMap(({ path, text }) =>
    functionsOf(text)
      .filter(({ name, lines }) => lines > (RATCHET[`${path} ${name}`] ?? FUNCTION_LINES_MAX))
      .map(({ name, lines }) => `${path} ${name}: ${lines} lines`),
  );
  expect(long).toEqual([]);
});

test("C functions are found and measured", () => {
  const text = "static int f(int a,\n\t     int b)\n{\n\treturn a + b;\n}\n";
  expect(functionsOf(text)).toEqual([{ name: "f", lines: 5 }]);
});

test("oxlint measures TypeScript by the same limits", () => {
  const rules = (JSON.parse(files.find(({ path }) => path === ".oxlintrc.json")!.text) as { rules: unknown }).rules;
  expect(rules).toMatchObject({
    "max-lines": ["error", { max: FILE_LINES_MAX }],
    "max-lines-per-function": ["error", { max: FUNCTION_LINES_MAX }],
  });
});

test("a linter or the checker is silenced only with a reason", () => {
  const silencer = /(oxlint|eslint)-disable|@ts-(ignore|expect-error|nocheck)|biome-ignore/;
  const silent = typescript.flatMap(({ path, text }) =>
    text
      .split("\n")
      .filter((line) => silencer.test(line) && !/ -- \S+ \S+/.test(line) && path !== "test/tidy/size.test.ts"),
  );
  expect(silent).toEqual([]);
});
