/** The two partitions that hold the boot state, and where on them it lies. */
import { readFileSync } from "node:fs";
import { defaultBootState, encodeBootStateFile } from "@futago/firmware/update/boot-state.ts";
import { makeFat } from "./files.ts";
import { partitionNamed, SECTOR_BYTES } from "./layout.ts";

export interface BootStateImages {
  readonly bs0: string;
  readonly bs1: string;
  /** Of the partition, where the state's one sector is. */
  readonly sector: number;
}

export function makeBootState(work: string, time: number): BootStateImages {
  const bytes = encodeBootStateFile(defaultBootState);
  const [bs0 = "", bs1 = ""] = ["bs0", "bs1"].map((name) => {
    const file = `${work}/${name}.img`;
    const { mebibytes } = partitionNamed(name);
    makeFat({ file, label: name.toUpperCase(), bits: 12, mebibytes, time, contents: { "futago.env": { bytes } } });
    return file;
  });
  const [at, other] = [bs0, bs1].map((file) => readFileSync(file).indexOf(bytes));
  if (at === undefined || at <= 0 || at % SECTOR_BYTES !== 0 || at !== other)
    throw new Error("the boot state is not in one piece");
  return { bs0, bs1, sector: at / SECTOR_BYTES };
}
