/** LEDs and sysfs GPIO on directory trees shaped like the kernel's. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HalError } from "../contract/error.ts";
import type { Board, Led } from "../contract/machine.ts";
import { openBoard } from "./board.ts";

let root = "";
let board: Board = openBoard({ sysRoot: "/nowhere", devRoot: "/nowhere" });

beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/futago-board-`);
  board = openBoard({ sysRoot: `${root}/sys`, devRoot: `${root}/dev` });
});
afterEach(() => rmSync(root, { recursive: true }));

function plant(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(`${root}/${path}`), { recursive: true });
    writeFileSync(`${root}/${path}`, text);
  }
}

function content(path: string): string {
  return readFileSync(`${root}/${path}`, "utf8");
}

function code(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof HalError) return error.code;
    throw error;
  }
  return "none";
}

describe("an LED", () => {
  const directory = "sys/class/leds/apu:green:1";
  function plantLed(triggers = "[none] timer netdev heartbeat\n"): Led {
    plant({ [`${directory}/trigger`]: triggers, [`${directory}/max_brightness`]: "255\n" });
    for (const name of ["brightness", "delay_on", "delay_off", "device_name", "link", "rx", "tx"])
      plant({ [`${directory}/${name}`]: "0\n" });
    return board.leds()[0]!;
  }

  test("is lit at its full brightness and put out", () => {
    const led = plantLed();
    expect(led.name).toBe("apu:green:1");
    led.set(true);
    expect(content(`${directory}/brightness`)).toBe("255");
    led.set(false);
    expect(content(`${directory}/brightness`)).toBe("0");
  });

  test("that blinked is taken from its timer before it is lit", () => {
    const led = plantLed("none [timer] netdev\n");
    led.set(true);
    expect(content(`${directory}/trigger`)).toBe("none");
  });

  test("blinks by the kernel's timer", () => {
    plantLed().blink(900, 100);
    expect(content(`${directory}/trigger`)).toBe("timer");
    expect([content(`${directory}/delay_on`), content(`${directory}/delay_off`)]).toEqual(["900", "100"]);
  });

  test("follows the carrier of a link and nothing else of it", () => {
    plantLed().followLink("eth1");
    expect(content(`${directory}/trigger`)).toBe("netdev");
    expect(content(`${directory}/device_name`)).toBe("eth1");
    expect(["link", "rx", "tx"].map((name) => content(`${directory}/${name}`))).toEqual(["1", "0", "0"]);
  });

  test("whose kernel lacks the trigger is ENOTSUP and left as it was", () => {
    const led = plantLed("[none] heartbeat\n");
    expect(code(() => led.blink(100, 100))).toBe("ENOTSUP");
    expect(content(`${directory}/trigger`)).toBe("[none] heartbeat\n");
  });

  test("that was unplugged is ENOENT", () => {
    const led = plantLed();
    rmSync(`${root}/${directory}`, { recursive: true });
    expect(code(() => led.set(true))).toBe("ENOENT");
  });
});

test("a machine without an LED class has no LEDs", () => {
  expect(board.leds()).toEqual([]);
});

describe("sysfs GPIO", () => {
  const lines = "sys/class/gpio";

  /** A chip of 32 lines that starts at 512, as the kernel shows it: bus device and class device beside each other. */
  function plantChip(): void {
    const device = "sys/devices/platform/AMDIF031:00";
    plant({
      [`${device}/gpiochip0/uevent`]: "",
      [`${device}/gpio/gpiochip512/base`]: "512\n",
      [`${device}/gpio/gpiochip512/ngpio`]: "32\n",
      [`${device}/gpio/gpiochip512/label`]: "AMDIF031:00\n",
      [`${lines}/export`]: "",
      [`${lines}/unexport`]: "",
    });
    mkdirSync(`${root}/sys/bus/gpio/devices`, { recursive: true });
    symlinkSync(`${root}/${device}/gpiochip0`, `${root}/sys/bus/gpio/devices/gpiochip0`);
    symlinkSync(`${root}/${device}/gpio/gpiochip512`, `${root}/${lines}/gpiochip512`);
  }

  function plantLine(number: number, value: string): void {
    plant({ [`${lines}/gpio${number}/direction`]: "in\n", [`${lines}/gpio${number}/value`]: value });
  }

  test("finds the line's global number by the chip's device and reads it", () => {
    plantChip();
    plantLine(517, "1\n");
    const line = board.gpioInput("gpiochip0", 5);
    expect(line.get()).toBe(true);
    expect(content(`${lines}/gpio517/direction`)).toBe("in");
  });

  test("finds the chip by its label too", () => {
    plantChip();
    plantLine(515, "0\n");
    expect(board.gpioInput("AMDIF031:00", 3).get()).toBe(false);
  });

  test("makes an output with its level at once and sets it", () => {
    plantChip();
    plantLine(512, "0\n");
    const line = board.gpioOutput("gpiochip0", 0, true);
    expect(content(`${lines}/gpio512/direction`)).toBe("high");
    line.set(true);
    expect(content(`${lines}/gpio512/value`)).toBe("1");
    line.set(false);
    expect(content(`${lines}/gpio512/value`)).toBe("0");
    board.gpioOutput("gpiochip0", 0, false);
    expect(content(`${lines}/gpio512/direction`)).toBe("low");
  });

  test("exports a line that is not exported, and unexports on close", () => {
    plantChip();
    // A plain directory does not grow the line when its number is written; the kernel's does.
    expect(code(() => board.gpioInput("gpiochip0", 9))).toBe("ENOENT");
    expect(content(`${lines}/export`)).toBe("521");
    plantLine(521, "0\n");
    board.gpioInput("gpiochip0", 9).close();
    expect(content(`${lines}/unexport`)).toBe("521");
  });

  test("takes over a line that an earlier run left exported", () => {
    plantChip();
    plantLine(520, "0\n");
    board.gpioInput("gpiochip0", 8);
    expect(content(`${lines}/export`)).toBe("");
  });

  test("refuses a line beyond the chip's last, an unknown chip, and names that are paths", () => {
    plantChip();
    expect(code(() => board.gpioInput("gpiochip0", 32))).toBe("EINVAL");
    expect(code(() => board.gpioInput("gpiochip4", 0))).toBe("ENODEV");
    expect(code(() => board.gpioInput("../class/leds", 0))).toBe("EINVAL");
    expect(code(() => board.gpioInput("gpiochip0", 1.5))).toBe("EINVAL");
    expect(content(`${lines}/export`)).toBe("");
  });

  test("that the kernel does not have is ENOTSUP", () => {
    expect(code(() => board.gpioInput("gpiochip0", 0))).toBe("ENOTSUP");
  });
});

