import { expect, test } from "vitest";
import { at, forBox, listAt, withAt } from "./document.ts";

const document = { pools: [{ name: "web", backends: [{ name: "s1", weight: 1 }] }], note: "x" };

test("a value is set where it is, and nothing else moves", () => {
  const after = withAt(document, ["pools", 0, "backends", 0, "weight"], 5);
  expect(after).toEqual({ pools: [{ name: "web", backends: [{ name: "s1", weight: 5 }] }], note: "x" });
  expect(Object.keys(after as object)).toEqual(["pools", "note"]);
  expect(document.pools[0]?.backends[0]?.weight).toBe(1);
});

test("what is not there is made, a list where the key is a number", () => {
  expect(withAt({}, ["services", 0], { name: "www" })).toEqual({ services: [{ name: "www" }] });
  expect(withAt(undefined, ["pair", "standby"], "hot")).toEqual({ pair: { standby: "hot" } });
});

test("undefined takes away: a key, or an item of a list", () => {
  expect(withAt(document, ["note"], undefined)).toEqual({ pools: document.pools });
  expect(withAt(document, ["pools", 0], undefined)).toEqual({ pools: [], note: "x" });
});

test("what is looked for in vain is nothing", () => {
  expect(at(document, ["pools", 3, "name"])).toBeUndefined();
  expect(at(document, ["toString"])).toBeUndefined();
  expect(listAt(document, "services")).toEqual([]);
});

test("a value per box is told from one for both", () => {
  expect(forBox({ a: "eth0", b: "enp1s0" }, "b")).toBe("enp1s0");
  expect(forBox("eth0", "b")).toBe("eth0");
});
