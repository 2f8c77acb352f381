import fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalJson } from "./canonical.ts";
import { changed, exampleDocument } from "./example.test-support.ts";
import { inReadingOrder } from "./reading-order.ts";

it("puts keys as the reference has them, whatever order they come in", () => {
  const canonical: unknown = JSON.parse(canonicalJson(exampleDocument));
  const wanted = changed((d) => {
    const [router, ...others] = d.failoverGroups[0].virtualRouters;
    d.failoverGroups[0].virtualRouters = [{ name: "front", ...router }, ...others];
  });
  expect(JSON.stringify(inReadingOrder(canonical))).toBe(JSON.stringify(wanted));
});

it("keeps what the schema does not have, behind what it has", () => {
  const document = changed((d) => {
    d.strange = { z: 1, a: 2 };
    d.pools[0].check = { path: "/", type: "odd" };
    d.interfaces[0].addresses = { c: 1, a: [] };
  });
  const read = inReadingOrder(document) as typeof document;
  expect(Object.keys(read).at(-1)).toBe("strange");
  expect(Object.keys(read.interfaces[0].addresses)).toEqual(["a", "c"]);
  expect(read).toEqual(document);
});

it("changes nothing but the order, and never throws", () => {
  const document = fc.oneof(fc.jsonValue(), fc.record({ pools: fc.jsonValue(), interfaces: fc.jsonValue() }));
  fc.assert(
    fc.property(document, (value) => {
      expect(canonicalJson(inReadingOrder(value))).toBe(canonicalJson(value));
    }),
  );
});
