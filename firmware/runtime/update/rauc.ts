/**
 * RAUC as this box runs it: the configuration, made for the disk that the box booted from, and what is asked of the program.
 * A bundle only ever goes into the slot that does not run, and booting it is decided elsewhere.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type BundleFacts, type BundleRefusal, readRefusal } from "../../update/bundle.ts";
import { type Result, ok, refuse } from "@futago/hal/units/result.ts";
import { LineReader, parseObject } from "../line-reader.ts";

export interface RaucPlaces {
  /** Where RAUC looks for its configuration. */
  readonly config: string;
  readonly keyring: string;
  /** The program that RAUC asks for the boot state. */
  readonly backend: string;
  /** What RAUC remembers of the slots. */
  readonly dataDirectory: string;
  readonly mountDirectory: string;
  /** Tells RAUC's service, by its unit, which slot runs. */
  readonly slotFile: string;
}

export const RAUC_PLACES: RaucPlaces = {
  config: "/run/rauc/system.conf",
  keyring: "/usr/lib/futago/update/keyring.pem",
  backend: "/usr/lib/futago/bin/boot-state",
  dataDirectory: "/data/system/rauc",
  mountDirectory: "/run/rauc/mounts",
  slotFile: "/run/rauc/slot",
};

/** What a bundle of the plain format signs is read twice, and may change in between. */
export function raucConfig(places: RaucPlaces, architecture: string, partitions: ReadonlyMap<string, string>): string {
  const slot = (kind: "root" | "boot", letter: "a" | "b") => partitions.get(`${kind}-${letter}`) ?? "/dev/null";
  const slots = (["a", "b"] as const).map(
    (letter, i) => `[slot.rootfs.${i}]
device=${slot("root", letter)}
type=raw
bootname=${letter}

[slot.boot.${i}]
device=${slot("boot", letter)}
type=raw
parent=rootfs.${i}
`,
  );
  return `[system]
compatible=futago-${architecture}
bootloader=custom
bundle-formats=-plain
activate-installed=false
mountprefix=${places.mountDirectory}
data-directory=${places.dataDirectory}

[keyring]
path=${places.keyring}
check-crl=true
check-purpose=codesign
use-bundle-signing-time=true

[handlers]
bootloader-custom-backend=${places.backend}

${slots.join("\n")}`;
}

/** RAUC would guess by the kernel's words which slot runs, and takes any that end in "root=" for its own. */
export function writeRaucConfig(places: RaucPlaces, config: string, running: "a" | "b"): void {
  for (const directory of [dirname(places.config), places.dataDirectory, places.mountDirectory])
    mkdirSync(directory, { recursive: true });
  writeFileSync(places.config, config);
  writeFileSync(places.slotFile, `RAUC_SLOT=${running}\n`);
}

/** Reads the bundle's manifest, once its signature was found good. */
export async function inspectBundle(
  places: Pick<RaucPlaces, "config">,
  file: string,
): Promise<Result<BundleFacts, BundleRefusal>> {
  const { code, out, said } = await run([`--conf=${places.config}`, "info", "--output-format=json", file]);
  if (code !== 0) return refuse(readRefusal(said));
  const { compatible, version, build } = parseObject(out.trim()) ?? {};
  if (typeof compatible !== "string") return refuse(readRefusal("not a valid RAUC bundle"));
  return ok({ compatible, version: textOf(version), time: textOf(build) });
}

/** Writes both partitions of the slot that does not run. Resolves to the refusal, or to nothing when all of it is written. */
export async function installBundle(
  file: string,
  onProgress: (percent: number, doing: string) => void,
): Promise<BundleRefusal | undefined> {
  const { code, out, said } = await run(["install", file], (line) => {
    const [, percent, doing = ""] = /^\s*(\d{1,3})% (.*)$/.exec(line) ?? [];
    if (percent !== undefined) onProgress(Number(percent), doing);
  });
  if (code === 0) return undefined;
  // What it did before says "signature", too.
  return readRefusal(/^LastError: (.*)$/m.exec(out)?.[1] ?? said);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly said: string;
}

/** More than RAUC ever says; what is beyond it is left out. */
const TEXT_LENGTH_MAX = 64 << 10;
const LINE_BYTES_MAX = 64 << 10;

function run(words: readonly string[], onLine: (line: string) => void = () => undefined): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("rauc", words, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, LC_ALL: "C" } });
    const lines = new LineReader(LINE_BYTES_MAX);
    let [out, said] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      out = (out + chunk.toString("utf8")).slice(-TEXT_LENGTH_MAX);
      for (const line of lines.push(chunk)) onLine(line);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-TEXT_LENGTH_MAX);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, said }));
  });
}
