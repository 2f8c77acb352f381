import type { Board } from "../contract/machine.ts";
import { openGpioLine } from "./gpio.ts";
import { openLeds } from "./led.ts";
import { openWatchdogDevice } from "./watchdog.ts";

export interface BoardRoots {
  readonly sysRoot?: string;
  readonly devRoot?: string;
}

/** The lights, lines and watchdog found under `sysRoot` and `devRoot`. Nothing is touched before it is asked for. */
export function openBoard({ sysRoot = "/sys", devRoot = "/dev" }: BoardRoots = {}): Board {
  const roots = { sysRoot, devRoot };
  return {
    leds: () => openLeds(sysRoot),
    gpioInput: (chip, offset) => openGpioLine(roots, chip, offset, 0),
    gpioOutput: (chip, offset, initial) => openGpioLine(roots, chip, offset, initial ? 2 : 1),
    openWatchdog: (device) => openWatchdogDevice(devRoot, device),
  };
}
