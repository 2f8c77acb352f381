/**
 * A disk with a write cache that the mains hold up: a raw file, and for each write that no flush has followed what was there
 * before. When the power goes each of them stays, is lost, or is torn between two sectors, in any order. A sector is never
 * torn. The cache is finite, as every one: what is oldest goes to the platter by itself.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { Random } from "../../sim/random.ts";

export const SECTOR_BYTES = 512;
const CACHE_BYTES = 32 << 20;
const TORN = 0.1;

interface Written {
  readonly at: number;
  readonly before: Buffer;
  readonly isDurable: boolean;
}

/** What became of the writes that no flush had followed. */
export interface Lost {
  readonly kept: number;
  readonly lost: number;
  readonly torn: number;
}

export class VolatileDisk {
  readonly #file: number;
  readonly bytes: number;
  #unflushed: Written[] = [];
  #unflushedBytes = 0;

  constructor(path: string) {
    this.#file = openSync(path, "r+");
    this.bytes = fstatSync(this.#file).size;
  }

  read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#file, bytes, 0, length, at);
    return bytes;
  }

  write(at: number, bytes: Buffer, isDurable = false): void {
    this.#unflushed.push({ at, before: this.read(at, bytes.length), isDurable });
    this.#unflushedBytes += bytes.length;
    writeSync(this.#file, bytes, 0, bytes.length, at);
    while (this.#unflushedBytes > CACHE_BYTES) this.#unflushedBytes -= this.#unflushed.shift()?.before.length ?? 0;
  }

  flush(): void {
    this.#unflushed = [];
    this.#unflushedBytes = 0;
  }

  /** The power goes. `share` of the writes that no flush followed is lost, in [0, 1]. */
  cut(random: Random, share: number): Lost {
    const became = { kept: 0, lost: 0, torn: 0 };
    /** Sectors that hold what a later write left there. */
    const settled = new Set<number>();
    for (const { at, before, isDurable } of this.#unflushed.toReversed()) {
      const sectors = before.length / SECTOR_BYTES;
      const isLost = !isDurable && random.chance(share);
      const isTorn = isLost && sectors > 1 && random.chance(TORN);
      const keptSectors = isTorn ? random.whole(1, sectors - 1) : isLost ? 0 : sectors;
      became[isTorn ? "torn" : isLost ? "lost" : "kept"] += 1;
      for (let i = 0; i < sectors; i++) {
        const place = at / SECTOR_BYTES + i;
        if (i < keptSectors) settled.add(place);
        else if (!settled.has(place))
          writeSync(this.#file, before, i * SECTOR_BYTES, SECTOR_BYTES, at + i * SECTOR_BYTES);
      }
    }
    this.flush();
    return became;
  }

  close(): void {
    closeSync(this.#file);
  }
}
