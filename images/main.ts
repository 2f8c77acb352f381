/**
 * Builds an image: `node images/main.ts amd64|arm64 [--refresh]`, called by `./build.sh image`. What it makes lies in
 * images/build; what is expensive to make is kept there by what it was made from.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { type LockedPackage, PackageStore, readLock, StaleLock } from "./base/debian/lock.ts";
import { ARCHITECTURES } from "./base/debian/wanted.ts";
import { buildImage } from "./base/image.ts";
import { step } from "./base/progress.ts";

const BUILD = fileURLToPath(new URL("build", import.meta.url));

const USAGE = "usage: ./build.sh image amd64|arm64 [--refresh | --newest-if-stale] [--level ZSTD-LEVEL]";

const { values, architecture } = readArguments();
process.umask(0o022);
const store = new PackageStore(BUILD, architecture);
if (values.refresh === true) {
  step("packages: the newest of everything");
  store.refresh();
}
const locked = gathered(readLock(architecture));
await buildImage({ build: BUILD, architecture, locked, store, level: Number(values.level) });

/** Fetched. A test wants an image on any day; only then are packages taken that the lock does not name. */
function gathered(wanted: readonly LockedPackage[]): readonly LockedPackage[] {
  try {
    const fetched = store.complete(wanted);
    step(`packages: ${wanted.length}, ${fetched} of them fetched now`);
    return wanted;
  } catch (error) {
    if (!(error instanceof StaleLock)) throw error;
    if (values["newest-if-stale"] !== true) {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    }
    step(`${error.message}\nthis image is made of the newest, and the lock is left as it is`);
    return gathered(store.newest());
  }
}

/** Ends the program with what is wrong and how it is written. */
function readArguments() {
  try {
    const given = parseArgs({
      allowPositionals: true,
      options: {
        refresh: { type: "boolean" },
        "newest-if-stale": { type: "boolean" },
        level: { type: "string", default: "3" },
      },
    });
    const found = ARCHITECTURES.find((one) => one === given.positionals[0]);
    if (found === undefined || given.positionals.length !== 1) throw new Error("an image is for amd64 or for arm64");
    return { values: given.values, architecture: found };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    return process.exit(2);
  }
}
