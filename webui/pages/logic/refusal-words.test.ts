/** What a page can be refused has a sentence in Japanese. */
import { readdirSync, readFileSync } from "node:fs";
import { problemCodes } from "@futago/firmware/config/problem.ts";
import { describe, expect, test } from "vitest";
import { catalogues } from "../words/words.ts";
import { fill } from "./fill.ts";

const { ja } = catalogues;
const said = { ...ja.problems, ...ja.shell.refusals, ...ja.shell.problems };

function sourceOf(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
}

/** The words of the parts of docs/reasons.md that are about people and their orders. */
function documented(): readonly string[] {
  const parts = sourceOf("docs/reasons.md").split(/^## /m);
  const heads = ["Somebody was not let in", "An address that a person named", "A change was not committed"];
  const about = parts.filter((part) => heads.some((head) => part.startsWith(head))).join("\n");
  const lines = about.split("\n").filter((line) => /^(\| `|Of a name|`lookupBusy)/.test(line));
  return lines
    .map((line) => (line.startsWith("|") ? (line.split("|")[1] ?? "") : line))
    .flatMap((text) => [...text.matchAll(/`([a-z]+[A-Z]\w+)`/g)].map(([, word]) => word ?? ""));
}

/** The reasons that the API gives by itself. */
function given(): readonly string[] {
  const files = readdirSync(new URL("../../api/", import.meta.url)).filter((name) => /^(?!.*\.test).*\.ts$/.test(name));
  const source = files.map((name) => sourceOf(`webui/api/${name}`)).join("\n");
  return [...source.matchAll(/reason: "(\w+)"|wrong\([^"\n]+, "(\w+)"/g)].map(([, word, other]) => word ?? other ?? "");
}

/** The reasons for which a bundle, a box or a pair is not updated. */
function ofUpdates(): readonly string[] {
  const paths = [
    ...["bundle", "pair-refusals"].map((name) => `firmware/update/${name}.ts`),
    ...["bundle-upload", "pair-room", "pair-words", "updater-client"].map(
      (name) => `firmware/runtime/core/update/${name}.ts`,
    ),
    "firmware/runtime/update/updater.ts",
  ];
  const source = paths.map(sourceOf).join("\n");
  return [...source.matchAll(/(?:reason: |(?:needed|conflict|refusal)\(\s*|^ {2}\| )"(\w+)"/gm)].map(
    ([, word]) => word ?? "",
  );
}

describe("in Japanese there is a sentence for", () => {
  test.each([
    ["what is wrong with a configuration", Object.keys(problemCodes), 60],
    ["what docs/reasons.md says of people", documented(), 30],
    ["what the API refuses by itself", given(), 14],
    ["what is wrong with an update", ofUpdates(), 28],
  ])("%s", (_, reasons, least) => {
    expect(new Set(reasons).size).toBeGreaterThanOrEqual(least);
    expect(reasons.filter((reason) => !Object.hasOwn(said, reason))).toEqual([]);
  });
});

test("values are told where they came", () => {
  const { outOfRange, wrongCount } = ja.problems;
  expect(fill(outOfRange ?? "", { value: 0, least: 1, most: 256 })).toBe(
    "数値が範囲外です (0、指定できる範囲 1〜256)。",
  );
  expect(fill(wrongCount ?? "", {})).toBe("個数または文字数が範囲外です。");
});

test("no sentence of the pages in English names a command", () => {
  expect(JSON.stringify(catalogues.en.overview)).not.toContain("futago ");
});
