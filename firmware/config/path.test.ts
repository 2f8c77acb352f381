import fc from "fast-check";
import { expect, it } from "vitest";
import { formatPath, itemKeys, parsePath } from "./path.ts";

it("writes names plainly and everything else in quotes", () => {
  expect(formatPath(["pools", "web", "backends", "s1", "weight"])).toBe("pools.web.backends.s1.weight");
  expect(formatPath(["routes", "10.9.0.0/16", "via"])).toBe('routes."10.9.0.0/16".via');
});

it("reads what it wrote", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (path) => {
      expect(parsePath(formatPath(path))).toEqual(path);
    }),
  );
});

it("never throws on any text", () => {
  fc.assert(fc.property(fc.string(), (text) => void parsePath(text)));
  for (const text of ["a.", ".a", "a..b", '"', '"\\x"', "a b", '"a"b']) expect(parsePath(text)).toBeUndefined();
});

it("calls items by name, routes by destination, virtual routers by interface and VRID, the rest by position", () => {
  expect(itemKeys([{ name: "s1" }, { name: "s2" }])).toEqual(["s1", "s2"]);
  expect(itemKeys([{ to: "default" }, { to: "10.9.0.0/16" }])).toEqual(["default", "10.9.0.0/16"]);
  expect(itemKeys([{ interface: "lan", vrid: 11 }, { interface: "wan" }, { name: "x", interface: "wan" }])).toEqual([
    "lan:11",
    "wan",
    "x",
  ]);
  expect(itemKeys([{ name: "same" }, { name: "same" }, "text", { name: "1" }, { name: 4 }])).toEqual([
    "0",
    "1",
    "2",
    "3",
    "4",
  ]);
});

it("never gives two items of a list one key", () => {
  const item = fc.oneof(
    fc.jsonValue(),
    fc.record({ name: fc.constantFrom("a", "b", "0", "1", "") }),
    fc.record({ interface: fc.constantFrom("a", "b"), vrid: fc.nat(2) }),
  );
  fc.assert(
    fc.property(fc.array(item), (list) => {
      expect(new Set(itemKeys(list)).size).toBe(list.length);
    }),
  );
});
