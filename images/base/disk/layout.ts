/** Where on the disk what lies, by the names that everybody finds it by. */
import { fixedGuid } from "./ids.ts";

export const MEBIBYTE = 1 << 20;
export const SECTOR_BYTES = 512;

export interface Partition {
  readonly name: string;
  /** As sgdisk names it. */
  readonly type: "EF02" | "EF00" | "8300";
  readonly mebibytes: number;
}

/** In the order of their numbers, which the loader counts on. */
export const PARTITIONS: readonly Partition[] = [
  { name: "bios", type: "EF02", mebibytes: 1 },
  { name: "esp", type: "EF00", mebibytes: 64 },
  { name: "bs0", type: "8300", mebibytes: 1 },
  { name: "bs1", type: "8300", mebibytes: 1 },
  { name: "boot-a", type: "8300", mebibytes: 128 },
  { name: "boot-b", type: "8300", mebibytes: 128 },
  { name: "root-a", type: "8300", mebibytes: 768 },
  { name: "root-b", type: "8300", mebibytes: 768 },
  // Grows to the end of the disk at the first start.
  { name: "data", type: "8300", mebibytes: 512 },
];

const START_MEBIBYTES = 1;
/** The second partition table. */
const END_MEBIBYTES = 1;

export const DISK_BYTES =
  (START_MEBIBYTES + END_MEBIBYTES + PARTITIONS.reduce((sum, { mebibytes }) => sum + mebibytes, 0)) * MEBIBYTE;

export interface Placed extends Partition {
  readonly number: number;
  readonly startBytes: number;
  readonly bytes: number;
  readonly guid: string;
}

export function placed(): readonly Placed[] {
  let start = START_MEBIBYTES;
  return PARTITIONS.map((partition, i) => {
    const startBytes = start * MEBIBYTE;
    start += partition.mebibytes;
    const guid = fixedGuid(`partition ${partition.name}`);
    return { ...partition, number: i + 1, startBytes, bytes: partition.mebibytes * MEBIBYTE, guid };
  });
}

export function partitionNamed(name: string): Placed {
  const found = placed().find((one) => one.name === name);
  if (found === undefined) throw new Error(`no partition is called ${name}`);
  return found;
}

/** A disk whose ESP has it was never started. */
export const FACTORY_ID = fixedGuid("partition esp");
