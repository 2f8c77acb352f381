/** The disk that test/image/power-cuts cuts the power of: what a flush followed stays, the rest is a matter of chance. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Random } from "../sim/random.ts";
import { VolatileDisk } from "./appliance/volatile-disk.ts";

let place: string;
let path: string;
let disk: VolatileDisk;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "futago-volatile-"));
  path = join(place, "disk");
  writeFileSync(path, Buffer.alloc(8 * 512, "."));
  disk = new VolatileDisk(path);
});
afterEach(() => {
  disk.close();
  rmSync(place, { recursive: true });
});

const sectors = (letter: string, count: number) => Buffer.alloc(count * 512, letter);
/** One letter a sector. */
const shown = () => Array.from({ length: 8 }, (_, i) => String.fromCharCode(readFileSync(path)[i * 512] ?? 0)).join("");

it("is read as it was written, flushed or not", () => {
  disk.write(512, sectors("a", 2));
  expect(disk.read(0, 8 * 512).equals(Buffer.concat([sectors(".", 1), sectors("a", 2), sectors(".", 5)]))).toBe(true);
});

it("keeps what a flush followed, and loses the rest when all is lost", () => {
  disk.write(0, sectors("a", 1));
  disk.flush();
  disk.write(0, sectors("b", 1));
  disk.write(512, sectors("c", 1));
  expect(disk.cut(new Random(1), 1)).toEqual({ kept: 0, lost: 2, torn: 0 });
  expect(shown()).toBe("a.......");
});

it("keeps a write that was durable by itself, also where it covers one that is lost", () => {
  disk.write(0, sectors("a", 2));
  disk.write(512, sectors("b", 1), true);
  expect(disk.cut(new Random(1), 1)).toMatchObject({ kept: 1 });
  expect(shown().slice(1)).toBe("b......");
});

it("tears a write between sectors only, and may lose an earlier write and keep a later one", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    disk.write(0, sectors(".", 8));
    disk.flush();
    disk.write(0, sectors("a", 2));
    disk.write(1024, sectors("b", 2));
    disk.cut(new Random(seed), 0.5);
    seen.add(shown());
  }
  expect([...seen].toSorted()).toEqual(
    [
      "........",
      "..b.....",
      "..bb....",
      "a.......",
      "a.b.....",
      "a.bb....",
      "aa......",
      "aab.....",
      "aabb....",
    ].toSorted(),
  );
});
