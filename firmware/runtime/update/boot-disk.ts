/** The disk that this box booted from, and its partitions by their GPT names. Another disk with the same names is not it. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Slot } from "../../update/boot-state.ts";

export interface BootDisk {
  /** The device node of each named partition. */
  readonly partitions: ReadonlyMap<string, string>;
}

interface DeviceNumbers {
  readonly major: number;
  readonly minor: number;
}

/** Where the kernel shows its devices; tests have trees of their own. */
export interface Machine {
  readonly sys: string;
  readonly dev: string;
  readonly cmdline: string;
  /** What a path lies on; undefined where there is no such path. */
  readonly deviceOf: (path: string) => DeviceNumbers | undefined;
}

export const thisMachine: Machine = { sys: "/sys", dev: "/dev", cmdline: "/proc/cmdline", deviceOf };

/** The root first: it lies on the slot that runs. In the rescue mode that is memory, and only the data tell. */
const TELLING_PATHS = ["/", "/data"];

/** The slot that the loader booted, or undefined where no loader of ours did. */
export function runningSlot(machine: Machine): Slot | undefined {
  const found = /(?:^|\s)futago\.slot=([ab])(?:\s|$)/.exec(readFileSync(machine.cmdline, "utf8"))?.[1];
  return found as Slot | undefined;
}

/** Undefined where neither path lies on a partition of a disk that has boot-state partitions. */
export function findBootDisk(machine: Machine): BootDisk | undefined {
  for (const path of TELLING_PATHS) {
    const numbers = machine.deviceOf(path);
    const start = join(machine.sys, "dev/block", `${numbers?.major}:${numbers?.minor}`);
    if (!existsSync(start)) continue;
    for (const disk of disksUnder(realpathSync(start))) {
      const partitions = partitionsOf(disk, machine.dev);
      if (partitions.has("bs0") && partitions.has("bs1")) return { partitions };
    }
  }
  return undefined;
}

/** The disks that a device lies on: itself, what it is a part of, or what a mapping is made of. */
function disksUnder(device: string): readonly string[] {
  if (existsSync(join(device, "partition"))) return [dirname(device)];
  const lower = join(device, "slaves");
  const names = existsSync(lower) ? readdirSync(lower).sort() : [];
  return names.length === 0 ? [device] : names.flatMap((name) => disksUnder(realpathSync(join(lower, name))));
}

function partitionsOf(disk: string, dev: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(disk).sort()) {
    const directory = join(disk, name);
    if (!existsSync(join(directory, "partition"))) continue;
    const called = /^PARTNAME=(.*)$/m.exec(readFileSync(join(directory, "uevent"), "utf8"))?.[1];
    if (called !== undefined && !found.has(called)) found.set(called, join(dev, basename(directory)));
  }
  return found;
}

/** @see makedev(3) for how glibc and the kernel pack the two numbers */
function deviceOf(path: string): DeviceNumbers | undefined {
  const dev = statSync(path, { bigint: true, throwIfNoEntry: false })?.dev;
  if (dev === undefined) return undefined;
  const major = Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n));
  const minor = Number((dev & 0xffn) | ((dev >> 12n) & 0xffffff00n));
  return { major, minor };
}
