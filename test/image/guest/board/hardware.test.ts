/**
 * A whole box on a machine with a watchdog, LEDs and keys: QEMU's i6300esb, and the lights and the keys of its keyboard. The
 * first test ends with a reset of the machine, so all of this is run twice, and the second time it passes at once.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openBoard } from "@futago/hal/board/board.ts";
import { ask } from "@futago/firmware/cli/client.ts";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { createNetwork, type Namespace, type TestNetwork } from "../../../netns/namespaces.ts";
import { Boxes, type RunningBox } from "../../../netns/running-box.ts";
import type { Press } from "../../board.ts";

const PATIENCE_MILLIS = 240_000;
const REPORT = "/run/report";
const LEDS = "/sys/class/leds";
const BOOT_ID = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const FROZEN = `${REPORT}/frozen`;

let net: TestNetwork;
let files: Boxes;
let here: Namespace;
let box: RunningBox;

beforeAll(async () => {
  if (!readFileSync("/proc/cmdline", "utf8").includes("futago.guest")) throw new Error("this resets the machine");
  // What udev does on a box, by hand: the drivers, and then the rule's program for the watchdog.
  for (const module of ["evdev", "input-leds", "ledtrig-timer", "ledtrig-netdev"])
    execFileSync("modprobe", ["-q", module]);
  execFileSync("modprobe", ["i6300esb", "heartbeat=120"]);
  files = new Boxes();
  net = await createNetwork();
  here = await net.namespace("here");
  await net.link(here, "eth0", await net.namespace("there"), "eth0");
}, PATIENCE_MILLIS);
afterAll(async () => {
  await files.destroy([here]);
  await net.destroy();
});

async function start(board: string): Promise<void> {
  const document = files.document("box.json", {
    interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] }],
    failoverGroups: [{ name: "edge", virtualRouters: [{ interface: "wan", vrid: 10, addresses: ["10.1.0.1/24"] }] }],
  });
  box = files.start(here, files.state(), "--import", document, "--board", board);
  await box.ready(PATIENCE_MILLIS);
}

const status = () => ask(box.state, "status", { services: [] });
const until = (holds: (shown: BoxStatus) => boolean) =>
  vi.waitUntil(
    async () => {
      const shown = await status().catch(() => undefined);
      return shown !== undefined && holds(shown) && shown;
    },
    { timeout: PATIENCE_MILLIS, interval: 200 },
  );
const watchdog = (attribute: string) => readFileSync(`/sys/class/watchdog/watchdog0/${attribute}`, "utf8").trim();

/** The keyboard's own light, and how it is driven. */
function led(name: string): { readonly lit: boolean; readonly trigger: string } {
  const directory = `${LEDS}/${readdirSync(LEDS).find((one) => one.endsWith(`::${name}`))}`;
  const read = (attribute: string) => readFileSync(`${directory}/${attribute}`, "utf8").trim();
  return { lit: read("brightness") !== "0", trigger: /\[(.*)\]/.exec(read("trigger"))?.[1] ?? "" };
}

/** Through the host, by QEMU, as a finger does it. */
async function qemu(press: Press): Promise<void> {
  writeFileSync(`${REPORT}/press.new`, JSON.stringify(press));
  execFileSync("mv", [`${REPORT}/press.new`, `${REPORT}/press`]);
  await vi.waitUntil(() => !existsSync(`${REPORT}/press`), { timeout: 30_000, interval: 20 });
}
const key = (down: boolean) =>
  qemu({
    command: "input-send-event",
    parameters: { events: [{ type: "key", data: { down, key: { type: "qcode", data: "f12" } } }] },
  });
const said = (event: string) =>
  box
    .stderr()
    .split("\n")
    .filter((line) => line.includes(`"event":"${event}"`));
const untilSaid = (event: string, count = 1) =>
  vi.waitUntil(() => said(event).length >= count, { timeout: PATIENCE_MILLIS, interval: 100 });
const passes = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

describe("the watchdog", () => {
  it("is armed before there is a box, by what udev runs", () => {
    execFileSync("images/base/files/usr/lib/futago/bin/arm-watchdog", ["watchdog0"]);
    expect([watchdog("state"), watchdog("timeout"), watchdog("identity")]).toEqual(["active", "120", "i6300ESB timer"]);
  });

  it("resets the machine when the sentinel is frozen", { timeout: 600_000 }, async () => {
    if (!existsSync(FROZEN)) await freeze();
    const { boot, frozenFor } = JSON.parse(readFileSync(FROZEN, "utf8")) as { boot: string; frozenFor: number };
    expect(boot).not.toBe(BOOT_ID);
    // Fed once a second, for twelve: the emulated timer counts by another clock than the marks were made by.
    expect(frozenFor).toBeGreaterThan(5);
    expect(readFileSync(`${REPORT}/events`, "utf8").split("\n")).toContain("WATCHDOG");
  });
});

