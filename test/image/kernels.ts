/**
 * Debian's kernels for the guests: the package of a suite, fetched by an apt of our own (its lists and its cache lie in
 * `build`), held against the hash in the signed index, and as much of it unpacked as a guest needs.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const BUILD = fileURLToPath(new URL("build", import.meta.url));
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const RELEASES = ["bookworm", "trixie", "forky", "oldstable", "stable", "testing", "sid", "unstable"];
/** Of the modules; a guest has no hardware but what QEMU gives it. */
const WANTED = ["arch", "crypto", "drivers/block", "drivers/char", "drivers/net", "drivers/virtio", "fs", "lib", "net"];
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

interface Package {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

/** The newest kernel of a suite, ready to boot. Fetches what is missing. */
export function kernelOf(suite: Suite): Kernel {
  const apt = new PrivateApt(suite);
  const wanted = apt.kernelPackage();
  const root = `${BUILD}/${suite}/${wanted.sha256.slice(0, 16)}`;
  const stamp = `${root}/complete`;
  if (!existsSync(stamp)) {
    for (const old of readdirSync(`${BUILD}/${suite}`))
      if (/^[0-9a-f]{16}$/.test(old)) rmSync(`${BUILD}/${suite}/${old}`, { recursive: true });
    mkdirSync(root);
    unpack(apt.fetch(wanted, root), root);
    writeFileSync(stamp, `${wanted.name} ${wanted.version} ${wanted.sha256}\n`);
  }
  const modules = `${root}/lib/modules`;
  const [release] = readdirSync(modules);
  if (release === undefined) throw new Error(`${wanted.name} has no modules`);
  return { suite, release, image: `${root}/boot/vmlinuz-${release}`, modules, root };
}

class PrivateApt {
  readonly #directory: string;
  readonly #options: readonly string[];

  constructor(suite: Suite) {
    this.#directory = `${BUILD}/${suite}`;
    const apt = `${this.#directory}/apt`;
    for (const part of ["state/lists/partial", "cache/archives/partial"])
      mkdirSync(`${apt}/${part}`, { recursive: true });
    writeFileSync(`${apt}/sources.list`, `deb [signed-by=${KEYRING}] ${mirror()} ${suite} main\n`);
    const settings = {
      "Dir::State": `${apt}/state`,
      "Dir::State::status": "/dev/null",
      "Dir::Cache": `${apt}/cache`,
      "Dir::Etc::sourcelist": `${apt}/sources.list`,
      "Dir::Etc::sourceparts": "/dev/null",
      "APT::Architecture": "amd64",
      "APT::Architectures": "amd64",
      "APT::Sandbox::User": "root",
      "Acquire::Languages": "none",
      "Acquire::Retries": "3",
    };
    this.#options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  }

  kernelPackage(): Package {
    try {
      this.#run("apt-get", "update", "-qq", "--error-on=any");
    } catch (error) {
      // Without a network, the lists of the last run tell what the last run fetched.
      process.stderr.write(`${(error as Error).message}; going on with the lists that are here\n`);
    }
    const depends = this.#run("apt-cache", "depends", "linux-image-amd64");
    const name = /Depends: (linux-image-\d\S+)/.exec(depends)?.[1];
    if (name === undefined) throw new Error(`linux-image-amd64 names no kernel: ${depends}`);
    const shown = this.#run("apt-cache", "show", "--no-all-versions", name);
    const field = (key: string) => {
      const value = new RegExp(`^${key}: (\\S+)$`, "m").exec(shown)?.[1];
      if (value === undefined) throw new Error(`the index has no ${key} for ${name}`);
      return value;
    };
    return { name, version: field("Version"), sha256: field("SHA256") };
  }

  /** The package's file in `to`; fails unless it is what the index promises. */
  fetch({ name, version, sha256 }: Package, to: string): string {
    this.#run("apt-get", "-qq", "download", `${name}=${version}`, { cwd: to });
    const file = readdirSync(to).find((entry) => entry.startsWith(`${name}_`));
    if (file === undefined) throw new Error(`apt-get download left no ${name}`);
    const found = createHash("sha256")
      .update(readFileSync(`${to}/${file}`))
      .digest("hex");
    if (found !== sha256) throw new Error(`${file} has the hash ${found}, the index says ${sha256}`);
    return `${to}/${file}`;
  }

  #run(program: string, ...rest: readonly (string | { readonly cwd: string })[]): string {
    const argv = rest.filter((part) => typeof part === "string");
    const place = rest.find((part) => typeof part !== "string") ?? {};
    return execFileSync(program, [...this.#options, ...argv], { encoding: "utf8", timeout: 300_000, ...place });
  }
}

/** Where this machine's own apt gets Debian from; it serves every suite. */
function mirror(): string {
  const targets = execFileSync(
    "apt-get",
    ["indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
    { encoding: "utf8" },
  );
  const rows = targets.split("\n").map((line) => line.split(" "));
  const found = rows.find(([release = "", component]) => RELEASES.includes(release) && component === "main")?.[2];
  if (found === undefined) throw new Error("apt on this machine knows no Debian mirror");
  return found;
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
