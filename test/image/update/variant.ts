/** Bundles for tests: the image that was built, as a later version of it, and with something done to it. */
import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ImageFacts } from "../../../images/base/runtime/place.ts";
import { makeBoot, sealRoot } from "../../../images/base/disk/slot.ts";
import { makeTestKeys, signerOf } from "../../../images/update/authorities.ts";
import { makeBundle } from "../../../images/update/bundle.ts";
import { updateKeys } from "../../../images/update/keys.ts";

const BUILD = fileURLToPath(new URL("../../../images/build", import.meta.url));
const ARCHITECTURE = "amd64";
const DAY_SECONDS = 86_400;

export interface Variant {
  readonly name: string;
  /** Days that it is younger than the image. */
  readonly days: number;
  /** Done to its tree. */
  readonly change?: (tree: string) => void;
}

/** Made once for each image; the path of the bundle. */
export async function bundleOf(variant: Variant): Promise<string> {
  const from = join(BUILD, ARCHITECTURE);
  const variants = join(BUILD, "variants");
  const out = join(variants, `${variant.name}.raucb`);
  const isFresh = existsSync(out) && statSync(out).mtimeMs > statSync(join(from, "root.img")).mtimeMs;
  if (isFresh) return out;
  mkdirSync(variants, { recursive: true });
  // Two runs may make the same one beside each other.
  const work = mkdtempSync(join(variants, `${variant.name}-`));
  try {
    renameSync(await makeVariant(variant, from, work), out);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return out;
}

async function makeVariant({ days, change }: Variant, from: string, work: string): Promise<string> {
  const tree = join(work, "tree");
  execFileSync("cp", ["-a", "--reflink=auto", join(from, "tree"), tree]);
  const place = join(tree, "usr/lib/futago/image.json");
  const facts = JSON.parse(readFileSync(place, "utf8")) as ImageFacts;
  const time = facts.time + days * DAY_SECONDS;
  writeFileSync(place, `${JSON.stringify({ ...facts, time })}\n`);
  change?.(tree);
  const root = await sealRoot(tree, work, time, 1);
  const plan = { work, facts: { ...facts, time }, kernel: kernelOf(from), initrd: join(from, "initrd") };
  const boot = makeBoot(plan, root);
  const bundle = join(work, "whole.raucb");
  makeBundle(
    { architecture: ARCHITECTURE, version: facts.version, time, boot, root: root.file },
    signerOf(updateKeys(BUILD)),
    bundle,
  );
  return bundle;
}

function kernelOf(from: string): string {
  for (const directory of readdirSync(from).filter((name) => name.startsWith("debian-"))) {
    const [kernel] = readdirSync(join(from, directory, "boot")).filter((name) => name.startsWith("vmlinuz-"));
    if (kernel !== undefined) return join(from, directory, "boot", kernel);
  }
  throw new Error("build the image first: ./build.sh image amd64");
}

/** Its service ends as soon as it starts, and systemd restarts the machine. */
export function withoutService(days: number): Variant {
  const change = (tree: string) => {
    const dropIn = join(tree, "etc/systemd/system/futago.service.d");
    mkdirSync(dropIn, { recursive: true });
    writeFileSync(join(dropIn, "broken.conf"), "[Service]\nExecStart=\nExecStart=/bin/false\n");
  };
  return { name: "broken", days, change };
}

/** A small bundle that holds nothing to boot, signed by the image's own key or by another one. */
export function strangeBundle(place: string, architecture: "amd64" | "arm64", by: "own" | "another"): string {
  const keys = by === "own" ? updateKeys(BUILD) : join(place, "keys");
  if (by === "another") makeTestKeys(keys);
  const [boot, root] = [join(place, `${architecture}.boot`), join(place, `${architecture}.root`)];
  writeFileSync(boot, randomBytes(65_536));
  writeFileSync(root, randomBytes(262_144));
  const out = join(place, `${architecture}-${by}.raucb`);
  makeBundle({ architecture, version: "99.0.0", time: 2_000_000_000, boot, root }, signerOf(keys), out);
  return out;
}
