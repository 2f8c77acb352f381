/** The same commit, lock and keys make the same image in whatever folder: what is compiled does not tell of the one it lay in. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const HERE = fileURLToPath(new URL("../..", import.meta.url));
const COMPILED = join(HERE, "hal/build");

it.each(readdirSync(COMPILED))("hal/build/%s holds no path of this folder", (name) => {
  expect(readFileSync(join(COMPILED, name)).includes(HERE)).toBe(false);
});
