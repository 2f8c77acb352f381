/** The arm64 image by UEFI: it comes up with its code, its tries fall as on amd64, and a spoilt slot gives way to the other. */
import { existsSync } from "node:fs";
import { expect, onTestFinished, test, type TestContext } from "vitest";
import { FACTORY_ID } from "@futago/images/base/disk/layout.ts";
import { decodeBootState } from "@futago/firmware/update/boot-state.ts";
import { imagePath } from "../appliance/image.ts";
import { Machine } from "../appliance/machine.ts";
import { Disk, GIBIBYTE, scratch } from "./disks.ts";

/** Another processor's instructions take longer than one's own. */
const UP_MILLIS = 1_200_000;
const NEEDED = [
  { path: imagePath("arm64"), command: "./build.sh image arm64" },
  { path: "/usr/bin/qemu-system-aarch64", command: "apt-get install qemu-system-arm" },
  { path: "/usr/share/AAVMF/AAVMF_CODE.fd", command: "apt-get install qemu-efi-aarch64" },
];

function skipWithoutMachine(context: TestContext): void {
  for (const { path, command } of NEEDED) context.skip(!existsSync(path), `${path} is missing: ${command} makes it`);
}

test(
  "boots slot A by UEFI, shows the code that claims it, and lowers the tries in both copies at each start",
  async (context) => {
    skipWithoutMachine(context);
    const image = imagePath("arm64");
    const options = {
      directory: scratch(),
      image,
      architecture: "arm64",
      diskBytes: 4 * GIBIBYTE,
      hasOwnTime: true,
    } as const;
    const machine = new Machine({ name: "arm64", ...options });
    onTestFinished(() => machine.cut());
    await machine.start();
    await machine.serial.expect("Futago: slot a, 7 tries left", UP_MILLIS);
    await machine.serial.expect(/Futago \S+ +slot A/, UP_MILLIS);
    await machine.serial.expect(/Claim code +[0-9A-Z]{5}-[0-9A-Z]{5}/, UP_MILLIS);
    await machine.cut();
    const first = Disk.of(machine);
    for (const copy of ["bs0", "bs1"] as const) {
      expect(decodeBootState(first.copy(copy))).toMatchObject({
        ok: true,
        value: { slots: { a: { tries: 7 }, b: { tries: 8 } } },
      });
    }
    const id = /unique GUID: (\S+)/.exec(first.facts("esp"))?.[1]?.toLowerCase();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(id).not.toBe(FACTORY_ID);
    // The other slot has its turn in the same start.
    first.spoil("boot-a");
    const spoilt = new Machine({ ...options, name: "spoilt", image: first.path });
    onTestFinished(() => spoilt.cut());
    await spoilt.start();
    await spoilt.serial.expect("slot a cannot be read", UP_MILLIS);
    await spoilt.serial.expect("Futago: slot b, 7 tries left", UP_MILLIS);
    await spoilt.serial.expect(/Futago \S+ +slot B/, UP_MILLIS);
    await spoilt.cut();
    const { slots } = Disk.of(spoilt).bootState();
    expect(slots).toMatchObject({ a: { tries: 6 }, b: { tries: 7 } });
  },
  4 * UP_MILLIS,
);
