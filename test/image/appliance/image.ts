/** The image that `./build.sh image amd64` made. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export function imageFile(): string {
  const file = fileURLToPath(new URL("../../../images/build/futago-amd64.img", import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} is missing: ./build.sh image amd64 makes it`);
  return file;
}
