/**
 * Builds an image: `node images/main.ts amd64|arm64 [--refresh]`, called by `./build.sh image`. What it makes lies in
 * images/build; what is expensive to make is kept there by what it was made from.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { PackageStore, readLock } from "./base/debian/lock.ts";
import { ARCHITECTURES } from "./base/debian/wanted.ts";
import { buildImage } from "./base/image.ts";
import { step } from "./base/progress.ts";

const BUILD = fileURLToPath(new URL("build", import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { refresh: { type: "boolean" }, level: { type: "string", default: "3" } },
});
const architecture = ARCHITECTURES.find((one) => one === positionals[0]);
if (architecture === undefined || positionals.length !== 1) {
  throw new Error("usage: main.ts amd64|arm64 [--refresh] [--level ZSTD-LEVEL]");
}
process.umask(0o022);
const store = new PackageStore(BUILD, architecture);
if (values.refresh === true) {
  step("packages: the newest of everything");
  store.refresh();
}
const locked = readLock(architecture);
const fetched = store.complete(locked);
step(`packages: ${locked.length}, ${fetched} of them fetched now`);
await buildImage({ build: BUILD, architecture, locked, store, level: Number(values.level) });
