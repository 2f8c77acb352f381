/** The tree of a box: Debian's packages of the lock, our files, our software. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import type { LockedPackage, PackageStore } from "../debian/lock.ts";
import { step } from "../progress.ts";
import { type Compiled, type ImageFacts, placeRuntime } from "../runtime/place.ts";
import { finishPackages, overlay } from "./finish.ts";
import { trimModules } from "./modules.ts";
import { run, unpackAll } from "./unpack.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

export interface TreePlan {
  /** Of this architecture, below images/build. */
  readonly work: string;
  readonly packages: readonly LockedPackage[];
  readonly store: PackageStore;
  readonly facts: ImageFacts;
  readonly compiled: Compiled;
}

export interface Tree {
  readonly path: string;
  /** Holds the kernel (vmlinuz-RELEASE), which is not part of the root. */
  readonly boot: string;
  readonly npmPackages: readonly string[];
}

/** The packages' part is kept, and made anew when the lock or the way it is unpacked has changed. */
export async function buildTree(plan: TreePlan): Promise<Tree> {
  const debian = await debianPart(plan);
  const path = `${plan.work}/tree`;
  rmSync(path, { recursive: true, force: true });
  await run("cp", ["-a", "--reflink=auto", `${debian}/root`, path]);
  step("tree: files and software");
  overlay(path);
  const npmPackages = await placeRuntime(path, plan.facts, plan.compiled);
  // The clock of a box without a battery starts here, not in 1970.
  writeFileSync(`${path}/usr/lib/clock-epoch`, "");
  utimesSync(`${path}/usr/lib/clock-epoch`, plan.facts.time, plan.facts.time);
  return { path, boot: `${debian}/boot`, npmPackages };
}

async function debianPart({ work, packages, store }: TreePlan): Promise<string> {
  const key = keyOf(packages);
  const made = `${work}/debian-${key}`;
  if (existsSync(made)) return made;
  step(`tree: unpacking ${packages.length} packages`);
  mkdirSync(work, { recursive: true });
  for (const name of readdirSync(work)) if (name.startsWith("debian-")) rmSync(`${work}/${name}`, { recursive: true });
  const fresh = `${work}/debian-fresh`;
  const root = `${fresh}/root`;
  // Its links (/bin to /usr/bin) must be there before anything is put through them.
  const ordered = packages.toSorted((a, b) => Number(b.name === "base-files") - Number(a.name === "base-files"));
  await unpackAll(
    ordered.map((one) => store.verified(one)),
    root,
  );
  step("tree: modules");
  const { release, kept, all } = await trimModules(root);
  step(`tree: Linux ${release}, ${kept} of ${all} modules`);
  finishPackages(root);
  renameSync(`${root}/boot`, `${fresh}/boot`);
  renameSync(fresh, made);
  return made;
}

/** Whatever decides about the packages' part. */
function keyOf(packages: readonly LockedPackage[]): string {
  const hash = createHash("sha256");
  for (const { name, sha256 } of packages) hash.update(`${name} ${sha256}\n`);
  for (const source of ["unpack.ts", "modules.ts", "finish.ts"]) hash.update(readFileSync(HERE + source));
  return hash.digest("hex").slice(0, 16);
}
