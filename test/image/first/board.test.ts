/**
 * The lights and the button of a box made from the image: QEMU's keyboard has the lamps, of which the box's serial shell
 * reads how they are driven, and its F12 is the button, which is pressed from outside the machine.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Cabling } from "../appliance/cabling.ts";
import { imageFile } from "../appliance/image.ts";
import { Machine } from "../appliance/machine.ts";
import { enterShell, shell } from "../update/shell.ts";

const NETWORKS = ["wan", "lan"] as const;
const SOON = { timeout: 240_000, interval: 500 };
const CONFIGURATION = {
  interfaces: [
    { name: "wan", device: "port1", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "port2", addresses: ["10.2.0.2/24"] },
  ],
  failoverGroups: [{ name: "edge", virtualRouters: [{ interface: "wan", vrid: 10, addresses: ["10.1.0.1/24"] }] }],
};

let cabling: Cabling;
let box: Machine;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "futago-board-"));
  cabling = await Cabling.start(NETWORKS);
  box = new Machine({
    name: "box",
    directory,
    image: imageFile(),
    host: cabling.switches,
    cables: await cabling.cables("box", NETWORKS),
    devices: ["-device", "i6300esb", "-action", "watchdog=none"],
  });
  await box.start();
  await enterShell(box);
});
afterAll(async () => {
  await box?.cut();
  await cabling?.destroy();
  rmSync(directory, { recursive: true, force: true });
});

interface Lamp {
  readonly lit: boolean;
  readonly trigger: string;
}

async function lamp(name: string): Promise<Lamp> {
  const at = `/sys/class/leds/input*::${name}`;
  const { text } = await shell(box, `cat ${at}/brightness ${at}/trigger`);
  return { lit: !/^0\s*$/m.test(text), trigger: /\[(\S+)\]/.exec(text)?.[1] ?? "" };
}

const untilLamp = (name: string, wanted: Partial<Lamp>) =>
  vi.waitFor(async () => expect(await lamp(name)).toMatchObject(wanted), SOON);

async function button(down: boolean): Promise<void> {
  const key = { type: "key", data: { down, key: { type: "qcode", data: "f12" } } };
  await box.qmp.execute("input-send-event", { events: [key] });
}

/** How often the box has told of it; the line that was typed stands before the count. */
async function said(event: string): Promise<number> {
  const { text } = await shell(box, `journalctl -q -u futago --no-pager | grep -c '"event":"${event}"'`);
  return Number(/^(\d+)\s*$/m.exec(text)?.[1]);
}

test("the role light is lit by a box that serves, and the alarm light by none", async () => {
  await shell(box, `echo '${JSON.stringify(CONFIGURATION)}' >/tmp/c.json`);
  expect((await shell(box, "futago config apply /tmp/c.json")).code).toBe(0);
  await untilLamp("numlock", { lit: true, trigger: "none" });
  await untilLamp("capslock", { lit: false, trigger: "none" });
});

test("the link light follows the cable of its port, by the kernel alone", async () => {
  await untilLamp("scrolllock", { lit: true, trigger: "netdev" });
  await box.plug(0, false);
  await untilLamp("scrolllock", { lit: false, trigger: "netdev" });
  await box.plug(0, true);
  await untilLamp("scrolllock", { lit: true, trigger: "netdev" });
  // Without the cable the group was let go.
  await expect.poll(() => lamp("numlock"), SOON).toEqual({ lit: true, trigger: "none" });
});

test("the button says the box's status, and what is held for too short a time is called off", async () => {
  await untilLamp("numlock", { lit: true, trigger: "none" });
  await button(true);
  await button(false);
  await vi.waitFor(async () => expect(await said("button-status")).toBe(1), SOON);
  await untilLamp("numlock", { lit: true, trigger: "none" });
  await button(true);
  await untilLamp("numlock", { trigger: "timer" });
  await button(false);
  await vi.waitFor(async () => expect(await said("button-called-off")).toBe(1), SOON);
  expect((await shell(box, "futago status")).text).toContain("active");
});
