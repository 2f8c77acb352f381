import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareBuilds, compareVersions } from "./version.ts";

describe("versions", () => {
  it.each([
    ["0.7.0", "0.7.0", 0],
    ["0.7.0", "0.10.0", -1],
    ["1.0.0", "0.99.99", 1],
    ["1.0.0-rc.1", "1.0.0", -1],
    ["1.0.0-rc.2", "1.0.0-rc.10", -1],
    ["1.0.0-rc", "1.0.0-rc.1", -1],
    ["1.0.0-1", "1.0.0-rc", -1],
    ["1.0.0-beta", "1.0.0-alpha", 1],
    ["1.0.0+build5", "1.0.0+build9", 0],
  ])("%s beside %s", (one, other, order) => expect(compareVersions(one, other)).toBe(order));

  it.each(["", "1.0", "v1.0.0", "1.0.0.0", "1.0.0-", "latest", "1.0.0\n"])("%j is none", (text) => {
    expect(compareVersions(text, "1.0.0")).toBeUndefined();
  });

  it("are in one order from both sides", () => {
    const words = fc.constantFrom("", "-1", "-rc", "-rc.1", "-rc.2.x", "+b");
    const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), words).map(([a, b, c, end]) => `${a}.${b}.${c}${end}`);
    fc.assert(
      fc.property(version, version, (one, other) => {
        expect(compareVersions(one, other)).toBe(0 - (compareVersions(other, one) ?? Number.NaN));
      }),
    );
  });
});

describe("builds of one version", () => {
  const build = (time: string) => ({ version: "0.7.0", time });
  it("are as old as their time says", () => {
    expect(compareBuilds(build("2026-11-30T00:00:00Z"), build("2026-11-29T23:59:59Z"))).toBe(1);
    expect(compareBuilds(build("2026-11-30T00:00:00Z"), build("2026-11-30T00:00:00Z"))).toBe(0);
    expect(compareBuilds(build("yesterday"), build("2026-11-30T00:00:00Z"))).toBeUndefined();
  });
});
