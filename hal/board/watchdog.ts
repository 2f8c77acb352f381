/** The watchdog: a device that resets the machine when nobody feeds it. Opening it starts it. */
import { closeSync, constants, existsSync, openSync, writeSync } from "node:fs";
import { refused } from "../addon/refused.ts";
import { HalError } from "../contract/error.ts";
import type { Watchdog } from "../contract/machine.ts";
import { readAttribute } from "./attribute.ts";
import type { BoardRoots } from "./board.ts";
import { calls } from "./calls.ts";

/** The character that disarms the watchdog on close. @see Linux Documentation/watchdog/watchdog-api.rst "Magic Close" */
const MAGIC_CLOSE = "V";

/** Opens and thereby arms `device`; undefined when the machine has none. Throws HalError EBUSY when somebody else feeds it. */
export function openWatchdogDevice(roots: Required<BoardRoots>, device = "watchdog0"): Watchdog | undefined {
  const path = `${roots.devRoot}/${device}`;
  if (!existsSync(path)) return undefined;
  const fd = refused(() => openSync(path, constants.O_WRONLY), `cannot open ${path}`);
  const close = () => {
    try {
      writeSync(fd, MAGIC_CLOSE);
    } finally {
      closeSync(fd);
    }
  };
  const attribute = (name: string) => attributeOf(`${roots.sysRoot}/class/watchdog/${device}/${name}`);
  try {
    const identity = refused(() => calls.watchdogIdentity(fd), `${path} is no watchdog`);
    return {
      identity,
      neverStops: attribute("nowayout") === 1,
      // Any byte feeds, except the magic one.
      feed: () => void refused(() => writeSync(fd, "\0"), `cannot feed ${path}`),
      setTimeoutSeconds: (seconds) => setTimeout(fd, path, within(seconds, attribute)),
      close: () => refused(close, `cannot close ${path}`),
      leaveArmed: () => refused(() => closeSync(fd), `cannot close ${path}`),
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** @see Linux Documentation/ABI/testing/sysfs-class-watchdog; 0 stands for no limit. */
function within(seconds: number, attribute: (name: string) => number | undefined): number {
  if (seconds < 1) return seconds;
  const least = Math.max(seconds, attribute("min_timeout") ?? 0);
  return Math.min(least, attribute("max_timeout") || least);
}

/** The kernel refuses a time that a device cannot count; drivers that round say what they made of it. */
function setTimeout(fd: number, path: string, seconds: number): number {
  try {
    return refused(() => calls.watchdogSetTimeout(fd, seconds), `${path} does not take ${seconds} s`);
  } catch (error) {
    const mayTakeLess = error instanceof HalError && error.code === "EINVAL" && seconds >= 2;
    if (!mayTakeLess) throw error;
    return setTimeout(fd, path, Math.floor(seconds / 2));
  }
}

function attributeOf(path: string): number | undefined {
  return existsSync(path) ? Number(readAttribute(path)) : undefined;
}
