import { describe, expect, it } from "vitest";
import { devicesNamed, withDevices } from "./devices.ts";

const alone = {
  interfaces: [
    { name: "wan", device: "eth0", note: "up" },
    { name: "lan", device: "eth1" },
  ],
  routes: [],
};
const pair = {
  interfaces: [
    { name: "wan", device: "eth0" },
    { name: "lan", device: { a: "eth1", b: "ens5" } },
  ],
};
const map = new Map([
  ["eth0", "enp1s0"],
  ["eth1", "enp2s0"],
]);

describe("devices", () => {
  it("are those that this box is asked for", () => {
    expect(devicesNamed(alone, undefined)).toEqual(["eth0", "eth1"]);
    expect(devicesNamed(pair, "a")).toEqual(["eth0", "eth1"]);
    expect(devicesNamed(pair, "b")).toEqual(["eth0", "ens5"]);
  });

  it("of a box alone get the names that they have here", () => {
    expect(withDevices(alone, undefined, map)).toEqual({
      interfaces: [
        { name: "wan", device: "enp1s0", note: "up" },
        { name: "lan", device: "enp2s0" },
      ],
      routes: [],
    });
  });

  it("of a pair get them for this box only", () => {
    expect(withDevices(pair, "a", map)).toEqual({
      interfaces: [
        { name: "wan", device: { a: "enp1s0", b: "eth0" } },
        { name: "lan", device: { a: "enp2s0", b: "ens5" } },
      ],
    });
    expect(withDevices(pair, "b", new Map([["ens5", "eth1"]]))).toEqual({
      interfaces: [
        { name: "wan", device: "eth0" },
        { name: "lan", device: "eth1" },
      ],
    });
  });

  it("that change names are not mixed up", () => {
    const swapped = new Map([
      ["eth0", "eth1"],
      ["eth1", "eth0"],
    ]);
    expect(devicesNamed(withDevices(alone, undefined, swapped), undefined)).toEqual(["eth1", "eth0"]);
  });

  it("are none in what is no document", () => {
    for (const other of [null, 7, "x", [], {}, { interfaces: 7 }, { interfaces: [7, null, { device: 7 }] }]) {
      expect(devicesNamed(other, "a")).toEqual([]);
      expect(withDevices(other, "a", new Map())).toBe(other);
    }
  });
});
