/** Disks of machines, looked at and spoilt from outside: partitions by name, the boot state, bytes. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { partitionNamed } from "@futago/images/base/disk/layout.ts";
import {
  type BootState,
  BOOT_STATE_FILE_BYTES,
  chooseBootState,
  encodeBootStateFile,
} from "@futago/firmware/update/boot-state.ts";
import { imageFile } from "../appliance/image.ts";
import type { Machine } from "../appliance/machine.ts";

export const GIBIBYTE = 1 << 30;

/** A directory that is gone with the process. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "futago-disk-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A raw disk, open to be read and changed. */
export class Disk {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The image, to be spoilt before a machine has it. */
  static ofImage(directory: string, name = "image"): Disk {
    mkdirSync(directory, { recursive: true });
    const path = join(directory, `${name}.raw`);
    execFileSync("cp", ["--sparse=always", imageFile(), path]);
    return new Disk(path);
  }

  /** What a machine that is off has on its disk. */
  static of(machine: Machine): Disk {
    const path = `${machine.disk}.raw`;
    execFileSync("qemu-img", ["convert", "-O", "raw", machine.disk, path]);
    return new Disk(path);
  }

  read(partition: string, at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    const file = openSync(this.path, "r");
    readSync(file, bytes, 0, length, partitionNamed(partition).startBytes + at);
    closeSync(file);
    return bytes;
  }

  write(partition: string, at: number, bytes: Uint8Array): void {
    const file = openSync(this.path, "r+");
    writeSync(file, bytes, 0, bytes.length, partitionNamed(partition).startBytes + at);
    closeSync(file);
  }

  /** Nothing that was there is left. */
  spoil(partition: string): void {
    this.write(partition, 0, Buffer.alloc(1 << 20, 0xa5));
  }

  bootState(): BootState {
    return chooseBootState([this.copy("bs0"), this.copy("bs1")]).state;
  }

  copy(partition: "bs0" | "bs1"): Buffer {
    return this.read(partition, this.#stateAt(), BOOT_STATE_FILE_BYTES);
  }

  setBootState(state: BootState): void {
    const at = this.#stateAt();
    for (const copy of ["bs0", "bs1"]) this.write(copy, at, encodeBootStateFile(state));
  }

  /** Lines of sgdisk about one partition. */
  facts(partition: string): string {
    return execFileSync("sgdisk", ["-i", String(partitionNamed(partition).number), this.path], { encoding: "utf8" });
  }

  /** The same on every image and in both copies, so the one that is not spoilt tells it. */
  #stateAt(): number {
    const found = ["bs0", "bs1"].map((copy) => this.read(copy, 0, 1 << 20).indexOf("# GRUB Environment Block"));
    const at = Math.max(...found);
    if (at <= 0) throw new Error(`${this.path} has no boot state`);
    return at;
  }
}
