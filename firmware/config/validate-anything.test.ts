import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boxA, changed, exampleDocument, problemsOf } from "./example.test-support.ts";
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

  it.each(["ipv4", "ipv6"])("judges 1,000 services of 100 %s backends each in about a second", (family) => {
    const document = manyServices(family === "ipv6");
    const text = JSON.stringify(document);
    const before = process.cpuUsage();
    expect(validate(text, boxA)).toMatchObject({ ok: true });
    const { user, system } = process.cpuUsage(before);
    // Three times what it takes on the reference machine, where the first of them also waits for the compiler.
    expect((user + system) / 1_000).toBeLessThan(4_000);
  });
});

function manyServices(ipv6: boolean): unknown {
  return changed((d) => {
    const subnet = ipv6 ? "fd02::" : "10.2.";
    const host = (p: number, i: number) =>
      ipv6 ? `${subnet}${(p + 16).toString(16)}:${i.toString(16)}` : `${subnet}${i}.${(p % 250) + 4}`;
    d.interfaces[0].addresses = ipv6
      ? { a: ["10.1.0.2/24", "fd01::2/64"], b: ["10.1.0.3/24", "fd01::3/64"] }
      : d.interfaces[0].addresses;
    d.interfaces[1].addresses = ipv6
      ? { a: ["fd02::2/64"], b: ["fd02::3/64"] }
      : { a: ["10.2.255.2/16"], b: ["10.2.255.3/16"] };
    if (ipv6) d.failoverGroups[0].virtualRouters[0].addresses = ["fd01::1/64"];
    d.failoverGroups[0].virtualRouters[1].addresses = ipv6 ? ["fd02::1/64"] : ["10.2.255.1/16"];
    d.pools = Array.from({ length: 1_000 }, (_, p) => ({
      name: `p${p}`,
      backends: Array.from({ length: 100 }, (_b, i) => ({ name: `s${i}`, address: host(p, i), port: 1_000 + p })),
      check: { type: "tcp" },
    }));
    d.services = d.pools.map((pool: any, i: number) => ({
      name: `v${i}`,
      address: "front",
      protocol: i % 2 === 0 ? "tcp" : "udp",
      port: 1 + i,
      pool: pool.name,
      deny: [ipv6 ? "2001:db8::/32" : "198.51.100.0/24"],
    }));
  });
}
