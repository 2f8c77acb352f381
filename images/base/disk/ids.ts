/** The GUIDs and serial numbers that every disk of ours is born with. A box gives its own disk new ones. */
import { createHash } from "node:crypto";

/** The same for the same name, always. */
export function fixedGuid(name: string): string {
  const hex = createHash("sha256").update(`futago ${name}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

/** Of a FAT file system, as mkfs.vfat takes it. */
export function fixedVolume(name: string): string {
  return fixedGuid(name).slice(0, 8);
}
