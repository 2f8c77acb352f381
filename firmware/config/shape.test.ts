import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Set as setFormat } from "typebox/format";
import { Check } from "typebox/value";
import { exampleDocument } from "./example.test-support.ts";
import { formats } from "./formats.ts";
import { DocumentSchema } from "./schema.ts";
import { checkShape, type SchemaView } from "./shape.ts";

for (const [name, { accepts }] of Object.entries(formats)) setFormat(name, accepts);

const places: (readonly string[])[] = [];
function collect(value: unknown, path: readonly string[]): void {
  places.push(path);
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) collect(item, [...path, key]);
}
collect(exampleDocument, []);

/** Values that are right somewhere, and values that are right nowhere. */
const replacement = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    1,
    0,
    -1,
    80,
    1.5,
    "80",
    "a",
    "wan",
    "hot",
    "cold",
    "10.1.0.7/24",
    "10.1.0.7",
    "default",
    "tcp",
    true,
    [],
    {},
  ),
  fc.constantFrom<unknown>({ a: 1, b: 2 }, { a: "x", b: "y" }, { a: [] }, { type: "none" }, { type: "tcp", rise: 3 }, [
    "10.1.0.7/24",
  ]),
);

it("accepts exactly what TypeBox accepts", () => {
  fc.assert(
    fc.property(fc.constantFrom(...places), replacement, (place, value) => {
      const document: any = structuredClone(exampleDocument);
      const parent = place.slice(0, -1).reduce((at, key) => at[key], document);
      const whole = place.length === 0 ? value : document;
      if (place.length > 0) parent[place.at(-1)!] = value;
      const { problems, salvage } = checkShape(DocumentSchema as unknown as SchemaView, whole, {
        paired: true,
        problemsMax: 100,
      });
      expect(problems.length === 0, JSON.stringify([problems, place, value])).toBe(Check(DocumentSchema, whole));
      expect(problems.length > 0 || isDeepStrictEqual(salvage, whole)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});
