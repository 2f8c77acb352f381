/** The watchdog: a device that resets the machine when nobody feeds it. Opening it starts it. */
import { closeSync, constants, existsSync, openSync, writeSync } from "node:fs";
import { refused } from "../addon/refused.ts";
import type { Watchdog } from "../contract/machine.ts";
import { calls } from "./calls.ts";

/** The character that disarms the watchdog on close. @see Linux Documentation/watchdog/watchdog-api.rst "Magic Close" */
const MAGIC_CLOSE = "V";

/** Opens and thereby arms `device`; undefined when the machine has none. Throws HalError EBUSY when somebody else feeds it. */
export function openWatchdogDevice(devRoot: string, device = "watchdog0"): Watchdog | undefined {
  const path = `${devRoot}/${device}`;
  if (!existsSync(path)) return undefined;
  const fd = refused(() => openSync(path, constants.O_WRONLY), `cannot open ${path}`);
  const close = () => {
    try {
      writeSync(fd, MAGIC_CLOSE);
    } finally {
      closeSync(fd);
    }
  };
  try {
    const identity = refused(() => calls.watchdogIdentity(fd), `${path} is no watchdog`);
    return {
      identity,
      // Any byte feeds, except the magic one.
      feed: () => void refused(() => writeSync(fd, "\0"), `cannot feed ${path}`),
      setTimeoutSeconds: (seconds) =>
        void refused(() => calls.watchdogSetTimeout(fd, seconds), `${path} does not take ${seconds} s`),
      close: () => refused(close, `cannot close ${path}`),
    };
  } catch (error) {
    close();
    throw error;
  }
}
