import { expect, it } from "vitest";
import type { Resolved, ResolvedPool } from "./resolved.ts";
import { changedPools, isSame, keepUnchanged } from "./unchanged.ts";

const pool = (name: string, weight: number, more: object = {}) =>
  ({
    name,
    backends: [{ name: "s1", weight, maxConnections: undefined }],
    check: { kind: "none" },
    ...more,
  }) as never as ResolvedPool;

it("keeps the former objects of what says the same, and no others", () => {
  const former = new Map(["web", "mail"].map((name) => [name, pool(name, 1)]));
  const next = [pool("web", 1), pool("mail", 2), pool("new", 1)];
  const kept = keepUnchanged(next, former);
  expect(kept[0]).toBe(former.get("web"));
  expect([kept[1], kept[2]]).toEqual([next[1], next[2]]);
  expect(kept[1]).toBe(next[1]);
});

it("names the pools that changed, and all when anything else did", () => {
  const [web, mail, heavier] = [pool("web", 1), pool("mail", 1), pool("mail", 2)];
  const config = (pools: readonly ResolvedPool[], routes: readonly string[] = []) =>
    ({ routes, services: [{ name: "www" }], pools }) as never as Resolved;
  expect(changedPools(config([web, heavier]), config([web, mail]))).toEqual([heavier]);
  expect(changedPools(config([web]), config([web, mail]))).toEqual([]);
  expect(changedPools(config([web, mail], ["a route"]), config([web, mail]))).toEqual([web, mail]);
  expect(changedPools(config([web]), undefined)).toEqual([web]);
});

it.each([
  [pool("web", 1), pool("web", 1), true],
  [pool("web", 1), pool("web", 1, { slowStartSeconds: 1 }), false],
  [pool("web", 1, { slowStartSeconds: undefined }), pool("web", 1, { note: undefined }), false],
  [[1, 2], [1], false],
  [[], {}, false],
  [null, {}, false],
  ["1", 1, false],
])("compares %j with %j", (a, b, same) => {
  expect([isSame(a, b), isSame(b, a)]).toEqual([same, same]);
});
