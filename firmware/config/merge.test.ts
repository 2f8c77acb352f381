import fc from "fast-check";
import { assert, describe, expect, it } from "vitest";
import { canonicalJson } from "./canonical.ts";
import { diff } from "./diff.ts";
import { editDocument } from "./edit.ts";
import { changed, exampleDocument } from "./example.test-support.ts";
import { merge } from "./merge.ts";

type Mutation = Parameters<typeof changed>[0];

function merged(mine: Mutation, theirs: Mutation): unknown {
  return merge(exampleDocument, changed(mine), changed(theirs));
}

const s4 = { name: "s4", address: "10.2.0.14", port: 80 };
const s5 = { name: "s5", address: "10.2.0.15", port: 80 };
const weight: Mutation = (d) => void (d.pools[0].backends[1].weight = 7);
const backendsTurned: Mutation = (d) => void (d.pools[0].backends = d.pools[0].backends.toReversed());

describe("two changes of one document", () => {
  it("become one when they touch different places", () => {
    expect(merged(weight, (d) => void (d.system.timezone = "Europe/Berlin"))).toEqual({
      ok: true,
      document: changed((d) => {
        weight(d);
        d.system.timezone = "Europe/Berlin";
      }),
    });
    expect(
      merged(
        (d) => d.pools[0].backends.push(s4),
        (d) => d.pools[0].backends.push(s5),
      ),
    ).toEqual({
      ok: true,
      document: changed((d) => d.pools[0].backends.push(s5, s4)),
    });
    // One turns the list round, the other changes an item of it.
    expect(merged(backendsTurned, weight)).toEqual({
      ok: true,
      document: changed((d) => (weight(d), backendsTurned(d))),
    });
    expect(merged(weight, backendsTurned)).toEqual({
      ok: true,
      document: changed((d) => (weight(d), backendsTurned(d))),
    });
  });

  it("are no quarrel where they are alike", () => {
    const both: Mutation = (d) => d.pools[0].backends.push(s4);
    expect(merged(both, (d) => (both(d), weight(d)))).toEqual({
      ok: true,
      document: changed((d) => (both(d), weight(d))),
    });
  });

  it.each<[string, Mutation, Mutation, readonly string[]]>([
    ["the same value", weight, (d) => void (d.pools[0].backends[1].weight = 8), ["pools.web.backends.s2.weight"]],
    ["a thing that the other took away", weight, (d) => d.pools.pop(), ["pools.web.backends.s2.weight"]],
    ["away what the other changed in", (d) => d.pools.pop(), weight, ["pools.web"]],
    [
      "the order, and the other an item's coming",
      backendsTurned,
      (d) => d.pools[0].backends.push(s4),
      ["pools.web.backends"],
    ],
    [
      "an item's going, and the other the order",
      (d) => d.pools[0].backends.pop(),
      backendsTurned,
      ["pools.web.backends.s3"],
    ],
    [
      "the order, and the other too",
      backendsTurned,
      (d) => d.pools[0].backends.push(d.pools[0].backends.shift()),
      ["pools.web.backends"],
    ],
    ["the order of a list that the other took away", backendsTurned, (d) => d.pools.pop(), ["pools.web.backends"]],
    ["a list away that the other ordered", (d) => d.pools.pop(), backendsTurned, ["pools.web"]],
  ])("quarrel when one changes %s", (_, mine, theirs, conflicts) => {
    expect(merged(mine, theirs)).toEqual({ ok: false, conflicts });
  });

  it("take a list whose items have no names for one place: a position is another item after somebody added one", () => {
    const check = { type: "tcp", port: 80 };
    const base = changed((d) => (d.failoverGroups[0].track = [{ check, weight: -50 }]));
    const mine = structuredClone(base);
    mine.failoverGroups[0].track[0].weight = -60;
    const theirs = structuredClone(base);
    theirs.failoverGroups[0].track.unshift({ check: { type: "tcp", port: 81 }, weight: -50 });
    expect(merge(base, mine, theirs)).toEqual({ ok: false, conflicts: ["failoverGroups.edge.track"] });
  });

  it("keep, when they can be one, exactly what each changed", () => {
    const place = fc.constantFrom("pools.web.backends.s1.weight", "pools.web.backends.s2.weight", "balancer.flows");
    const edits = fc.array(fc.record({ path: place, value: fc.integer({ min: 1_024, max: 1_030 }) }), { maxLength: 3 });
    fc.assert(
      fc.property(edits, edits, (my, their) => {
        const [mine, theirs] = [my, their].map((all) => all.reduce<unknown>(made, exampleDocument));
        const result = merge(exampleDocument, mine, theirs);
        const brief = (from: unknown, to: unknown) => diff(from, to).map(canonicalJson);
        const both = new Set([...brief(exampleDocument, mine), ...brief(exampleDocument, theirs)]);
        const isSamePlace = my.some(({ path }) => their.some((one) => one.path === path));
        expect(result.ok || isSamePlace).toBe(true);
        if (result.ok) assert.deepEqual(new Set(brief(exampleDocument, result.document)), both);
      }),
    );
  });
});

function made(document: unknown, { path, value }: { readonly path: string; readonly value: number }): unknown {
  const edited = editDocument(document, {
    kind: "set",
    path,
    value: String(path === "balancer.flows" ? value : value % 9),
  });
  if (!edited.ok) throw new Error(JSON.stringify(edited.problems));
  return edited.document;
}
