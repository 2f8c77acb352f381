import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findFile } from "./fat12.ts";

const SECTOR = 512;

interface Shape {
  readonly sectorsPerCluster: number;
  /** The entries of the table, from cluster 2 on. */
  readonly chain: readonly number[];
  readonly name: string;
  readonly first: number;
  readonly length: number;
}

const usual: Shape = { sectorsPerCluster: 1, chain: [3, 0xfff], name: "FUTAGO  ENV", first: 2, length: 1_024 };

/** 64 sectors: one reserved, two tables of one, a directory of one, then the data from sector 4 on. */
function volume({ sectorsPerCluster, chain, name, first, length }: Shape): Uint8Array {
  const bytes = new Uint8Array(64 * SECTOR);
  const view = new DataView(bytes.buffer);
  view.setUint16(11, SECTOR, true);
  bytes[13] = sectorsPerCluster;
  view.setUint16(14, 1, true);
  bytes[16] = 2;
  view.setUint16(17, 16, true);
  view.setUint16(19, 64, true);
  view.setUint16(22, 1, true);
  bytes.set([0x55, 0xaa], 510);
  const nibbles = [0xff8, 0xfff, ...chain].flatMap((entry) => [entry & 15, (entry >> 4) & 15, entry >> 8]);
  nibbles.forEach((nibble, i) => {
    bytes[SECTOR + (i >> 1)] = (bytes[SECTOR + (i >> 1)] ?? 0) | (nibble << (i % 2 === 0 ? 0 : 4));
  });
  const entry = (n: number, text: string, attributes: number) => {
    bytes.set(new TextEncoder().encode(text), 3 * SECTOR + 32 * n);
    bytes[3 * SECTOR + 32 * n + 11] = attributes;
  };
  entry(0, "BS0        ", 0x08);
  entry(1, "AFUTAGO.ENV", 0x0f);
  entry(2, name, 0x20);
  view.setUint16(3 * SECTOR + 32 * 2 + 26, first, true);
  view.setUint32(3 * SECTOR + 32 * 2 + 28, length, true);
  return bytes;
}

describe("the file", () => {
  it.each([
    ["in the first cluster", usual, 4 * SECTOR],
    ["in a later one", { ...usual, chain: [0, 0, 0, 6, 0xff8], first: 5 }, 7 * SECTOR],
    ["at an even number", { ...usual, chain: [0, 0, 5, 0xfff], first: 4 }, 6 * SECTOR],
    ["in one cluster of four sectors", { ...usual, sectorsPerCluster: 4, chain: [0, 0xfff], first: 3 }, 8 * SECTOR],
  ])("is found %s", (_, shape, at) => {
    expect(findFile(volume(shape), "futago.env", 1_024)).toEqual({ ok: true, value: at });
  });

  it.each([
    ["there is none", { ...usual, name: "OTHER   ENV" }, "noSuchFile"],
    ["it was deleted", { ...usual, name: "\u00e5UTAGO  ENV" }, "noSuchFile"],
    ["it is shorter", { ...usual, length: 512 }, "wrongLength"],
    ["it is longer", { ...usual, length: 1_536 }, "wrongLength"],
    ["its second cluster is elsewhere", { ...usual, chain: [4, 0, 0xfff] }, "inPieces"],
    ["its chain ends early", { ...usual, chain: [0xfff] }, "inPieces"],
    ["its chain goes on", { ...usual, chain: [3, 4, 0xfff] }, "inPieces"],
    ["it begins before the data", { ...usual, first: 0 }, "inPieces"],
    ["it begins behind the data", { ...usual, first: 100 }, "inPieces"],
  ])("is refused when %s", (_, shape, reason) => {
    expect(findFile(volume(shape), "futago.env", 1_024)).toEqual({ ok: false, reason });
  });

  it("is nowhere on a partition without a file system", () => {
    expect(findFile(new Uint8Array(1_048_576), "futago.env", 1_024)).toEqual({ ok: false, reason: "notFat12" });
  });

  it("is looked for without an exception, whatever was damaged", () => {
    const damage = fc.array(fc.tuple(fc.nat(4 * SECTOR - 1), fc.nat(255)), { maxLength: 30 });
    fc.assert(
      fc.property(damage, fc.nat(64 * SECTOR), (changes, length) => {
        const bytes = volume(usual);
        for (const [at, value] of changes) bytes[at] = value;
        void findFile(bytes.subarray(0, length), "futago.env", 1_024);
        void findFile(bytes, "futago.env", 1_024);
      }),
    );
  });
});
