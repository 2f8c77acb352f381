import type { Board } from "../contract/machine.ts";
import { openGpioLine, watchGpioLine } from "./gpio.ts";
import { readIdentity } from "./identity.ts";
import { watchKey } from "./key.ts";
import { openLeds } from "./led.ts";
import { portAt } from "./port.ts";
import { openWatchdogDevice } from "./watchdog.ts";

export interface BoardRoots {
  readonly sysRoot?: string;
  readonly devRoot?: string;
}

/** The lights, lines, keys and watchdog found under `sysRoot` and `devRoot`. Nothing is touched before it is asked for. */
export function openBoard({ sysRoot = "/sys", devRoot = "/dev" }: BoardRoots = {}): Board {
  const roots = { sysRoot, devRoot };
  return {
    identity: () => readIdentity(sysRoot),
    portAt: (bus) => portAt(sysRoot, bus),
    leds: () => openLeds(sysRoot),
    gpioInput: (chip, offset) => openGpioLine(roots, chip, offset, 0),
    gpioOutput: (chip, offset, initial) => openGpioLine(roots, chip, offset, initial ? 2 : 1),
    watchLine: (chip, offset, listener) => watchGpioLine(roots, chip, offset, listener),
    watchKey: (name, code, listener) => watchKey(roots, name, code, listener),
    openWatchdog: (device) => openWatchdogDevice(roots, device),
  };
}