describe("this machine's own hardware", () => {
  const own = openBoard();
  // Driving a line or arming a watchdog does something to the machine: only those that a person names are touched.
  const { FUTAGO_TEST_GPIO: gpio, FUTAGO_TEST_WATCHDOG: watchdog } = process.env;
  const chips = readdirSync("/dev").filter((name) => name.startsWith("gpiochip"));
  const watchdogs = readdirSync("/dev").filter((name) => name.startsWith("watchdog"));

  test("lists its LEDs", (context) => {
    const leds = own.leds();
    context.skip(leds.length === 0, "this kernel has no LED class devices; the image's QEMU test drives keyboard LEDs");
    for (const led of leds) expect(led.name).not.toBe("");
  });

  test("drives the GPIO line named by FUTAGO_TEST_GPIO=gpiochip0:5", (context) => {
    const lacking = chips.length === 0 ? "this kernel has no GPIO chip (GPIO_CDEV)" : "FUTAGO_TEST_GPIO names no line";
    if (gpio === undefined) {
      context.skip(`${lacking}; the image's QEMU test drives a pl061`);
      return;
    }
    const [chip = "", offset] = gpio.split(":");
    for (const level of [true, false]) {
      const line = own.gpioOutput(chip, Number(offset), level);
      expect(line.get()).toBe(level);
      line.set(!level);
      expect(line.get()).toBe(!level);
      line.close();
    }
  });

  test("arms, feeds and disarms the watchdog named by FUTAGO_TEST_WATCHDOG=watchdog0", (context) => {
    const lacking =
      watchdogs.length === 0 ? "this kernel has no watchdog (WATCHDOG_CORE)" : "FUTAGO_TEST_WATCHDOG names none";
    if (watchdog === undefined) {
      context.skip(`${lacking}; the image's QEMU test is reset by an i6300esb`);
      return;
    }
    const opened = own.openWatchdog(watchdog)!;
    opened.setTimeoutSeconds(20);
    opened.feed();
    opened.close();
    expect(opened.identity).not.toBe("");
  });
});
