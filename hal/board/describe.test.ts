/** Which machine gets which description, and what a person is told who wrote a wrong one. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BoardIdentity } from "../contract/machine.ts";
import { chooseBoard, DESCRIPTIONS, readBoardFile } from "./describe.ts";
import { DescriptionError, readDescription } from "./description.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(`${tmpdir()}/futago-describe-`);
});
afterEach(() => rmSync(directory, { recursive: true }));

const auto = (identity: Partial<BoardIdentity>) =>
  chooseBoard("auto", `${directory}/board.json`, { dmi: {}, compatible: [], ...identity });

test("every description there is can be chosen", () => {
  const files = readdirSync(fileURLToPath(new URL("descriptions", import.meta.url)));
  expect(DESCRIPTIONS.length).toBe(files.length);
  for (const one of DESCRIPTIONS) expect(readDescription(one).description.watchdog?.device).toBe("watchdog0");
});

test.each<[string, Partial<BoardIdentity>]>([
  ["PC Engines APU2, APU3 or APU4", { dmi: { sys_vendor: "PC Engines", board_name: "apu4" } }],
  ["PC Engines APU2, APU3 or APU4", { dmi: { sys_vendor: "PC Engines", board_name: "PC Engines apu2" } }],
  // The first APU has other chips.
  ["generic", { dmi: { sys_vendor: "PC Engines", board_name: "apu1" } }],
  ["FriendlyElec NanoPi R4S", { compatible: ["friendlyarm,nanopi-r4s", "rockchip,rk3399"] }],
  ["FriendlyElec NanoPi R5S", { compatible: ["friendlyarm,nanopi-r5s", "rockchip,rk3568"] }],
  ["Raspberry Pi Compute Module 4", { compatible: ["raspberrypi,4-compute-module", "brcm,bcm2711"] }],
  ["QEMU x86", { dmi: { sys_vendor: "QEMU", product_name: "Standard PC (i440FX + PIIX, 1996)" } }],
  ["QEMU arm64 virt", { compatible: ["linux,dummy-virt"] }],
  ["generic", { dmi: { sys_vendor: "Protectli", board_name: "VP2420" } }],
  ["generic", {}],
])("%s is %j", (name, identity) => expect(auto(identity).description.name).toBe(name));

describe("a person's own description", () => {
  const write = (value: unknown) => writeFileSync(`${directory}/board.json`, JSON.stringify(value));

  test("goes before all others", () => {
    write({ name: "mine", lights: { role: { gpio: "gpiochip0", line: 4, activeLow: true } } });
    expect(auto({ compatible: ["linux,dummy-virt"] })).toEqual({
      description: {
        name: "mine",
        watchdog: undefined,
        lights: { role: { kind: "gpio", chip: "gpiochip0", line: 4, activeLow: true } },
        links: [],
        button: undefined,
      },
      problem: undefined,
    });
  });

  test("that is wrong leaves the box the one that fits, and says why", () => {
    write({ name: "mine", lights: { rôle: {} } });
    const { description, problem } = auto({ compatible: ["linux,dummy-virt"] });
    expect(description.name).toBe("QEMU arm64 virt");
    expect(problem).toContain(`${directory}/board.json: lights has rôle, but may have only role, peer, alarm, locate`);
  });

  test("that is no JSON, or is not there, is refused with the disk's or the parser's word", () => {
    writeFileSync(`${directory}/board.json`, "{");
    expect(() => readBoardFile(`${directory}/board.json`)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => readBoardFile(`${directory}/other.json`)).toThrow(/other\.json: ENOENT/);
  });
});

describe("what is wrong is said where it is", () => {
  const faults = (value: unknown) => {
    try {
      readDescription(value);
    } catch (error) {
      if (error instanceof DescriptionError) return error.faults;
      throw error;
    }
    return [];
  };
  test.each<[unknown, readonly string[]]>([
    [[], ["the description is not an object", "name is missing"]],
    [
      { name: "x", leds: [] },
      ["the description has leds, but may have only name, match, watchdog, lights, links, button"],
    ],
    [
      { name: "x", watchdog: { device: "/dev/sda", seconds: 1 } },
      [
        'watchdog.device is not a device of /dev such as "watchdog0"',
        "watchdog.seconds is not a whole number from 5 to 600",
      ],
    ],
    [{ name: "x", lights: { role: { led: "a", line: 1 } } }, ["lights.role has line, but may have only led"]],
    [{ name: "x", lights: { role: {} } }, ["lights.role.gpio is missing", "lights.role.line is missing"]],
    [
      { name: "x", lights: { peer: { gpio: "../mem", line: 1.5, activeLow: "no" } } },
      [
        "lights.peer.gpio is not the label or the device of a GPIO chip",
        "lights.peer.line is not a whole number from 0 to 1024",
        "lights.peer.activeLow is neither true nor false",
      ],
    ],
    [{ name: "x", links: {} }, ["links is not a list"]],
    [{ name: "x", links: [{ led: "a" }] }, ['links.0 needs either "bus" or "device"', "links.0.device is missing"]],
    [
      { name: "x", button: { input: "keys", key: "KEY_NONE" } },
      [expect.stringMatching(/^button\.key is neither one of KEY_F12, .* nor the number of a key/)],
    ],
    [
      { name: "x", button: { input: [7], key: 9_999 } },
      ["button.input is not a text", "button.key is not a whole number from 1 to 767"],
    ],
    [{ name: "x", match: {} }, ['match needs either "dmi" or "compatible"']],
  ])("%j", (value, said) => expect(faults(value)).toEqual(said));
});
