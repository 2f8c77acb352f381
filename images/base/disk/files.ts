/** FAT file systems as files, without a mount: the same bytes for the same contents. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { MEBIBYTE } from "./layout.ts";
import { fixedVolume } from "./ids.ts";

export interface FatPlan {
  readonly file: string;
  /** At most eleven capital letters. */
  readonly label: string;
  readonly bits: 12 | 16 | 32;
  readonly mebibytes: number;
  readonly time: number;
  /** Path inside it, and what lies there: a file, or text. */
  readonly contents: Readonly<Record<string, { readonly from: string } | { readonly bytes: Uint8Array }>>;
}

/** Directories' own times are mtools' present; the environment makes that one fixed. */
export function makeFat({ file, label, bits, mebibytes, time, contents }: FatPlan): void {
  rmSync(file, { force: true });
  writeFileSync(file, "");
  truncateSync(file, mebibytes * MEBIBYTE);
  const stdio = { stdio: ["ignore", "ignore", "inherit"] as const };
  const name = ["-n", label, "-i", fixedVolume(label), "--invariant"];
  execFileSync("mkfs.vfat", ["-F", String(bits), ...name, file], { stdio: [...stdio.stdio] });
  const env = { ...process.env, TZ: "UTC", MTOOLS_SKIP_CHECK: "1", SOURCE_DATE_EPOCH: String(time) };
  const scratch = `${file}.part`;
  const made = new Set<string>();
  for (const [path, what] of Object.entries(contents)) {
    for (const directory of parents(path)) {
      if (made.has(directory)) continue;
      made.add(directory);
      execFileSync("mmd", ["-i", file, `::${directory}`], { stdio: [...stdio.stdio], env });
    }
    mkdirSync(dirname(scratch), { recursive: true });
    if ("from" in what) execFileSync("cp", [what.from, scratch]);
    else writeFileSync(scratch, what.bytes);
    utimesSync(scratch, time, time);
    execFileSync("mcopy", ["-m", "-i", file, scratch, `::${path}`], { stdio: [...stdio.stdio], env });
  }
  rmSync(scratch, { force: true });
}

/** Of "a/b/c": "a", "a/b". */
function parents(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}
