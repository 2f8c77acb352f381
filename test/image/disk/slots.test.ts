/** Slots that do not boot: the tries fall, the other slot has its turn, and after both the rescue mode. */
import { describe, expect, onTestFinished, test } from "vitest";
import { type BootState, defaultBootState } from "@futago/firmware/update/boot-state.ts";
import { imageFile } from "../appliance/image.ts";
import { Machine } from "../appliance/machine.ts";
import { Disk, scratch } from "./disks.ts";

/** From power to a console, or to the rescue mode, on a machine that does other things besides. */
const UP_MILLIS = 1_200_000;
const TEST = { timeout: 3 * UP_MILLIS };

function withTries(a: number, b: number): BootState {
  return { ...defaultBootState, slots: { a: { verdict: "good", tries: a }, b: { verdict: "good", tries: b } } };
}

/** A machine on an image that was spoilt. */
function machineWith(spoil: (disk: Disk) => void, devices: readonly string[] = []): Machine {
  const directory = scratch();
  const disk = Disk.ofImage(directory);
  spoil(disk);
  return cutAtTheEnd(new Machine({ name: "box", directory, image: disk.path, devices, hasOwnTime: true }));
}

function cutAtTheEnd(machine: Machine): Machine {
  onTestFinished(() => machine.cut());
  return machine;
}

describe("a slot", TEST, () => {
  test("whose boot partition is garbage gives way to the other one in the same start", async () => {
    const machine = machineWith((disk) => disk.spoil("boot-a"));
    await machine.start();
    await machine.serial.expect("slot a cannot be read", UP_MILLIS);
    await machine.serial.expect("Futago: slot b, 7 tries left", UP_MILLIS);
    await machine.serial.expect("slot B", UP_MILLIS);
    await machine.cut();
    expect(Disk.of(machine).bootState()).toEqual(withTries(7, 7));
  });

  test("that was found bad is passed by", async () => {
    const machine = machineWith((disk) =>
      disk.setBootState({ ...defaultBootState, slots: { ...defaultBootState.slots, a: { verdict: "bad", tries: 8 } } }),
    );
    await machine.start();
    await machine.serial.expect("Futago: slot b, 7 tries left", UP_MILLIS);
    expect(machine.serial.text).not.toContain("slot a,");
    await machine.cut();
  });

  test("whose root is broken restarts until its tries are used up; then the other, then the rescue mode, which mends both from a stick", async () => {
    const stick = Disk.ofImage(scratch(), "stick");
    const machine = machineWith(
      (disk) => {
        disk.spoil("root-a");
        disk.spoil("root-b");
        disk.setBootState(withTries(2, 1));
      },
      [
        "-drive",
        `file=${stick.path},if=none,id=stick,format=raw,readonly=on`,
        "-device",
        "qemu-xhci",
        "-device",
        "usb-storage,drive=stick",
      ],
    );
    await machine.start();
    const { serial } = machine;
    for (const words of ["slot a, 1 tries left", "slot a, 0 tries left", "slot b, 0 tries left"]) {
      await serial.expect(`Futago: ${words}`, UP_MILLIS);
    }
    await serial.expect("rescue>", UP_MILLIS);
    expect(serial.text).toMatch(/Slot A: good, 0 tries left, version \d/);
    serial.send("3\r");
    await serial.expect("Slot A: damaged", UP_MILLIS);
    await serial.expect("Slot B: damaged", UP_MILLIS);
    serial.send("\r");
    await serial.expect("rescue>", UP_MILLIS);
    serial.send("4\r");
    await serial.expect("Type yes:", UP_MILLIS);
    serial.send("yes\r");
    await serial.expect("Slot A: as it was built", UP_MILLIS);
    await serial.expect("Slot B: as it was built", UP_MILLIS);
    serial.send("\r");
    await serial.expect("rescue>", UP_MILLIS);
    serial.send("6\r");
    await serial.expect("Futago: slot a, 7 tries left", UP_MILLIS);
    await serial.expect("slot A", UP_MILLIS);
    await machine.cut();
  });
});

describe("the boot state", TEST, () => {
  test("whose first copy is destroyed is read from the second, and lowered there", async () => {
    const machine = machineWith((disk) => {
      disk.setBootState(withTries(5, 8));
      disk.spoil("bs0");
    });
    await machine.start();
    await machine.serial.expect("Futago: slot a, 4 tries left", UP_MILLIS);
    await machine.serial.expect("slot A", UP_MILLIS);
    await machine.cut();
    expect(Disk.of(machine).bootState()).toEqual(withTries(4, 8));
  });

  test("whose first copy was torn while it was written is read from the second, and both are whole after the boot", async () => {
    const machine = machineWith((disk) => {
      disk.setBootState(withTries(5, 8));
      const copy = disk.copy("bs0");
      const at = disk.read("bs0", 0, 1 << 20).indexOf(copy);
      const cut = copy.indexOf("b_state");
      disk.write("bs0", at, copy.fill("#", cut, 512));
    });
    await machine.start();
    await machine.serial.expect("Futago: slot a, 4 tries left", UP_MILLIS);
    await machine.serial.expect("slot A", UP_MILLIS);
    await machine.cut();
    const disk = Disk.of(machine);
    expect(disk.bootState()).toEqual(withTries(4, 8));
    expect(disk.copy("bs0")).toEqual(disk.copy("bs1"));
  });
});

test("data that are broken beyond repair do not stop a box, and it says so", TEST, async () => {
  const machine = cutAtTheEnd(new Machine({ name: "box", directory: scratch(), image: imageFile(), hasOwnTime: true }));
  await machine.start();
  await machine.serial.expect("slot A", UP_MILLIS);
  await machine.cut();
  const disk = Disk.of(machine);
  for (let at = 0; at < 512; at++) disk.write("data", at << 20, Buffer.alloc(1 << 20, 0xa5));
  const broken = cutAtTheEnd(new Machine({ name: "broken", directory: scratch(), image: disk.path, hasOwnTime: true }));
  await broken.start();
  await broken.serial.expect("the data partition is not used", UP_MILLIS);
  await broken.serial.expect("slot A", UP_MILLIS);
  expect(broken.serial.text).not.toContain("restarting");
  await broken.cut();
});
