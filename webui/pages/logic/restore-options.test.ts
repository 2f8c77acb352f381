import { expect, test } from "vitest";
import { base64, deviceMap } from "./restore-options.ts";

test("renamed ports are read as pairs", () => {
  expect(deviceMap(" eth0=enp1s0 , eth1 = enp2s0,")).toEqual({ eth0: "enp1s0", eth1: "enp2s0" });
  expect(deviceMap("")).toEqual({});
});

test("a passphrase in any letters goes as base64 of its UTF-8", () => {
  expect(base64("pässword")).toBe("cMOkc3N3b3Jk");
  expect(Buffer.from(base64("双子 🔑"), "base64").toString()).toBe("双子 🔑");
});
