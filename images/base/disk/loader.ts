/** GRUB for every firmware, from Debian's packages: signed by Debian for UEFI, put together here for a BIOS. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LockedPackage, PackageStore } from "../debian/lock.ts";
import type { Architecture } from "../debian/wanted.ts";
import { unpack } from "../tree/unpack.ts";
import { makeFat } from "./files.ts";
import { partitionNamed, SECTOR_BYTES } from "./layout.ts";
import { type BootPlan, slotConfiguration } from "./slot.ts";

const CONFIGURATION = fileURLToPath(new URL("grub.cfg", import.meta.url));
/** Where Debian's signed GRUB looks for its configuration. */
const PREFIX = "EFI/debian";

/** File names that UEFI looks for on a disk of which it knows nothing else. */
const UEFI: Readonly<Record<Architecture, { readonly shim: string; readonly grub: string; readonly suffix: string }>> =
  {
    amd64: { shim: "shimx64.efi.signed", grub: "x86_64-efi-signed/grubx64.efi.signed", suffix: "x64" },
    arm64: { shim: "shimaa64.efi.signed", grub: "arm64-efi-signed/grubaa64.efi.signed", suffix: "aa64" },
  };

/** In the core, so that nothing but it and grub.cfg is read from the disk. */
const CORE_MODULES =
  "biosdisk part_gpt fat normal configfile linux loadenv regexp probe test echo sleep reboot halt serial terminal minicmd ls search boot true";

export interface LoaderPlan {
  readonly work: string;
  readonly architecture: Architecture;
  readonly tree: string;
  readonly packages: readonly LockedPackage[];
  readonly store: PackageStore;
}

export async function unpackLoader({ work, packages, store }: LoaderPlan): Promise<string> {
  const to = `${work}/loader`;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const one of packages.filter(({ purpose }) => purpose === "boot")) await unpack(store.verified(one), to);
  return to;
}

/** Nobody mounts it while a box runs. The rescue mode's own kernel is on it, so that it needs no slot. */
export function makeEsp({ work, facts, kernel, initrd }: BootPlan, loader: string): string {
  const { shim, grub, suffix } = UEFI[facts.architecture];
  const file = `${work}/esp.img`;
  makeFat({
    file,
    label: "ESP",
    bits: 32,
    mebibytes: partitionNamed("esp").mebibytes,
    time: facts.time,
    contents: {
      [`EFI/BOOT/BOOT${suffix.toUpperCase()}.EFI`]: { from: `${loader}/usr/lib/shim/${shim}` },
      [`EFI/BOOT/grub${suffix}.efi`]: { from: `${loader}/usr/lib/grub/${grub}` },
      [`${PREFIX}/grub.cfg`]: { from: CONFIGURATION },
      "slot.cfg": { bytes: Buffer.from(slotConfiguration(facts, undefined)) },
      vmlinuz: { from: kernel },
      initrd: { from: initrd },
    },
  });
  return file;
}

export interface BiosBoot {
  /** For the first sector: 440 bytes. */
  readonly bootSector: Buffer;
  readonly core: Buffer;
}

/** What grub-install does to a disk, without a disk. */
export function makeBiosBoot({
  loader,
  tree,
  work,
}: {
  readonly loader: string;
  readonly tree: string;
  readonly work: string;
}): BiosBoot {
  const modules = `${loader}/usr/lib/grub/i386-pc`;
  const core = `${work}/core.img`;
  const argv = ["-O", "i386-pc", "-d", modules, "-p", `(,gpt2)/${PREFIX}`, "-o", core, ...CORE_MODULES.split(" ")];
  trixieProgram(tree, `${loader}/usr/bin/grub-mkimage`, argv);
  const bios = partitionNamed("bios");
  const place = BigInt(bios.startBytes / SECTOR_BYTES);
  const bootSector = Buffer.from(readFileSync(`${modules}/boot.img`).subarray(0, 440));
  bootSector.writeBigUInt64LE(place, 0x5c);
  // Not to look for a floppy where the firmware names none.
  bootSector.writeUInt16LE(0x9090, 0x66);
  const whole = readFileSync(core);
  // The rest of the core lies behind its first sector.
  whole.writeBigUInt64LE(place + 1n, 0x1f4);
  if (whole.length > bios.bytes) throw new Error(`GRUB's core has ${whole.length} bytes`);
  return { bootSector, core: whole };
}

/** A program of the image's Debian, by the tree's own libraries: this machine's may be of another release. */
function trixieProgram(tree: string, program: string, argv: readonly string[]): void {
  const libraries = `${tree}/usr/lib/x86_64-linux-gnu`;
  const interpreter = `${libraries}/ld-linux-x86-64.so.2`;
  if (!existsSync(interpreter)) throw new Error(`${interpreter} is missing`);
  execFileSync(interpreter, ["--library-path", libraries, program, ...argv], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
