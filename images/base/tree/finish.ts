/** What the packages' own scripts would have done on a machine, and what is taken away that nobody on a box reads. */
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";

const OVERLAY = fileURLToPath(new URL("../files", import.meta.url));

/** Of busybox, where no package of its own brings the program. */
const APPLETS =
  "arping ash awk bunzip2 bzip2 clear cmp cpio diff dc ed egrep fgrep find free fuser grep gunzip gzip hexdump hostname " +
  "killall less logger lsof lspci lsusb microcom more nc nslookup patch pgrep ping ping6 pkill ps pstree reset resize " +
  "sed strings tar time top traceroute traceroute6 tree uptime usleep vi watch which xargs xxd xz unxz xzcat zcat";

/**
 * Of systemd: what looks for partitions by itself, listens where nobody asked it to, or keeps caches below /usr and /etc that
 * are read-only here. Below usr/lib/systemd.
 */
const SYSTEMD_LEFT_OUT = [
  ..."gpt-auto hibernate-resume ssh tpm2".split(" ").map((name) => `system-generators/systemd-${name}-generator`),
  ...(
    "ldconfig systemd-binfmt systemd-firstboot systemd-hibernate-clear systemd-hwdb-update systemd-journal-catalog-update " +
    "systemd-machine-id-commit systemd-pcrmachine systemd-pcrphase systemd-pcrphase-sysinit systemd-sysusers " +
    "systemd-tpm2-setup systemd-tpm2-setup-early systemd-update-done"
  )
    .split(" ")
    .map((name) => `system/sysinit.target.wants/${name}.service`),
  "system/sysinit.target.wants/proc-sys-fs-binfmt_misc.automount",
];

/** Directories that are mounted over, and the one that a box keeps its things in. */
const MOUNT_POINTS = ["data", "dev", "proc", "run", "sys", "tmp", "var"];
const SHADOW_GROUP = 42;

/** Of packages: the same for every version of our software. */
export function finishPackages(tree: string): void {
  for (const name of readdirSync(`${tree}/usr/share/doc`)) {
    const directory = `${tree}/usr/share/doc/${name}`;
    for (const entry of readdirSync(directory))
      if (entry !== "copyright") rmSync(`${directory}/${entry}`, { recursive: true });
  }
  for (const point of MOUNT_POINTS) {
    rmSync(`${tree}/${point}`, { recursive: true, force: true });
    mkdirSync(`${tree}/${point}`);
  }
  rmSync(`${tree}/usr/share/base-passwd`, { recursive: true });
  for (const path of SYSTEMD_LEFT_OUT) rmSync(`${tree}/usr/lib/systemd/${path}`, { force: true });
  authorities(tree);
  for (const applet of APPLETS.split(" ")) {
    if (["bin", "sbin"].some((place) => existsSync(`${tree}/usr/${place}/${applet}`))) continue;
    symlinkSync("busybox", `${tree}/usr/bin/${applet}`);
  }
}

/** What update-ca-certificates does, in one file. */
function authorities(tree: string): void {
  const source = `${tree}/usr/share/ca-certificates/mozilla`;
  const texts = readdirSync(source)
    .toSorted()
    .map((name) => readFileSync(`${source}/${name}`, "utf8").trim());
  writeFileSync(`${tree}/etc/ssl/certs/ca-certificates.crt`, `${texts.join("\n")}\n`);
  rmSync(`${tree}/usr/share/ca-certificates`, { recursive: true });
}

/** Lays `files/` over the tree. Git keeps no more of a mode than whether a file is a program. */
export function overlay(tree: string): void {
  cpSync(OVERLAY, tree, { recursive: true, verbatimSymlinks: true, force: true });
  own(OVERLAY, tree);
  chmodSync(`${tree}/etc/shadow`, 0o640);
  chownSync(`${tree}/etc/shadow`, 0, SHADOW_GROUP);
  chmodSync(`${tree}/tmp`, 0o1777);
}

function own(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const target = `${to}/${entry.name}`;
    if (entry.isSymbolicLink()) continue;
    chownSync(target, 0, 0);
    if (entry.isDirectory()) own(`${from}/${entry.name}`, target);
    else chmodSync(target, isProgram(`${from}/${entry.name}`) ? 0o755 : 0o644);
  }
}

function isProgram(path: string): boolean {
  return readFileSync(path).subarray(0, 2).toString("latin1") === "#!";
}
