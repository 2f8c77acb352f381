/** The boot state on the disk: both copies read, and written one after the other, each as one sector and read back. */
import { closeSync, openSync, readSync } from "node:fs";
import {
  BOOT_STATE_FILE_BYTES,
  BOOT_STATE_FILE_NAME,
  type BootState,
  type ChosenBootState,
  chooseBootState,
  encodeBootState,
} from "../../update/boot-state.ts";
import { type Fat12Reason, findFile } from "../../update/fat12.ts";
import { fileTrouble } from "../files.ts";
import type { BootDisk } from "./boot-disk.ts";
import { SectorFile } from "./sector.ts";

/** A partition of a boot-state copy is a mebibyte. */
const VOLUME_BYTES_MAX = 1_048_576;

export interface BootStateStore {
  read(): ChosenBootState;
  /** Throws BootStateError when neither copy holds it afterwards; says which copy could not be written otherwise. */
  write(state: BootState): readonly CopyTrouble[];
}

export interface CopyTrouble {
  readonly copy: "bs0" | "bs1";
  readonly cause: string;
}

export class BootStateError extends Error {
  override readonly name = "BootStateError";
}

const REASONS: Readonly<Record<Fat12Reason, string>> = {
  notFat12: "it holds no FAT12 file system",
  noSuchFile: `it holds no ${BOOT_STATE_FILE_NAME}`,
  wrongLength: `its ${BOOT_STATE_FILE_NAME} has not ${BOOT_STATE_FILE_BYTES} bytes`,
  inPieces: `its ${BOOT_STATE_FILE_NAME} does not lie in one piece`,
};

const COPIES = ["bs0", "bs1"] as const;

export function openBootState({ partitions }: BootDisk): BootStateStore {
  const path = (copy: "bs0" | "bs1") => partitions.get(copy) ?? `(no partition ${copy})`;
  return {
    read: () => {
      const [bs0, bs1] = COPIES.map((copy) => readCopy(path(copy)));
      return chooseBootState([bs0, bs1]);
    },
    write: (state) => {
      const sector = encodeBootState(state);
      // One after the other: at every moment one of them is whole.
      const troubles = COPIES.flatMap((copy): CopyTrouble[] => {
        const cause = causeOf(() => writeCopy(path(copy), sector));
        return cause === undefined ? [] : [{ copy, cause }];
      });
      if (troubles.length === COPIES.length)
        throw new BootStateError(troubles.map(({ copy, cause }) => `${copy}: ${cause}`).join("; "));
      return troubles;
    },
  };
}

/** Undefined where the partition, its file system or its file cannot be read. */
function readCopy(path: string): Uint8Array | undefined {
  let sector: Uint8Array | undefined;
  causeOf(() => {
    const at = placeOf(path);
    sector = withFile(path, "read", (file) => file.read(at));
  });
  return sector;
}

function writeCopy(path: string, sector: Uint8Array): void {
  const at = placeOf(path);
  withFile(path, "write", (file) => {
    file.write(at, sector);
    const held = file.read(at);
    if (!sector.every((byte, i) => byte === held[i])) throw new BootStateError("it reads back otherwise");
  });
}

function withFile<T>(path: string, mode: "read" | "write", use: (file: SectorFile) => T): T {
  const file = new SectorFile(path, mode);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

/** Nobody ever writes what tells it, so that the page cache will do. */
function placeOf(path: string): number {
  const volume = Buffer.alloc(VOLUME_BYTES_MAX);
  const fd = openSync(path, "r");
  try {
    const length = readSync(fd, volume, 0, VOLUME_BYTES_MAX, 0);
    const found = findFile(volume.subarray(0, length), BOOT_STATE_FILE_NAME, BOOT_STATE_FILE_BYTES);
    if (!found.ok) throw new BootStateError(REASONS[found.reason]);
    return found.value;
  } finally {
    closeSync(fd);
  }
}

/** What the machine or the format refused, in words; anything else is our own fault and goes on. */
function causeOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof BootStateError) return error.message;
    if ((error as NodeJS.ErrnoException).code !== undefined) return fileTrouble(error);
    throw error;
  }
}
