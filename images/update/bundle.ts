/** A signed bundle: the boot partition and the root of one slot as one file for RAUC, whose parts a box checks as it reads. */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { timeOfBuild } from "@futago/firmware/update/version.ts";
import type { Signer } from "./authorities.ts";

/** Where a box keeps whom it trusts. */
export const RAUC_KEYRING = "/usr/lib/futago/update/keyring.pem";

export interface BundleParts {
  readonly architecture: "amd64" | "arm64";
  /** As in the tree's image.json. */
  readonly version: string;
  /** Seconds since 1970, also as there: of two builds of one version the later one is the newer. */
  readonly time: number;
  /** The boot partition's file system and the root's with its verity data, both as they go onto the disk. */
  readonly boot: string;
  readonly root: string;
}

/** Files of the same file system as `out`: they are linked, not copied. */
export function makeBundle(parts: BundleParts, signer: Signer, out: string): void {
  mkdirSync(dirname(out), { recursive: true });
  const scratch = mkdtempSync(join(dirname(out), ".bundle-"));
  try {
    const content = join(scratch, "content");
    mkdirSync(content);
    linkSync(parts.boot, join(content, "boot.img"));
    linkSync(parts.root, join(content, "root.img"));
    writeFileSync(join(content, "manifest.raucm"), manifest(parts));
    rmSync(out, { force: true });
    const sign = [`--cert=${signer.certificate}`, `--key=${signer.key}`];
    // The root is a compressed file system already, and stays as it is; the boot partition is half empty.
    const squashfs = ["--mksquashfs-args=-comp zstd -Xcompression-level 1"];
    execFileSync("rauc", ["bundle", ...sign, ...squashfs, content, out], { stdio: ["ignore", "ignore", "pipe"] });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The format "verity": the signature covers the root of a hash tree over everything. */
export function manifest({ architecture, version, time }: BundleParts): string {
  return `[update]
compatible=futago-${architecture}
version=${version}
build=${timeOfBuild(time)}

[bundle]
format=verity

[image.boot]
filename=boot.img

[image.rootfs]
filename=root.img
`;
}
