import { describe, expect, it } from "vitest";
import { type StoredRevision, tooOld } from "./compaction.ts";

const MEGABYTE = 1 << 20;

/** The newest first, as the store lists them. */
function stored(count: number, bytes: (number: number) => number): readonly StoredRevision[] {
  return Array.from({ length: count }, (_, age) => {
    const number = count - age;
    return { number, id: `r${number}`, bytes: bytes(number) };
  });
}

describe("documents", () => {
  it("stay while they are the newest hundred", () => {
    expect(
      tooOld(
        stored(100, () => 10),
        new Set(),
      ),
    ).toEqual({ documents: [], revisions: [] });
    expect(
      tooOld(
        stored(102, () => 10),
        new Set(),
      ),
    ).toEqual({ documents: [2, 1], revisions: [] });
  });

  it("stay while they are 32 MiB together", () => {
    expect(
      tooOld(
        stored(4, () => 8 * MEGABYTE),
        new Set(),
      ).documents,
    ).toEqual([]);
    expect(
      tooOld(
        stored(6, () => 8 * MEGABYTE),
        new Set(),
      ).documents,
    ).toEqual([2, 1]);
  });

  it("stay however old and large they are when they are spared", () => {
    expect(
      tooOld(
        stored(3, () => 24 * MEGABYTE),
        new Set(["r3", "r1"]),
      ).documents,
    ).toEqual([2]);
  });

  it("that were dropped before count for nothing", () => {
    const dropped = (number: number) => (number > 150 ? 10 : 0);
    expect(tooOld(stored(251, dropped), new Set()).documents).toEqual([151]);
  });
});

describe("revisions without document", () => {
  it("stay while they are the newest ten thousand", () => {
    const { documents, revisions } = tooOld(
      stored(10_002, (number) => (number > 9_990 ? 10 : 0)),
      new Set(["r2"]),
    );
    expect({ documents, revisions }).toEqual({ documents: [], revisions: [1] });
  });
});
