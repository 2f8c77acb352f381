/** The disk: a partition table with fixed GUIDs and what goes into each partition. No loop device, no mount, no root. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { fixedGuid } from "./ids.ts";
import { DISK_BYTES, placed, SECTOR_BYTES } from "./layout.ts";
import type { BiosBoot } from "./loader.ts";

export interface DiskPlan {
  /** What is made. */
  readonly file: string;
  /** What lies in a partition, by its name. */
  readonly contents: Readonly<Record<string, string>>;
  /** For a PC. */
  readonly bios: BiosBoot | undefined;
}

export function makeDisk({ file, contents, bios }: DiskPlan): void {
  const fresh = `${file}.part`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, "");
  truncateSync(fresh, DISK_BYTES);
  const partitions = placed();
  const table = partitions.flatMap(({ number, name, type, startBytes, bytes, guid }) => {
    const first = startBytes / SECTOR_BYTES;
    const last = first + bytes / SECTOR_BYTES - 1;
    return [
      `--new=${number}:${first}:${last}`,
      `--typecode=${number}:${type}`,
      `--change-name=${number}:${name}`,
      `--partition-guid=${number}:${guid}`,
    ];
  });
  // With -q it would do nothing and say nothing.
  execFileSync("sgdisk", ["--clear", `--disk-guid=${fixedGuid("disk")}`, ...table, fresh], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const { name, startBytes, bytes } of partitions) {
    const from = contents[name];
    if (from === undefined) continue;
    const { size } = statSync(from);
    if (size > bytes) throw new Error(`${from} has ${size} bytes, and ${name} takes ${bytes}`);
    // Sparse stays sparse.
    const seek = ["oflag=seek_bytes", `seek=${startBytes}`, "conv=notrunc,sparse", "bs=1M", "status=none"];
    execFileSync("dd", [`if=${from}`, `of=${fresh}`, ...seek], { stdio: ["ignore", "ignore", "inherit"] });
  }
  if (bios !== undefined) placeBios(fresh, bios, partitions[0]?.startBytes ?? 0);
  execFileSync("mv", [fresh, file]);
}

function placeBios(file: string, { bootSector, core }: BiosBoot, startBytes: number): void {
  const disk = openSync(file, "r+");
  writeSync(disk, bootSector, 0, bootSector.length, 0);
  writeSync(disk, core, 0, core.length, startBytes);
  closeSync(disk);
}
