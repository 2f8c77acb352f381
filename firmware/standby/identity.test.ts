import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { assignSlots, nameHash } from "./identity.ts";

describe("a name's number", () => {
  // The published test vectors of FNV-1a, 32 bits.
  test.each([
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["foobar", 0xbf9cf968],
    ["hello", 0x4f9f2cab],
  ])("of %j is FNV-1a's", (name, expected) => {
    expect(nameHash(name)).toBe(expected);
  });

  it("is made from UTF-8, so that names of any script count", () => {
    // e3 81 82: three rounds by hand from the offset basis.
    let hash = 0x811c9dc5n;
    for (const byte of [0xe3n, 0x81n, 0x82n]) hash = ((hash ^ byte) * 0x01000193n) % 2n ** 32n;
    expect(nameHash("あ")).toBe(Number(hash));
  });

  it("is never 0, which stands for nothing", () => {
    // One of the published strings whose FNV-1a is 0.
    expect(nameHash("+!=yG")).toBe(1);
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(nameHash(name)).toBeGreaterThan(0);
        expect(nameHash(name)).toBeLessThan(2 ** 32);
      }),
    );
  });
});

describe("the slots of groups", () => {
  const rows: readonly [string, before: [string, number][], names: string[], max: number, after: [string, number][]][] =
    [
      [
        "are counted from 0 for the first ones",
        [],
        ["x", "y"],
        16,
        [
          ["x", 0],
          ["y", 1],
        ],
      ],
      [
        "stay when another order is written",
        [
          ["x", 0],
          ["y", 1],
        ],
        ["y", "x"],
        16,
        [
          ["y", 1],
          ["x", 0],
        ],
      ],
      [
        "become free when a group goes, and the next one gets them",
        [
          ["x", 0],
          ["y", 1],
        ],
        ["y", "z"],
        16,
        [
          ["y", 1],
          ["z", 0],
        ],
      ],
      [
        "are not for those beyond the last one",
        [],
        ["x", "y", "z"],
        2,
        [
          ["x", 0],
          ["y", 1],
        ],
      ],
      ["are kept when a new name stands first", [["x", 0]], ["n", "x"], 1, [["x", 0]]],
    ];
  test.each(rows)("%s", (_, before, names, max, after) => {
    expect([...assignSlots(new Map(before), names, max)]).toEqual(after);
  });

  it("are never shared and never change for a name that stays", () => {
    const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"), { maxLength: 8 });
    fc.assert(
      fc.property(names, names, fc.integer({ min: 1, max: 8 }), (first, second, max) => {
        const before = assignSlots(new Map(), first, max);
        const after = assignSlots(before, second, max);
        expect(new Set(after.values()).size).toBe(after.size);
        for (const slot of after.values()) expect(slot).toBeLessThan(max);
        for (const name of second.filter((one) => before.has(one))) expect(after.get(name)).toBe(before.get(name));
        expect(after.size).toBe(Math.min(second.length, max));
      }),
    );
  });
});
