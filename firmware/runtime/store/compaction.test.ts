import { describe, expect, it } from "vitest";
import { compaction, type StoredRevision, type ToPack } from "./compaction.ts";
import type { StoredDocument } from "./documents.ts";

const MEGABYTE = 1 << 20;

type DocumentFacts = Partial<Omit<StoredDocument, "number">> | undefined;

/** The newest first, as the store lists them: revision 1 is "r1". */
function stored(count: number, document: (number: number) => DocumentFacts): readonly StoredRevision[] {
  return Array.from({ length: count }, (_, age) => {
    const number = count - age;
    const facts = document(number);
    return {
      number,
      id: `r${number}`,
      document: facts && { number, base: null, packed: false, bytes: 1_000, ...facts },
    };
  });
}

const range = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** Each to be packed like the one before it. */
const after = (numbers: readonly number[]): readonly ToPack[] =>
  numbers.map((number) => ({ number, after: number === 1 ? undefined : number - 1 }));

const nothing = { pack: [], documents: [], revisions: [] };

describe("documents", () => {
  it("are packed, the oldest first, once sixteen are older than the newest thirty-two", () => {
    expect(
      compaction(
        stored(47, () => ({})),
        new Set(),
      ),
    ).toEqual(nothing);
    expect(
      compaction(
        stored(48, () => ({})),
        new Set(),
      ),
    ).toEqual({ ...nothing, pack: after(range(1, 16)) });
  });

  it("are packed at once where the newest take more than 4 MiB", () => {
    expect(
      compaction(
        stored(4, () => ({ bytes: MEGABYTE })),
        new Set(),
      ),
    ).toEqual(nothing);
    expect(
      compaction(
        stored(6, () => ({ bytes: MEGABYTE })),
        new Set(),
      ).pack,
    ).toEqual(after([1, 2]));
  });

  it("are packed before any is dropped", () => {
    const todo = compaction(
      stored(40, () => ({ bytes: MEGABYTE })),
      new Set(),
    );
    expect(todo).toEqual({ ...nothing, pack: after(range(1, 36)) });
  });

  it("are dropped unpacked where they come faster than they can be packed", () => {
    const todo = compaction(
      stored(300, () => ({ bytes: MEGABYTE })),
      new Set(["r1"]),
    );
    expect(todo).toEqual({ ...nothing, documents: range(2, 44).toReversed(), pack: after(range(45, 296)) });
  });

  it("are not packed twice, nor when they are spared", () => {
    const first = (number: number) => ({ packed: number <= 4 });
    expect(compaction(stored(52, first), new Set(["r6"])).pack).toEqual([]);
    expect(compaction(stored(53, first), new Set(["r6"])).pack).toEqual(after([5, ...range(7, 21)]));
  });

  it("stay while they are 32 MiB together, and however large they are when they are spared", () => {
    const large = (bytes: number) => () => ({ packed: true, bytes });
    expect(compaction(stored(4, large(8 * MEGABYTE)), new Set())).toEqual(nothing);
    expect(compaction(stored(6, large(8 * MEGABYTE)), new Set())).toEqual({ ...nothing, documents: [2, 1] });
    expect(compaction(stored(3, large(24 * MEGABYTE)), new Set(["r3", "r1"])).documents).toEqual([2]);
  });

  it("stay while another is packed against them", () => {
    const groups = (number: number) => ({
      packed: true,
      bytes: 8 * MEGABYTE,
      base: number > 1 && number < 5 ? 1 : null,
    });
    expect(compaction(stored(6, groups), new Set()).documents).toEqual([2]);
    expect(compaction(stored(8, groups), new Set()).documents).toEqual([4, 3, 2, 1]);
  });

  it("that are gone count for nothing", () => {
    expect(
      compaction(
        stored(1_000, (number) => (number > 990 ? {} : undefined)),
        new Set(),
      ),
    ).toEqual(nothing);
  });
});

describe("revisions", () => {
  it("stay while they are the newest ten thousand, or spared", () => {
    const todo = compaction(
      stored(10_003, (number) => (number > 2 ? undefined : { packed: true })),
      new Set(["r2"]),
    );
    expect(todo).toEqual({ pack: [], documents: [1], revisions: [3, 1] });
  });

  it("stay with the document that another is packed against", () => {
    const group = (number: number) => (number > 10 ? undefined : { packed: true, base: number === 1 ? null : 1 });
    expect(compaction(stored(10_003, group), new Set())).toEqual({ pack: [], documents: [3, 2], revisions: [3, 2] });
  });
});
