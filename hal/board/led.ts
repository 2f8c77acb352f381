/** Lights: LED class devices under /sys/class/leds and their triggers "none", "timer" and "netdev". */
import { existsSync, readdirSync } from "node:fs";
import { refused } from "../addon/refused.ts";
import { HalError } from "../contract/error.ts";
import type { Led } from "../contract/machine.ts";
import { readAttribute, writeAttribute } from "./attribute.ts";

/** Every LED that the kernel knows, by name; none where it has no LED class. */
export function openLeds(sysRoot: string): readonly Led[] {
  const directory = `${sysRoot}/class/leds`;
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .toSorted()
    .map((name) => openLed(`${directory}/${name}`, name));
}

function openLed(directory: string, name: string): Led {
  const write = (attribute: string, value: string) =>
    refused(
      () => writeAttribute(`${directory}/${attribute}`, value),
      `LED ${name} does not take ${attribute} ${value}`,
    );
  return {
    name,
    set(on) {
      // A trigger would write over the brightness at its next tick.
      chooseTrigger(directory, name, "none");
      const brightest = refused(() => readAttribute(`${directory}/max_brightness`), `LED ${name}`);
      write("brightness", on ? brightest : "0");
    },
    blink(onMillis, offMillis) {
      chooseTrigger(directory, name, "timer");
      write("delay_on", String(onMillis));
      write("delay_off", String(offMillis));
    },
    followLink(ifname) {
      chooseTrigger(directory, name, "netdev");
      write("device_name", ifname);
      // Carrier alone: with rx and tx the light flickers, and nobody can tell a cable from traffic.
      for (const [attribute, value] of [
        ["link", "1"],
        ["rx", "0"],
        ["tx", "0"],
      ] as const)
        write(attribute, value);
    },
  };
}

/** @see Linux Documentation/leds/leds-class.rst: the file lists all triggers, the chosen one in brackets. */
function chooseTrigger(directory: string, name: string, trigger: "none" | "timer" | "netdev"): void {
  const path = `${directory}/trigger`;
  const offered = refused(() => readAttribute(path), `LED ${name}`).split(/\s+/);
  if (offered.includes(`[${trigger}]`)) return;
  if (!offered.includes(trigger)) {
    throw new HalError(
      "ENOTSUP",
      "led",
      `LED ${name} has no trigger "${trigger}"; this kernel lacks ledtrig-${trigger}`,
    );
  }
  refused(() => writeAttribute(path, trigger), `LED ${name} does not take trigger ${trigger}`);
}