/** Comes back only when nothing resets the machine. */
async function freeze(): Promise<void> {
  const impatient = { name: "impatient", watchdog: { device: "watchdog0", seconds: 12 } };
  await start(files.document("board.json", impatient));
  const { panel } = await until((shown) => shown.panel?.watchdog?.state === "armed");
  expect(panel).toMatchObject({ board: "impatient", watchdog: { seconds: 12, identity: "i6300ESB timer" } });
  // Longer than it waits: a box that is alive is left alone.
  await passes(16_000);
  const began = performance.now();
  process.kill(box.pid("sentinel"), "SIGSTOP");
  while (performance.now() - began < 120_000) {
    // The reset comes at any moment: a mark is whole, or the one before it stands.
    writeFileSync(`${FROZEN}.new`, JSON.stringify({ boot: BOOT_ID, frozenFor: (performance.now() - began) / 1_000 }));
    renameSync(`${FROZEN}.new`, FROZEN);
    await passes(200);
  }
}

describe("a box with lights and a button", () => {
  beforeAll(() => start("auto"), PATIENCE_MILLIS);

  it("shows by the kernel's LEDs that it serves, and that nothing is amiss", async () => {
    const armed = await until((shown) => shown.panel?.watchdog?.state === "armed");
    expect(armed.panel).toMatchObject({ board: "QEMU x86", watchdog: { seconds: 30 } });
    await until(({ role }) => role === "active");
    await vi.waitUntil(() => led("numlock").lit && led("numlock").trigger === "none", { timeout: PATIENCE_MILLIS });
    const { panel } = await until(({ alarms, panel: shown }) => alarms.length === 0 && shown?.lights.alarm === "off");
    expect(panel).toMatchObject({ button: "ready", lights: { role: "on", alarm: "off" }, locating: false });
    expect(led("capslock")).toMatchObject({ lit: false, trigger: "none" });
  });

  it("lets the kernel show the link of a port", async () => {
    execFileSync("sh", [
      "-c",
      "ip link add port1 type veth peer name cable && ip link set cable up && ip link set port1 up",
    ]);
    await vi.waitUntil(() => led("scrolllock").trigger === "netdev" && led("scrolllock").lit, {
      timeout: PATIENCE_MILLIS,
    });
    execFileSync("ip", ["link", "set", "cable", "down"]);
    await vi.waitUntil(() => !led("scrolllock").lit, { timeout: PATIENCE_MILLIS });
    expect(led("scrolllock").trigger).toBe("netdev");
    execFileSync("ip", ["link", "del", "cable"]);
  });

  it("is found by `futago locate`", async () => {
    expect(await box.futago("locate", "on")).toMatchObject({ code: 0 });
    await vi.waitUntil(() => ["numlock", "capslock"].every((name) => led(name).trigger === "timer"), {
      timeout: 30_000,
    });
    expect(await box.futago("locate", "off")).toMatchObject({ code: 0 });
    await vi.waitUntil(() => led("numlock").trigger === "none" && led("numlock").lit, { timeout: 30_000 });
  });

  it("shows its status at a short press", async () => {
    await key(true);
    await key(false);
    await untilSaid("button-status");
    // The code, and then the lights as before.
    await until(({ panel }) => panel?.lights.role === "off");
    const { panel } = await until(({ panel: shown }) => shown?.lights.role === "on");
    expect(panel).toMatchObject({ button: "ready", locating: false });
  });

  it("calls off what was held for too short a time, and warns before a reset", async () => {
    await key(true);
    await vi.waitUntil(() => led("numlock").trigger === "timer", { timeout: PATIENCE_MILLIS, interval: 50 });
    await key(false);
    await untilSaid("button-called-off");
    expect((await until(({ role }) => role === "active")).revision).not.toBe("");
  });

  it("is taken over by the next sentinel when one dies, watchdog and light", async () => {
    const dead = box.pid("sentinel");
    process.kill(dead, "SIGKILL");
    await vi.waitUntil(() => ![0, dead].includes(box.pid("sentinel")), { timeout: PATIENCE_MILLIS });
    expect(watchdog("state")).toBe("active");
    await vi.waitUntil(() => led("numlock").trigger === "timer", { timeout: PATIENCE_MILLIS, interval: 50 });
    await until(({ role }) => role === "active");
    await vi.waitUntil(() => led("numlock").lit && led("numlock").trigger === "none", { timeout: PATIENCE_MILLIS });
    expect((await until(({ panel }) => panel?.watchdog?.state === "armed")).panel?.watchdog?.seconds).toBe(30);
  });

  it("forgets everything when the button is held through the warning", { timeout: 600_000 }, async () => {
    await key(true);
    // Fast blinking, and then steady: letting go now is the order.
    await vi.waitUntil(() => led("capslock").trigger === "timer", { timeout: PATIENCE_MILLIS, interval: 50 });
    await vi.waitUntil(() => led("capslock").trigger === "none" && led("capslock").lit, {
      timeout: PATIENCE_MILLIS,
      interval: 50,
    });
    await key(false);
    await until(({ revision, panel }) => revision === "" && panel?.watchdog?.state === "armed");
    expect(said("button-factory-reset").length).toBe(1);
    await vi.waitUntil(() => led("numlock").trigger === "timer", { timeout: PATIENCE_MILLIS });
  });

  it("stops the watchdog when it is stopped in order, and no light is left on", { timeout: 300_000 }, async () => {
    expect(await box.stop()).toMatchObject({ code: 0 });
    expect([watchdog("state"), led("numlock").lit, led("capslock").lit]).toEqual(["inactive", false, false]);
  });
});

it("the board is what the machine says", () => {
  expect(openBoard().identity().dmi["sys_vendor"]).toBe("QEMU");
});
