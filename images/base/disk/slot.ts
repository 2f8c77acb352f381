/**
 * What fills a slot: the boot partition's file system (kernel, first file system, `slot.cfg`) and the root (squashfs with
 * its hash tree behind it). They belong together by the root hash in `slot.cfg`, and fit into either slot.
 */
import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { createHash } from "node:crypto";
import type { Architecture } from "../debian/wanted.ts";
import type { ImageFacts } from "../runtime/place.ts";
import { makeFat } from "./files.ts";
import { fixedGuid } from "./ids.ts";

const BLOCK_BYTES = 4096;
const BOOT_MEBIBYTES = 48;
const SERIAL: Readonly<Record<Architecture, string>> = { amd64: "ttyS0", arm64: "ttyAMA0" };

export interface SealedRoot {
  readonly file: string;
  /** hash:salt:data blocks, as the first file system reads it. */
  readonly told: string;
  readonly squashfsBytes: number;
}

export async function sealRoot(tree: string, work: string, time: number, level: number): Promise<SealedRoot> {
  const file = `${work}/root.img`;
  const hashes = `${work}/root.hashes`;
  for (const old of [file, hashes]) rmSync(old, { force: true });
  const env = { ...process.env };
  // mksquashfs refuses to be told the time twice.
  delete env["SOURCE_DATE_EPOCH"];
  const times = ["-all-time", String(time), "-mkfs-time", String(time)];
  const how = [
    "-comp",
    "zstd",
    "-Xcompression-level",
    String(level),
    "-b",
    "128K",
    "-noappend",
    "-no-progress",
    "-quiet",
  ];
  execFileSync("mksquashfs", [tree, file, ...how, ...times], { stdio: ["ignore", "ignore", "inherit"], env });
  const squashfsBytes = statSync(file).size;
  truncateSync(file, Math.ceil(squashfsBytes / BLOCK_BYTES) * BLOCK_BYTES);
  const blocks = statSync(file).size / BLOCK_BYTES;
  // Not a secret: it only makes two roots differ.
  const salt = createHash("sha256").update(`futago root ${time}`).digest("hex");
  const shape = [
    "--no-superblock",
    "--hash=sha256",
    `--data-block-size=${BLOCK_BYTES}`,
    `--hash-block-size=${BLOCK_BYTES}`,
  ];
  const said = execFileSync(
    "veritysetup",
    ["format", ...shape, `--salt=${salt}`, `--uuid=${fixedGuid("root")}`, file, hashes],
    {
      encoding: "utf8",
    },
  );
  const hash = /^Root hash:\s+([0-9a-f]{64})$/m.exec(said)?.[1];
  if (hash === undefined) throw new Error(`veritysetup told no root hash: ${said}`);
  appendFileSync(file, readFileSync(hashes));
  rmSync(hashes);
  return { file, told: `${hash}:${salt}:${blocks}`, squashfsBytes };
}

export interface BootPlan {
  readonly work: string;
  readonly facts: ImageFacts;
  readonly kernel: string;
  readonly initrd: string;
}

/** The words that every kernel of ours gets. */
function words(architecture: Architecture): string {
  return [
    // The last one is where the console's menu and systemd's words go.
    "console=tty0",
    `console=${SERIAL[architecture]},115200n8`,
    "panic=10",
    "watchdog.open_timeout=120",
    "net.ifnames=0",
    // A torn first partition table is no reason not to boot: the second one at the disk's end counts as well.
    "gpt",
    // pulse is on time also while the kernel unpacks a block of the root or makes a large table. Debian's arm64 cannot.
    ...(architecture === "amd64" ? ["preempt=full"] : []),
    "loglevel=4",
  ].join(" ");
}

/** Boots when it is read by the loader; comes back when that is impossible. */
export function slotConfiguration(facts: ImageFacts, root: string | undefined): string {
  const { architecture, version, commit } = facts;
  const ofSlot = root === undefined ? "" : ` futago.slot=$futago_slot futago.root=${root}`;
  return `# Futago ${version} of commit ${commit}
if linux $futago_boot/vmlinuz ${words(architecture)}${ofSlot} $futago_words; then
  if initrd $futago_boot/initrd; then
    boot
  fi
fi
`;
}

export function makeBoot({ work, facts, kernel, initrd }: BootPlan, root: SealedRoot): string {
  const file = `${work}/boot.img`;
  const configuration = slotConfiguration(facts, root.told);
  makeFat({
    file,
    label: "BOOT",
    bits: 16,
    mebibytes: BOOT_MEBIBYTES,
    time: facts.time,
    contents: {
      "slot.cfg": { bytes: Buffer.from(configuration) },
      vmlinuz: { from: kernel },
      initrd: { from: initrd },
    },
  });
  return file;
}
