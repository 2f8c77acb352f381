import { exampleDocument } from "@futago/firmware/config/example.test-support.ts";
import { expect, test } from "vitest";
import { below, newItem, pathOfPosition, positionOf } from "./position.ts";

test.each([
  [["pools", "web", "backends", "s2"], ["pools", 0, "backends", 1], "pools.web.backends.s2"],
  [
    ["failoverGroups", "edge", "virtualRouters", "front"],
    ["failoverGroups", 0, "virtualRouters", 0],
    "failoverGroups.edge.virtualRouters.front",
  ],
  [["routes", "default"], ["routes", 0], "routes.default"],
  [["pair", "heartbeat"], ["pair", "heartbeat"], "pair.heartbeat"],
] as const)("%j is found by its names, and named as the box names it", (names, keys, path) => {
  expect(positionOf(exampleDocument, names)).toEqual(keys);
  expect(pathOfPosition(exampleDocument, keys)).toBe(path);
});

test("a new item comes last, in a list that may not be there yet", () => {
  expect(positionOf(exampleDocument, ["services", newItem])).toEqual(["services", 1]);
  expect(positionOf({}, ["services", newItem])).toEqual(["services", 0]);
});

test("what somebody took away is nowhere", () => {
  expect(positionOf(exampleDocument, ["pools", "gone", "backends", "s1"])).toBeUndefined();
});

test("a key that needs quotes gets them", () => {
  expect(below("routes", "10.9.0.0/16")).toBe('routes."10.9.0.0/16"');
});
