/** From the lock to the disk, step by step. */
import { createReadStream, readdirSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { billOfMaterials } from "./bill.ts";
import { makeBootState } from "./disk/boot-state.ts";
import { makeDisk } from "./disk/disk.ts";
import { FACTORY_ID } from "./disk/layout.ts";
import { makeBiosBoot, makeEsp, unpackLoader } from "./disk/loader.ts";
import { makeBoot, sealRoot } from "./disk/slot.ts";
import type { LockedPackage, PackageStore } from "./debian/lock.ts";
import type { Architecture } from "./debian/wanted.ts";
import { factsOf } from "./facts.ts";
import { buildInitrd } from "./initrd/build.ts";
import { mebibytes, step } from "./progress.ts";
import { compile } from "./runtime/compile.ts";
import { signerOf } from "../update/authorities.ts";
import { makeBundle } from "../update/bundle.ts";
import { placeKeyring, updateKeys } from "../update/keys.ts";
import { buildTree } from "./tree/build.ts";

export interface ImagePlan {
  readonly build: string;
  readonly architecture: Architecture;
  readonly locked: readonly LockedPackage[];
  readonly store: PackageStore;
  /** Of the root's zstd: 3 takes seconds, 15 minutes. */
  readonly level: number;
}

export async function buildImage({ build, architecture, locked, store, level }: ImagePlan): Promise<void> {
  const facts = factsOf(architecture);
  const { time } = facts;
  const work = `${build}/${architecture}`;
  const keys = updateKeys(build);
  const compiled = await compile({ work, architecture, locked, store });
  const packages = locked.filter(({ purpose }) => purpose === "tree");
  const tree = await buildTree({ work, packages, store, facts, compiled });
  const bootState = makeBootState(work, time);
  placeKeyring(tree.path, keys);
  step("initrd");
  const names = { FACTORY_ID, STATE_SECTOR: String(bootState.sector) };
  const initrd = await buildInitrd({
    tree: tree.path,
    work,
    time,
    names,
    packed: { bs0: bootState.bs0, bs1: bootState.bs1 },
  });
  step("root: squashfs and hash tree");
  const root = await sealRoot(tree.path, work, time, level);
  step("disk");
  const kernel = kernelIn(tree.boot);
  const plan = { work, facts, kernel, initrd };
  const boot = makeBoot(plan, root);
  const loader = await unpackLoader({ work, architecture, tree: tree.path, packages: locked, store });
  const esp = makeEsp(plan, loader);
  const bios = architecture === "amd64" ? makeBiosBoot({ loader, tree: tree.path, work }) : undefined;
  const file = `${build}/futago-${architecture}.img`;
  makeDisk({
    file,
    bios,
    contents: {
      esp,
      bs0: bootState.bs0,
      bs1: bootState.bs1,
      "boot-a": boot,
      "boot-b": boot,
      "root-a": root.file,
      "root-b": root.file,
    },
  });
  const bill = `${build}/futago-${architecture}.spdx.json`;
  writeFileSync(bill, billOfMaterials({ facts, locked, npmPackages: tree.npmPackages, tree: tree.path, loader }));
  step("bundle");
  const bundle = `${build}/futago-${architecture}.raucb`;
  makeBundle({ architecture, version: facts.version, time, boot, root: root.file }, signerOf(keys), bundle);
  const hash = await writeHash(file);
  await writeHash(bundle);
  await writeHash(bill);
  const size = (path: string) => mebibytes(statSync(path).size);
  step(
    `root ${mebibytes(root.squashfsBytes)} (${size(root.file)} with hashes), kernel ${size(kernel)}, initrd ${size(initrd)}`,
  );
  step(`${file}: ${size(file)}, of which written ${mebibytes(statSync(file).blocks * 512)}`);
  step(`${bundle}: ${size(bundle)}`);
  step(`sha256 ${hash}`);
}

function kernelIn(directory: string): string {
  const [name] = readdirSync(directory).filter((entry) => entry.startsWith("vmlinuz-"));
  if (name === undefined) throw new Error(`no kernel in ${directory}`);
  return `${directory}/${name}`;
}

/** Beside the file, as sha256sum -c reads it. */
async function writeHash(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  const found = hash.digest("hex");
  writeFileSync(`${file}.sha256`, `${found}  ${basename(file)}\n`);
  return found;
}
