import { expect, test } from "vitest";
import { say, sentence } from "./say.ts";
import { validate } from "./validate.ts";

test("a sentence knows the values in it by name", () => {
  expect(say`is ${{ value: 7 }}, not ${{ wanted: "a text" }}`).toEqual({
    text: "is 7, not a text",
    parameters: { value: 7, wanted: "a text" },
  });
  expect(sentence("is empty")).toEqual({ text: "is empty", parameters: {} });
});

test("a number out of its range is told with the range", () => {
  const judged = validate(
    { pools: [{ name: "web", backends: [{ name: "s1", address: "10.0.0.1", port: 70_000 }] }] },
    {
      box: undefined,
    },
  );
  expect(judged.ok ? [] : judged.problems.slice(0, 1).map(({ code, parameters }) => [code, parameters])).toEqual([
    ["outOfRange", { value: 70_000, least: 1, most: 65_535 }],
  ]);
});
