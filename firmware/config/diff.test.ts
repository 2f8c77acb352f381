import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "./canonical.ts";
import { applyDiff, diff, formatChange } from "./diff.ts";
import { exampleDocument } from "./example.test-support.ts";

const name = fc.constantFrom("a", "b", "c", "d");
const { document } = fc.letrec((tie) => ({
  document: fc.dictionary(fc.constantFrom("x", "y", "name", "to", "__proto__"), tie("value"), { maxKeys: 4 }),
  value: fc.oneof({ depthSize: "small" }, fc.jsonValue({ maxDepth: 1 }), tie("document"), tie("items")),
  items: fc.array(
    fc.oneof(
      fc.record({ name, weight: fc.nat(3), inner: tie("items") }, { requiredKeys: ["name"] }),
      fc.record({ interface: name, vrid: fc.nat(2) }, { requiredKeys: ["interface"] }),
    ),
    { maxLength: 4 },
  ),
}));

describe("the difference of two documents", () => {
  it("leads from the one to the other", () => {
    fc.assert(
      fc.property(document, document, (a, b) => {
        expect(canonicalJson(applyDiff(diff(a, b), a))).toBe(canonicalJson(b));
      }),
      { numRuns: 2_000 },
    );
  });

  it("is empty exactly when they are the same", () => {
    fc.assert(
      fc.property(document, document, (a, b) => {
        expect(diff(a, structuredClone(a))).toEqual([]);
        expect(diff(a, b).length === 0).toBe(canonicalJson(a) === canonicalJson(b));
      }),
    );
  });

  it("changes neither", () => {
    fc.assert(
      fc.property(document, document, (a, b) => {
        const before = canonicalJson([a, b]);
        applyDiff(diff(a, b), a);
        expect(canonicalJson([a, b])).toBe(before);
      }),
    );
  });

  it("names what changed", () => {
    const changed: any = structuredClone(exampleDocument);
    changed.pools[0].backends[1].weight = 3;
    changed.pools[0].backends.shift();
    changed.pools[0].backends.unshift({ name: "s4", address: "10.2.0.14", port: 80 });
    changed.interfaces[0].addresses.a = ["10.1.0.4/24"];
    delete changed.system.timezone;
    expect(diff(exampleDocument, changed).map(formatChange)).toEqual([
      '- system.timezone: "Asia/Tokyo"',
      '~ interfaces.wan.addresses.a: ["10.1.0.2/24"] → ["10.1.0.4/24"]',
      '- pools.web.backends.s1: {"address":"10.2.0.11","name":"s1","port":80}',
      '+ pools.web.backends.s4: {"address":"10.2.0.14","name":"s4","port":80}',
      "~ pools.web.backends.s2.weight: 2 → 3",
      "~ pools.web.backends: order s4, s2, s3",
    ]);
  });

  it("names what came and what went of a long list", () => {
    const service = { name: "www", mode: "nat", allow: ["10.0.0.0/8", "192.0.2.1", "192.0.2.2", "192.0.2.3", "::/0"] };
    const allow = ["10.0.0.0/8", "192.0.2.3", "192.0.2.2", "192.0.2.1", "::/0"];
    const said = (after: object) =>
      diff({ services: [service] }, { services: [{ ...service, ...after }] }).map(formatChange);
    expect(said({ mode: "one-arm", allow: ["10.0.0.0/9", ...service.allow.slice(1)] })).toEqual([
      '~ services.www.mode: "nat" → "one-arm"',
      '~ services.www.allow: added "10.0.0.0/9"; removed "10.0.0.0/8"',
    ]);
    expect(said({ allow: [...service.allow, "192.0.2.4"] })).toEqual(['~ services.www.allow: added "192.0.2.4"']);
    expect(said({ allow })).toEqual(["~ services.www.allow: the same entries in another order"]);
    expect(said({ deny: ["192.0.2.9"], sorryPool: "sorry" })).toEqual([
      '+ services.www.deny: ["192.0.2.9"]',
      '+ services.www.sorryPool: "sorry"',
    ]);
  });
});

it("writes one text for one document, whatever the order of keys", () => {
  expect(canonicalJson({ b: [1, { d: null, c: "é\u2028" }], a: -0, é: undefined })).toBe(
    '{"a":0,"b":[1,{"c":"é\u2028","d":null}]}',
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
});
