/**
 * Builds an image: `node images/main.ts amd64|arm64 [--refresh]`, called by `./build.sh image`. What it makes lies in
 * images/build; what is expensive to make is kept there by what it was made from.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { PackageStore, readLock } from "./base/debian/lock.ts";
import { ARCHITECTURES } from "./base/debian/wanted.ts";
import { factsOf } from "./base/facts.ts";
import { step } from "./base/progress.ts";
import { REPOSITORY } from "./base/runtime/bundle.ts";
import { buildTree } from "./base/tree/build.ts";

const BUILD = fileURLToPath(new URL("build", import.meta.url));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { refresh: { type: "boolean" } } });
const architecture = ARCHITECTURES.find((one) => one === positionals[0]);
if (architecture === undefined || positionals.length !== 1) throw new Error("usage: main.ts amd64|arm64 [--refresh]");
const store = new PackageStore(BUILD, architecture);
if (values.refresh === true) {
  step("packages: the newest of everything");
  store.refresh();
}
const locked = readLock(architecture);
const fetched = store.complete(locked);
step(`packages: ${locked.length}, ${fetched} of them fetched now`);
const facts = factsOf(architecture);
const work = `${BUILD}/${architecture}`;
const packages = locked.filter(({ purpose }) => purpose === "tree");
const compiled = { directory: `${REPOSITORY}hal/build`, strip: "strip" };
const tree = await buildTree({ work, packages, store, facts, compiled });
step(`tree: ${tree.path}`);
