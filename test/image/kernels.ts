/**
 * Debian's kernels for the guests: the package of a suite, fetched by an apt of our own (its lists and its cache lie in
 * `build`), held against the hash in the signed index, and as much of it unpacked as a guest needs.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Package, PrivateApt } from "@futago/images/base/debian/apt.ts";

export const BUILD = fileURLToPath(new URL("build", import.meta.url));
/** Of the modules; a guest has no hardware but what QEMU gives it. */
const WANTED =
  `arch crypto drivers/block drivers/char drivers/input drivers/leds drivers/net drivers/virtio drivers/watchdog
  fs lib net`.split(/\s+/);
const UNWANTED = ["drivers/net/ethernet", "drivers/net/wireless", "drivers/net/usb", "drivers/net/can"];

export const SUITES = ["bookworm", "trixie"] as const;
export type Suite = (typeof SUITES)[number];

export interface Kernel {
  readonly suite: Suite;
  /** As `uname -r` says it. */
  readonly release: string;
  readonly image: string;
  /** The directory that /lib/modules is to be. */
  readonly modules: string;
  /** Holds lib/modules, for modprobe's --dirname. */
  readonly root: string;
}

/** The newest kernel of a suite, ready to boot. Fetches what is missing. */
export function kernelOf(suite: Suite): Kernel {
  const apt = new PrivateApt({ directory: `${BUILD}/${suite}/apt`, suites: [suite], architecture: "amd64" });
  const wanted = newestKernel(apt);
  const root = `${BUILD}/${suite}/${wanted.sha256.slice(0, 16)}`;
  const stamp = `${root}/complete`;
  const whole = `${wanted.name} ${wanted.version} ${wanted.sha256} ${WANTED.join(" ")}\n`;
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== whole) {
    for (const old of readdirSync(`${BUILD}/${suite}`))
      if (/^[0-9a-f]{16}$/.test(old)) rmSync(`${BUILD}/${suite}/${old}`, { recursive: true });
    mkdirSync(root);
    apt.fetch([wanted], root);
    unpack(`${root}/${wanted.sha256}.deb`, root);
    writeFileSync(stamp, whole);
  }
  const modules = `${root}/lib/modules`;
  const [release] = readdirSync(modules);
  if (release === undefined) throw new Error(`${wanted.name} has no modules`);
  return { suite, release, image: `${root}/boot/vmlinuz-${release}`, modules, root };
}

function newestKernel(apt: PrivateApt): Package {
  try {
    apt.update();
  } catch (error) {
    // Without a network, the lists of the last run tell what the last run fetched.
    process.stderr.write(`${(error as Error).message}; going on with the lists that are here\n`);
  }
  const depends = apt.run("apt-cache", "depends", "linux-image-amd64");
  const name = /Depends: (linux-image-\d\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`linux-image-amd64 names no kernel: ${depends}`);
  const [newest] = apt.newest([name]);
  if (newest === undefined) throw new Error(`the index has no ${name}`);
  return newest;
}

function unpack(file: string, root: string): void {
  const parts = WANTED.map((part) => `'*/modules/*/kernel/${part}/*'`);
  const not = UNWANTED.map((part) => `--exclude='*/kernel/${part}/*'`);
  const command = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards ${not.join(" ")} \
    './boot/vmlinuz-*' '*/modules/*/modules.*' ${parts.join(" ")}`;
  execFileSync("bash", ["-o", "pipefail", "-c", command, "bash", file, root]);
  rmSync(file);
  // Since Debian 13 the modules lie in /usr alone.
  if (!existsSync(`${root}/lib/modules`)) {
    mkdirSync(`${root}/lib`);
    execFileSync("mv", [`${root}/usr/lib/modules`, `${root}/lib/modules`]);
  }
  for (const release of readdirSync(`${root}/lib/modules`)) execFileSync("depmod", ["-b", root, release]);
}
