/** The first file system of a box: busybox, a few programs of the tree with their libraries, and the modules of disks. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { output, run } from "../tree/unpack.ts";
import { cpio } from "./cpio.ts";
import { MODULES, WATCHDOGS } from "./modules.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PROGRAMS = [
  "usr/sbin/dmsetup",
  "usr/sbin/e2fsck",
  "usr/sbin/mke2fs",
  "usr/sbin/resize2fs",
  "usr/sbin/sfdisk",
  "usr/bin/partx",
];
const SCRIPTS = ["init", "library", "rescue"];
const DIRECTORIES = ["bin", "dev", "proc", "run", "sys", "newroot", "mnt", "etc", "usr/lib"];

export interface InitrdPlan {
  readonly tree: string;
  readonly work: string;
  /** Seconds since 1970, of every file. */
  readonly time: number;
  /** What the scripts name as @NAME@. */
  readonly names: Readonly<Record<string, string>>;
  /** Files that are put into it compressed, by the names that they get there. */
  readonly packed: Readonly<Record<string, string>>;
}

/** Returns the path of the compressed archive. */
export async function buildInitrd({ tree, work, time, names, packed }: InitrdPlan): Promise<string> {
  const root = `${work}/initrd-root`;
  rmSync(root, { recursive: true, force: true });
  for (const name of DIRECTORIES) mkdirSync(`${root}/${name}`, { recursive: true });
  symlinkSync("bin", `${root}/sbin`);
  symlinkSync("usr/lib", `${root}/lib`);
  if (existsSync(`${tree}/usr/lib64`)) symlinkSync("usr/lib64", `${root}/lib64`);
  placeBusybox(tree, root);
  for (const program of PROGRAMS) placeProgram(tree, root, program);
  cpSync(`${tree}/etc/mke2fs.conf`, `${root}/etc/mke2fs.conf`);
  await placeModules(tree, root);
  for (const name of SCRIPTS) {
    const text = readFileSync(`${HERE}${name}.sh`, "utf8").replaceAll(/@([A-Z_]+)@/g, (_, key: string) => {
      const value = names[key];
      if (value === undefined) throw new Error(`${name} wants @${key}@`);
      return value;
    });
    writeFileSync(`${root}/${name}`, text, { mode: 0o755 });
  }
  for (const [name, file] of Object.entries(packed)) writeFileSync(`${root}/${name}.gz`, gzipSync(readFileSync(file)));
  writeFileSync(`${root}/watchdogs`, `${WATCHDOGS.join(" ")}\n`);
  writeFileSync(`${work}/initrd.cpio`, cpio(root, time));
  await run("zstd", ["-q", "-f", "-12", "--no-progress", `${work}/initrd.cpio`, "-o", `${work}/initrd`]);
  return `${work}/initrd`;
}

function placeBusybox(tree: string, root: string): void {
  cpSync(`${tree}/usr/bin/busybox`, `${root}/bin/busybox`);
  const used =
    "ash sh awk blockdev cat chmod clear cp cut dd df dmesg echo expr false find free grep head hexdump kill less ln ls lsmod " +
    "mkdir mknod mktemp modprobe more mount mv poweroff printf ps reboot reset rm rmdir sed seq setsid sha256sum sleep sort stty " +
    "switch_root sync tail tar test touch tr true tty umount uname uniq vi watchdog wc xargs zcat";
  for (const applet of used.split(" ")) symlinkSync("busybox", `${root}/bin/${applet}`);
}

/** With the libraries it names, and those that they name. */
function placeProgram(tree: string, root: string, program: string): void {
  copy(`${tree}/${program}`, `${root}/bin/${basename(program)}`);
  const waiting = [program];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const said = output("readelf", "-d", "-l", "-W", `${tree}/${path}`);
    const interpreter = /program interpreter: \/([^\]]+)\]/.exec(said)?.[1];
    const needed = Array.from(said.matchAll(/\(NEEDED\).*\[([^\]]+)\]/g), ([, name = ""]) => name);
    for (const wanted of [
      ...needed.map((name) => libraryOf(tree, name)),
      ...(interpreter === undefined ? [] : [interpreter]),
    ]) {
      const place = realpathSync(`${tree}/${dirname(wanted)}`).slice(realpathSync(tree).length + 1);
      if (existsSync(`${root}/${place}/${basename(wanted)}`)) continue;
      copy(`${tree}/${wanted}`, `${root}/${place}/${basename(wanted)}`);
      waiting.push(`${place}/${basename(wanted)}`);
    }
  }
}

function libraryOf(tree: string, name: string): string {
  const [triplet] = readdirSync(`${tree}/usr/lib`).filter((entry) => entry.endsWith("-linux-gnu"));
  const path = `usr/lib/${triplet}/${name}`;
  if (!existsSync(`${tree}/${path}`)) throw new Error(`the tree has no ${path}`);
  return path;
}

/** A link becomes the file it leads to. */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const file = lstatSync(from).isSymbolicLink() ? `${dirname(from)}/${readlinkSync(from)}` : from;
  cpSync(file, to, { dereference: true });
}

async function placeModules(tree: string, root: string): Promise<void> {
  const [release = ""] = readdirSync(`${tree}/usr/lib/modules`);
  const from = `${tree}/usr/lib/modules/${release}`;
  const to = `${root}/usr/lib/modules/${release}`;
  const lines = readFileSync(`${from}/modules.dep`, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const dependsOn = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const isWanted = (path: string) =>
    [...MODULES, ...WATCHDOGS].some((one) =>
      one.endsWith("/") ? path.startsWith(`kernel/${one}`) : nameOf(path) === one,
    );
  const wanted = [...dependsOn].filter(([path]) => isWanted(path));
  for (const path of new Set(
    wanted.flatMap(([one, needed]) => [one, ...needed.split(" ").filter((dep) => dep !== "")]),
  )) {
    mkdirSync(dirname(`${to}/${path}`), { recursive: true });
    cpSync(`${from}/${path}`, `${to}/${path}`);
  }
  for (const name of ["modules.order", "modules.builtin", "modules.builtin.modinfo"])
    cpSync(`${from}/${name}`, `${to}/${name}`);
  execFileSync("depmod", ["-b", `${root}/usr`, release]);
  for (const name of readdirSync(to))
    if (name.endsWith(".bin") || /^modules\.(builtin|order|devname|softdep|weakdep)/.test(name))
      rmSync(`${to}/${name}`);
}

function nameOf(path: string): string {
  return basename(path, ".ko").replaceAll("-", "_");
}
