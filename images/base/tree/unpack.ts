/**
 * Debian's packages, unpacked over each other into a directory. No script of theirs is run: nothing here depends on the
 * machine's architecture or on dpkg, and what is in the tree is what the packages hold and `files/` adds.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";

/** What only a person at a desk would miss, and what only dpkg reads. */
const LEFT_OUT = [
  "./usr/share/{man,info,locale,lintian,bug,bash-completion,zsh,doc-base,perl5,initramfs-tools,reportbug,debconf}",
  "./usr/share/{apport,fish,gdb,pixmaps,menu,applications,polkit-1,vim,python3,readline,runit,icons,mkosi,metainfo}",
  "./usr/share/{gcc,mime,dict,libc-bin,util-linux,misc/magic*}",
  "./usr/lib/*-linux-gnu/{gconv,e2fsprogs,perl*,audit}",
  "./usr/lib/locale/[!C]*",
  "./usr/lib/systemd/catalog",
  "./usr/lib/{initcpio,kernel,dracut,init,lsb,mime}",
  "./usr/lib/udev/hwdb.d",
  "./usr/games",
  "./etc/{init.d,rc*.d,default,cron*,apparmor.d,kernel,initramfs*,logrotate.d,ufw,update-motd.d,runit,sv,dpkg,xdg}",
  "./boot/System.map*",
];

const braces = (pattern: string): readonly string[] => {
  const match = /^(.*?)\{([^}]*)\}(.*)$/.exec(pattern);
  if (match === null) return [pattern];
  const [, before = "", inside = "", after = ""] = match;
  return inside.split(",").flatMap((one) => braces(`${before}${one}${after}`));
};

export async function unpackAll(files: readonly string[], tree: string): Promise<void> {
  mkdirSync(tree, { recursive: true });
  const excluded = LEFT_OUT.flatMap(braces).map((pattern) => `--exclude=${pattern}`);
  for (const file of files) await unpack(file, tree, ["--anchored", "--wildcards", ...excluded]);
}

/** Everything of a package, or only what fits a pattern. */
export async function unpack(file: string, to: string, options: readonly string[] = []): Promise<void> {
  mkdirSync(to, { recursive: true });
  const command = 'dpkg-deb --fsys-tarfile "$0" | tar -x --numeric-owner --keep-directory-symlink -C "$@"';
  await run("bash", ["-o", "pipefail", "-c", command, file, to, ...options]);
}

/** Runs a program to its end; what it says goes to this process's own output. */
export function run(program: string, argv: readonly string[], more: { readonly cwd?: string } = {}): Promise<void> {
  const child = spawn(program, [...argv], { stdio: ["ignore", 2, 2], ...more });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${argv.slice(0, 6).join(" ")}: ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** What a program prints. */
export function output(program: string, ...argv: readonly string[]): string {
  return execFileSync(program, [...argv], { encoding: "utf8", maxBuffer: 256 << 20 });
}
