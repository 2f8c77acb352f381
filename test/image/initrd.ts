/** The first file system of a guest: busybox, `init.sh`, and the modules that reach the host's files. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Kernel } from "./kernels.ts";

const BUSYBOX = "/bin/busybox";
const INIT = fileURLToPath(new URL("init.sh", import.meta.url));
const MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];
const DIRECTORIES = ["bin", "modules", "proc", "dev", "lower", "over", "newroot"];

const FILE = 0o100755;
const DIRECTORY = 0o040755;

/** Writes it and returns its path. */
export function makeInitrd(kernel: Kernel): string {
  const modules = modulesOf(kernel);
  const archive = Buffer.concat([
    ...DIRECTORIES.map((name) => entry(name, DIRECTORY, Buffer.alloc(0))),
    entry("bin/busybox", FILE, readFileSync(BUSYBOX)),
    entry("init", FILE, readFileSync(INIT)),
    ...modules.map(({ name, content }) => entry(`modules/${name}`, FILE, content)),
    entry("modules/order", FILE, Buffer.from(modules.map(({ name }) => `${name}\n`).join(""))),
    entry("TRAILER!!!", 0, Buffer.alloc(0)),
  ]);
  const path = `${kernel.root}/initrd`;
  writeFileSync(path, archive);
  return path;
}

/** In the order in which they load; without those that are built in. */
function modulesOf(kernel: Kernel): readonly { readonly name: string; readonly content: Buffer }[] {
  const paths = MODULES.flatMap((name) => {
    const options = ["-d", kernel.root, "-S", kernel.release, "--show-depends", name];
    const shown = execFileSync("modprobe", options, { encoding: "utf8" });
    return [...shown.matchAll(/^insmod (\S+)/gm)].map(([, path = ""]) => path);
  });
  return [...new Set(paths)].map((path) => {
    const isPacked = path.endsWith(".xz");
    const content = isPacked ? execFileSync("xz", ["-dc", path], { maxBuffer: 64 << 20 }) : readFileSync(path);
    return { name: basename(path, isPacked ? ".xz" : ""), content };
  });
}

/** A file of a cpio archive. Documentation/driver-api/early-userspace/buffer-format.rst */
function entry(name: string, mode: number, content: Buffer): Buffer {
  const numbers = [0, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
  const head = `070701${numbers.map((number) => number.toString(16).padStart(8, "0")).join("")}${name}\0`;
  return Buffer.concat([padded(Buffer.from(head, "latin1")), padded(content)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
