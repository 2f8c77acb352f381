import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findBootDisk, type Machine, runningSlot, thisMachine } from "./boot-disk.ts";

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), "futago-boot-disk-"));
  mkdirSync(join(tree, "dev/block"), { recursive: true });
});
afterEach(() => rmSync(tree, { recursive: true }));

function disk(name: string, major: number, partitions: readonly string[]): void {
  partitions.forEach((called, i) => {
    const part = `${name}${/\d$/.test(name) ? "p" : ""}${i + 1}`;
    const directory = join(tree, "devices", name, part);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "partition"), `${i + 1}\n`);
    writeFileSync(join(directory, "uevent"), `DEVTYPE=partition\nPARTN=${i + 1}\nPARTNAME=${called}\n`);
    symlinkSync(directory, join(tree, "dev/block", `${major}:${i + 1}`));
  });
}

/** A mapped device over a partition, as dm-verity makes one. */
function mapping(minor: number, lower: string): void {
  const directory = join(tree, "devices/virtual/block", `dm-${minor}`);
  mkdirSync(join(directory, "slaves"), { recursive: true });
  symlinkSync(lower, join(directory, "slaves", "lower"));
  symlinkSync(directory, join(tree, "dev/block", `253:${minor}`));
}

function machine(root: readonly [number, number], data: readonly [number, number] = [0, 9]): Machine {
  const numbers = (path: string) => (path === "/" ? root : data);
  return {
    sys: tree,
    dev: "/dev",
    cmdline: join(tree, "cmdline"),
    deviceOf: (path) => ({ major: numbers(path)[0], minor: numbers(path)[1] }),
  };
}

const NAMES = ["bios", "esp", "bs0", "bs1", "boot-a", "boot-b", "root-a", "root-b", "data"];

describe("the disk that the box booted from", () => {
  it("is the one under the verified root, also when another disk holds the same image", () => {
    disk("sda", 8, NAMES);
    disk("sdb", 9, NAMES);
    mapping(0, join(tree, "devices/sdb/sdb7"));
    const found = findBootDisk(machine([253, 0]));
    expect(found?.partitions.get("bs0")).toBe("/dev/sdb3");
    expect(found?.partitions.get("bs1")).toBe("/dev/sdb4");
    expect(found?.partitions.get("root-b")).toBe("/dev/sdb8");
  });

  it("is found on an eMMC, whose partitions have a p in their names", () => {
    disk("mmcblk0", 179, NAMES);
    mapping(3, join(tree, "devices/mmcblk0/mmcblk0p8"));
    expect(findBootDisk(machine([253, 3]))?.partitions.get("bs1")).toBe("/dev/mmcblk0p4");
  });

  it("is the one of the data when the root is in memory", () => {
    disk("sda", 8, NAMES);
    expect(findBootDisk(machine([0, 1], [8, 9]))?.partitions.get("bs0")).toBe("/dev/sda3");
  });

  it("is none where the root lies on a disk of another kind", () => {
    disk("sda", 8, ["root"]);
    expect(findBootDisk(machine([8, 1]))).toBeUndefined();
    expect(findBootDisk(machine([0, 1]))).toBeUndefined();
  });

  it("is looked for on this machine without harm", () => {
    expect(() => findBootDisk(thisMachine)).not.toThrow();
  });
});

describe("the slot that runs", () => {
  it.each([
    ["console=ttyS0 futago.slot=b panic=10\n", "b"],
    ["futago.slot=a\n", "a"],
    ["futago.slot=c\n", undefined],
    ["xfutago.slot=a\n", undefined],
    ["quiet\n", undefined],
  ])("of %j is %s", (text, slot) => {
    const one = machine([0, 0]);
    writeFileSync(one.cmdline, text);
    expect(runningSlot(one)).toBe(slot);
  });
});
