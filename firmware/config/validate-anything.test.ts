import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boxA, briefly, changed, exampleDocument, problemsOf } from "./example.test-support.ts";
import { problemCodes } from "./problem.ts";
import { validate } from "./validate.ts";

describe("whatever comes", () => {
  it("never throws on any text or bytes", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void validate(text, boxA)));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void validate(bytes, boxA)));
    fc.assert(fc.property(fc.json({ depthSize: "large" }), (text) => void validate(text, boxA)));
  });

  it("never throws on an example with parts replaced, moved or cut off, and always says where, what and how", () => {
    const text = JSON.stringify(exampleDocument);
    const mutation = fc.record({
      at: fc.nat(text.length),
      cut: fc.nat(40),
      insert: fc.oneof(
        fc.string({ maxLength: 5 }),
        fc.constantFrom('"', "{", "}", "[", "]", ",", "null", "0", "-1", "{}", "[]", '"a":1,'),
      ),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        let mutated = text;
        for (const { at, cut, insert } of mutations) mutated = mutated.slice(0, at) + insert + mutated.slice(at + cut);
        for (const problem of problemsOf(mutated)) {
          expect(problem.what).not.toBe("");
          expect(problem.mend).not.toBe("");
          expect(Object.keys(problemCodes)).toContain(problem.code);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never throws on an example with any value at any place", () => {
    const places: (readonly (string | number)[])[] = [];
    const walk = (value: any, path: readonly (string | number)[]): void => {
      places.push(path);
      if (typeof value !== "object" || value === null) return;
      for (const key of Object.keys(value)) walk(value[key], [...path, Array.isArray(value) ? Number(key) : key]);
    };
    walk(exampleDocument, []);
    fc.assert(
      fc.property(fc.constantFrom(...places.filter((path) => path.length > 0)), fc.jsonValue(), (path, value) => {
        const document = changed((d) => {
          const parent = path.slice(0, -1).reduce<any>((at, key) => at[key], d);
          parent[path.at(-1)!] = value;
        });
        validate(document, boxA);
      }),
      { numRuns: 300 },
    );
  });

  it("judges the largest documents in bounded time", () => {
    const document = changed((d) => {
      d.pools = Array.from({ length: 256 }, (_, p) => ({
        name: `p${p}`,
        backends: Array.from({ length: 128 }, (_b, i) => ({
          name: `s${i}`,
          address: `10.2.${i}.${(p % 250) + 4}`,
          port: 1000 + p,
        })),
      }));
      d.interfaces[1].addresses = { a: ["10.2.255.2/16"], b: ["10.2.255.3/16"] };
      d.failoverGroups[0].virtualRouters[1].addresses = ["10.2.255.1/16"];
      d.services = d.pools.map((pool: any, i: number) => ({
        name: `v${i}`,
        address: "front",
        protocol: "tcp",
        port: 1 + i,
        pool: pool.name,
      }));
    });
    const start = performance.now();
    expect(briefly(document)).toEqual([]);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
