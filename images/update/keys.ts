/** Which keys an image is built with: a directory that FUTAGO_UPDATE_KEYS names, or test keys beside what is built. */
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { RAUC_KEYRING } from "./bundle.ts";
import { keyringOf, makeTestKeys, signerOf } from "./authorities.ts";

export function updateKeys(build: string): string {
  const given = process.env["FUTAGO_UPDATE_KEYS"];
  if (given === undefined || given === "") {
    const directory = join(build, "keys");
    makeTestKeys(directory);
    return directory;
  }
  const { key, certificate } = signerOf(given);
  const missing = [keyringOf(given), key, certificate].filter((path) => !existsSync(path));
  if (missing.length === 0) return given;
  throw new Error(`FUTAGO_UPDATE_KEYS: ${missing.join(", ")} missing; docs/updating.md says what is in that directory`);
}

/** What the box will trust. */
export function placeKeyring(tree: string, keys: string): void {
  mkdirSync(join(tree, RAUC_KEYRING, ".."), { recursive: true });
  copyFileSync(keyringOf(keys), join(tree, RAUC_KEYRING));
}
