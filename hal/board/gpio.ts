/**
 * General-purpose lines. The character device /dev/gpiochipN (version 2 of its interface, Linux 5.10) where there is
 * one: the kernel frees its lines when we die. Sysfs GPIO where there is none: exported lines outlive us.
 */
import { closeSync, constants, existsSync, openSync, readdirSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { refused } from "../addon/refused.ts";
import { HalError } from "../contract/error.ts";
import type { GpioLine, InputListener, WatchedInput } from "../contract/machine.ts";
import { readAttribute, writeAttribute } from "./attribute.ts";
import { calls, type GpioMode } from "./calls.ts";

/** A finger is slower. */
const LOOK_MILLIS = 100;

export interface GpioRoots {
  readonly sysRoot: string;
  readonly devRoot: string;
}

export function openGpioLine(roots: GpioRoots, chip: string, offset: number, mode: GpioMode): GpioLine {
  if (!/^[\w:.-]+$/.test(chip) || !Number.isInteger(offset) || offset < 0) {
    throw new HalError("EINVAL", "gpio", `"${chip}" line ${offset} is no GPIO line`);
  }
  const device = characterDevice(roots.devRoot, chip);
  if (device === undefined)
    return openSysfs(`${roots.sysRoot}/class/gpio`, sysfsNumber(roots.sysRoot, chip, offset), mode);
  const what = `${chip} line ${offset}`;
  const line = requestLine(device, offset, mode, what);
  return {
    get: () => refused(() => calls.gpioGet(line), what) === 1,
    set: (value) => refused(() => calls.gpioSet(line, value ? 1 : 0), what),
    close: () => closeSync(line),
  };
}

/** By edges where the chip raises interrupts, else by looking. */
export function watchGpioLine(roots: GpioRoots, chip: string, offset: number, listener: InputListener): WatchedInput {
  const device = /^[\w:.-]+$/.test(chip) ? characterDevice(roots.devRoot, chip) : undefined;
  const what = `${chip} line ${offset}`;
  if (device === undefined) return lookAtLine(openGpioLine(roots, chip, offset, 0), listener);
  let line: number;
  try {
    line = requestLine(device, offset, 3, what);
  } catch (error) {
    // ENXIO: the chip has no interrupts, or none for that line.
    if (!(error instanceof HalError && error.code === "ENXIO")) throw error;
    return lookAtLine(openGpioLine(roots, chip, offset, 0), listener);
  }
  const level = refused(() => calls.gpioGet(line), what) === 1;
  const handle = calls.deviceWatch(line, (bytes) => {
    if (bytes !== undefined) return listener(calls.gpioGet(line) === 1);
    calls.socketClose(handle);
    listener(undefined);
  });
  return { level, close: () => calls.socketClose(handle) };
}

function lookAtLine(line: GpioLine, listener: InputListener): WatchedInput {
  const level = line.get();
  let told = level;
  const timer = setInterval(() => {
    const now = line.get();
    if (now === told) return;
    told = now;
    listener(now);
  }, LOOK_MILLIS);
  timer.unref();
  const close = () => {
    clearInterval(timer);
    line.close();
  };
  return { level, close };
}

/** The path of a chip by its device's name or its label; undefined where this kernel shows none. */
function characterDevice(devRoot: string, chip: string): string | undefined {
  const named = `${devRoot}/${chip}`;
  if (existsSync(named)) return named;
  if (!existsSync(devRoot)) return undefined;
  const chips = readdirSync(devRoot).filter((name) => /^gpiochip\d+$/.test(name));
  return chips.map((name) => `${devRoot}/${name}`).find((path) => labelOf(path) === chip);
}

function labelOf(path: string): string {
  return refused(() => {
    const fd = openSync(path, constants.O_RDWR);
    try {
      return calls.gpioChipLabel(fd);
    } finally {
      closeSync(fd);
    }
  }, path);
}

/** The line's file descriptor. */
function requestLine(device: string, offset: number, mode: GpioMode, what: string): number {
  return refused(() => {
    const chipFd = openSync(device, constants.O_RDWR);
    try {
      return calls.gpioRequest(chipFd, offset, mode);
    } finally {
      closeSync(chipFd);
    }
  }, what);
}

/** @see Linux Documentation/userspace-api/gpio/sysfs.rst */
function openSysfs(directory: string, number: number, mode: GpioMode): GpioLine {
  const line = `${directory}/gpio${number}`;
  const what = `sysfs GPIO ${number}`;
  refused(() => {
    // A line that is exported already was left by a run of ours that died.
    if (!existsSync(line)) writeAttribute(`${directory}/export`, String(number));
    // "high" and "low" set direction and value at once, without a glitch between.
    writeAttribute(`${line}/direction`, mode === 0 ? "in" : mode === 1 ? "low" : "high");
  }, what);
  return {
    get: () => refused(() => readAttribute(`${line}/value`), what) === "1",
    set: (value) => refused(() => writeAttribute(`${line}/value`, value ? "1" : "0"), what),
    close: () => refused(() => writeAttribute(`${directory}/unexport`, String(number)), what),
  };
}

/**
 * The global number of a line of `gpiochipN`. Sysfs names its chips by their first number instead, which moves
 * between kernels; both names hang off the same device, or the chip's label is given.
 */
function sysfsNumber(sysRoot: string, chip: string, offset: number): number {
  const classDirectory = `${sysRoot}/class/gpio`;
  if (!existsSync(classDirectory)) {
    throw new HalError("ENOTSUP", "gpio", `no ${chip}: this kernel has neither a GPIO character device nor sysfs GPIO`);
  }
  const bases = siblingChips(sysRoot, chip);
  const found = bases.length > 0 ? bases : chipsByLabel(classDirectory, chip);
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const count = found.length === 0 ? "no chip" : `${found.length} chips`;
    throw new HalError("ENODEV", "gpio", `${count} of sysfs GPIO found for ${chip}; name the chip by its label`);
  }
  const attribute = (name: string) =>
    Number(refused(() => readAttribute(`${classDirectory}/${only}/${name}`), `sysfs GPIO chip ${only}`));
  const lines = attribute("ngpio");
  if (offset >= lines)
    throw new HalError("EINVAL", "gpio", `${chip} has ${lines} lines, the first is 0; asked for ${offset}`);
  return attribute("base") + offset;
}

/** The gpio class devices beside or below the bus device `gpiochipN` (drivers/gpio/gpiolib-sysfs.c). */
function siblingChips(sysRoot: string, chip: string): readonly string[] {
  const busDevice = `${sysRoot}/bus/gpio/devices/${chip}`;
  if (!existsSync(busDevice)) return [];
  const device = realpathSync(busDevice);
  const directories = [`${device}/gpio`, `${dirname(device)}/gpio`].filter((path) => existsSync(path));
  return directories.slice(0, 1).flatMap((path) => readdirSync(path).filter((name) => name.startsWith("gpiochip")));
}

function chipsByLabel(classDirectory: string, label: string): readonly string[] {
  return readdirSync(classDirectory).filter(
    (name) => name.startsWith("gpiochip") && readAttribute(`${classDirectory}/${name}/label`) === label,
  );
}
