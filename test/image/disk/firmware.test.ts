/** The image on each kind of firmware: it comes up, in slot A, with one try fewer, on a disk that has become its own. */
import { describe, expect, onTestFinished, test } from "vitest";
import { FACTORY_ID } from "@futago/images/base/disk/layout.ts";
import { decodeBootState } from "@futago/firmware/update/boot-state.ts";
import { imageFile } from "../appliance/image.ts";
import { type Firmware, Machine } from "../appliance/machine.ts";
import { Disk, GIBIBYTE, scratch } from "./disks.ts";

const UP_MILLIS = 1_200_000;
const TEST = { timeout: 3 * UP_MILLIS };

describe.each<Firmware>(["bios", "uefi", "secure-boot"])("%s", TEST, (firmware) => {
  test("boots slot A, and what a box has of its own is made at the first start and kept", async () => {
    const machine = new Machine({
      name: firmware,
      directory: scratch(),
      image: imageFile(),
      firmware,
      diskBytes: 4 * GIBIBYTE,
    });
    onTestFinished(() => machine.cut());
    const started = performance.now();
    await machine.start();
    await machine.serial.expect("Futago: slot a, 7 tries left", UP_MILLIS);
    const loaded = performance.now();
    await machine.serial.expect("slot A", UP_MILLIS);
    const seconds = (from: number) => ((performance.now() - from) / 1_000).toFixed(1);
    process.stdout.write(`${firmware}: console ${seconds(started)} s after power, ${seconds(loaded)} s after GRUB\n`);
    expect(machine.serial.text.includes("UEFI Secure Boot is enabled")).toBe(firmware === "secure-boot");
    await machine.cut();
    const first = Disk.of(machine);
    for (const copy of ["bs0", "bs1"] as const) {
      expect(decodeBootState(first.copy(copy))).toMatchObject({
        ok: true,
        value: { slots: { a: { tries: 7 }, b: { tries: 8 } } },
      });
    }
    const unique = (disk: Disk) => /unique GUID: (\S+)/.exec(disk.facts("esp"))?.[1]?.toLowerCase();
    expect(unique(first)).not.toBe(FACTORY_ID);
    expect(/Partition size: (\d+) sectors/.exec(first.facts("data"))?.[1]).toSatisfy(
      (sectors: string) => Number(sectors) * 512 > 2 * GIBIBYTE,
    );
    if (firmware !== "bios") return;
    await machine.start();
    await machine.serial.expect("Futago: slot a, 6 tries left", UP_MILLIS);
    await machine.serial.expect("slot A", UP_MILLIS);
    expect(machine.serial.text).not.toContain("data partition is not used");
    await machine.cut();
    expect(unique(Disk.of(machine))).toBe(unique(first));
  });
});

test(
  "of two disks with the same image, the one that the loader came from is the box's, and the other is not touched",
  TEST,
  async () => {
    const directory = scratch();
    const twin = Disk.ofImage(directory, "twin");
    const drive = `file=${twin.path},if=none,id=twin,format=raw,cache=none`;
    // Its name, sda, comes before the other's.
    const devices = ["-drive", drive, "-device", "ide-hd,drive=twin"];
    const machine = new Machine({ name: "two", directory, image: imageFile(), devices });
    onTestFinished(() => machine.cut());
    await machine.start();
    await machine.serial.expect("slot A", UP_MILLIS);
    await machine.cut();
    const unique = (disk: Disk) => /unique GUID: (\S+)/.exec(disk.facts("esp"))?.[1]?.toLowerCase();
    expect(unique(twin)).toBe(FACTORY_ID);
    expect(twin.bootState().slots.a.tries).toBe(8);
    const own = Disk.of(machine);
    expect(unique(own)).not.toBe(FACTORY_ID);
    expect(own.bootState().slots.a.tries).toBe(7);
    expect(own.read("data", 0x438, 2).readUInt16LE(0)).toBe(0xef53);
    expect(twin.read("data", 0x438, 2).readUInt16LE(0)).toBe(0);
  },
);
