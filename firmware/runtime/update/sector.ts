/** One sector of a disk, read and written past the page cache: what comes back is what the disk holds. */
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { SECTOR_BYTES } from "../../update/boot-state.ts";

/** More than any disk or bus asks of the memory's alignment. */
const ALIGNMENT_BYTES = 4_096;
/** Node's own allocator aligns to as much. */
const ALIGNMENT_STEP_BYTES = 8;

export class SectorFile {
  readonly #fd: number;
  readonly #memory = Buffer.allocUnsafeSlow(2 * ALIGNMENT_BYTES);
  /** Where in the memory the kernel takes a sector. */
  readonly #start: number;

  /** A block device, or a file in its place. Throws what the system says. */
  constructor(path: string, mode: "read" | "write") {
    const flags = mode === "read" ? constants.O_RDONLY : constants.O_RDWR | constants.O_SYNC;
    this.#fd = openDirect(path, flags);
    try {
      this.#start = this.#findStart();
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** The sector at this offset in bytes; shorter where the device ends. */
  read(at: number): Uint8Array {
    const bytes = readSync(this.#fd, this.#memory, this.#start, SECTOR_BYTES, at);
    return Uint8Array.from(this.#memory.subarray(this.#start, this.#start + bytes));
  }

  /** On the disk when it returns. */
  write(at: number, sector: Uint8Array): void {
    this.#memory.set(sector, this.#start);
    const bytes = writeSync(this.#fd, this.#memory, this.#start, SECTOR_BYTES, at);
    if (bytes !== SECTOR_BYTES) throw new Error(`the disk took ${bytes} bytes of a sector`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** JavaScript cannot ask for an address, but the kernel says which ones it does not take. */
  #findStart(): number {
    for (let start = 0; ; start += ALIGNMENT_STEP_BYTES) {
      try {
        readSync(this.#fd, this.#memory, start, SECTOR_BYTES, 0);
        return start;
      } catch (error) {
        const isLast = start + ALIGNMENT_STEP_BYTES > ALIGNMENT_BYTES;
        if (isLast || (error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
      }
    }
  }
}

/** File systems in memory know no direct access, and have no cache that could lie. */
function openDirect(path: string, flags: number): number {
  try {
    return openSync(path, flags | constants.O_DIRECT);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
    return openSync(path, flags);
  }
}
