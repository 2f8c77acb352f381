/**
 * The panel on a GPIO chip: Debian's arm64 kernel on QEMU's `virt` without ACPI, whose pl061 shows by its register what our
 * code drives and whose input is driven from outside as a finger would.
 *
 *   node test/image/arm64/main.ts
 */
import { deepStrictEqual } from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { Qmp } from "../appliance/qmp.ts";
import { connected } from "../appliance/serial.ts";
import { ROOT } from "../machine.ts";
import { makeGuest } from "./guest.ts";

/** The data register, all lines. @see ARM PrimeCell GPIO (PL061) 3.3.1 */
const DATA = "xp /1wx 0x090303fc";
const BUTTON_LINE = 5;
const LIMIT_MILLIS = 600_000;
const LOOK_MILLIS = 20;

const guest = makeGuest();
const place = mkdtempSync(`${tmpdir()}/futago-arm64-`);
const share = (tag: string, path: string) =>
  `-fsdev local,id=${tag},path=${path},security_model=none,multidevs=remap,readonly=on
  -device virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`;
const words = `-M virt,acpi=off -cpu cortex-a57 -accel tcg -smp 1 -m 1024 -nodefaults -display none -no-reboot -serial stdio
  -kernel ${guest.kernel} -initrd ${guest.initrd} ${share("root", guest.root)} ${share("checkout", ROOT)}
  -qmp unix:${place}/qmp.sock,server=on,wait=off -qtest unix:${place}/qtest.sock,server=on,wait=off -qtest-log none`;
const qemu = spawn("qemu-system-aarch64", [...words.split(/\s+/), "-append", "console=ttyAMA0 quiet panic=-1"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const lines: string[] = [];
createInterface({ input: qemu.stdout }).on("line", (line) => {
  lines.push(line);
  process.stdout.write(`guest | ${line}\n`);
});
const limit = setTimeout(() => qemu.kill("SIGKILL"), LIMIT_MILLIS);

const passes = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) {
    if (qemu.exitCode !== null || qemu.signalCode !== null) throw new Error(`the guest ended before ${what}`);
    await passes(LOOK_MILLIS);
  }
  process.stdout.write(`ok: ${what}\n`);
}
const said = (event: string) =>
  until(`"${event}" is said`, () => lines.some((line) => line.includes(`panel: ${event} `)));

async function tryPanel(qmp: Qmp, qtest: Socket): Promise<void> {
  /** Lines 0 and 1: role and alarm. */
  const lights = async () => Number.parseInt((await qmp.monitor(DATA)).split(": ")[1] ?? "", 16) & 3;
  const tree = await qmp.monitor("info qom-tree");
  const device = /\/(device\[\d+\]) \(pl061\)/.exec(tree)?.[1] ?? "no pl061";
  const finger = (down: 0 | 1) =>
    qtest.write(`set_irq_in /machine/unattached/${device} unnamed-gpio-in ${BUTTON_LINE} ${down}\n`);
  const shows = (what: string, bits: number) => until(what, async () => (await lights()) === bits);
  await shows("the role's line is high on an active box, the alarm's low", 1);
  finger(1);
  await passes(300);
  finger(0);
  await said("button-status");
  await shows("both are dark before the code", 0);
  await shows("both blink the code", 3);
  await shows("the lights are the box's again", 1);
  finger(1);
  await shows("the warning blinks: lit", 3);
  await shows("the warning blinks: dark", 0);
  finger(0);
  await said("button-called-off");
  await shows("nothing happened", 1);
  deepStrictEqual(
    lines.filter((line) => line.includes("panel: alarm")),
    [],
  );
}

try {
  await said("ready");
  const qmp = await Qmp.connect(`${place}/qmp.sock`);
  const qtest = await connected(`${place}/qtest.sock`);
  qtest.resume();
  await tryPanel(qmp, qtest);
  qmp.close();
  qtest.destroy();
} finally {
  clearTimeout(limit);
  qemu.kill("SIGKILL");
  rmSync(place, { recursive: true });
}
