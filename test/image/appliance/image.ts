/** The image that `./build.sh image amd64` or `arm64` made. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Architecture } from "./machine.ts";

export function imageFile(architecture: Architecture = "amd64"): string {
  const file = imagePath(architecture);
  if (!existsSync(file)) throw new Error(`${file} is missing: ./build.sh image ${architecture} makes it`);
  return file;
}

/** Where it is when it was made. */
export function imagePath(architecture: Architecture): string {
  return fileURLToPath(new URL(`../../../images/build/futago-${architecture}.img`, import.meta.url));
}
