import fc from "fast-check";
import { expect, it } from "vitest";
import { type JsonReading, readJson } from "./json-text.ts";

/** Whether the reading says what JSON.parse says, apart from what readJson refuses on purpose. */
function agrees(reading: JsonReading, text: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The first fault is told: a key may be there twice before the text goes wrong.
    return !reading.ok;
  }
  if (reading.ok) return JSON.stringify(reading.value) === JSON.stringify(value);
  return reading.reason === "duplicateKey" || reading.what === "a number too large for any use";
}

it("reads what JSON.parse reads, and refuses what it refuses, apart from keys that are there twice", () => {
  const texts = fc.oneof(
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify(value, null, 2)),
    fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\u0aE-+.1 \ntrufalsn\u0000\u2028é')) }),
    fc
      .tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 }))
      .map(([text, at, insert]) => text.slice(0, at % text.length) + insert + text.slice((at % text.length) + 1)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(readJson(text)).toSatisfy((reading: JsonReading) => agrees(reading, text));
    }),
    { numRuns: 3_000 },
  );
});

it("keeps __proto__ an ordinary key", () => {
  const reading = readJson('{"__proto__": {"a": 1}}');
  if (!reading.ok) throw new Error(reading.what);
  expect(Object.keys(reading.value as object)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(reading.value)).toBe(Object.prototype);
});

it("tells the place in lines and columns", () => {
  const rows: readonly (readonly [string, number, number, string])[] = [
    ['{\n  "a": tru\n}', 2, 8, '"tru" where a value should be'],
    ['{"a" 1}', 1, 6, '"1" where a colon should follow the key'],
    ["[1\r\n 2]", 2, 2, '"2" where a comma or "]" should be'],
    ['["a\nb"]', 1, 4, "a text without its closing quote"],
    ['["a', 1, 2, "a text without its closing quote"],
    ['["\\x"]', 1, 3, "an escape that JSON does not have"],
    ["[01]", 1, 2, '"01" where a value should be'],
    ["[1e999]", 1, 2, "a number too large for any use"],
    ['["😀" 😀]', 1, 7, '"😀" where a comma or "]" should be'],
  ];
  for (const [text, line, column, what] of rows)
    expect(readJson(text)).toEqual({ ok: false, reason: "syntax", line, column, what });
});
