import { describe, expect, it } from "vitest";
import { formatLock, type LockedPackage, parseLock, readLock } from "./lock.ts";
import { ARCHITECTURES, wanted } from "./wanted.ts";

const hash = (digit: string) => digit.repeat(64);
const packages: readonly LockedPackage[] = [
  { purpose: "tree", name: "zlib1g", version: "1:1.3.dfsg+really1.3.1-1+b1", architecture: "amd64", sha256: hash("a") },
  { purpose: "boot", name: "shim-signed", version: "1.44~1+deb13u1+15.8-1", architecture: "amd64", sha256: hash("b") },
  { purpose: "tree", name: "base-files", version: "13.8", architecture: "all", sha256: hash("c") },
];

describe("a package lock", () => {
  it("is written in an order of its own, and read back", () => {
    const text = formatLock(packages);
    expect(text.split("\n").slice(1, 4)).toEqual([
      `tree base-files 13.8 all ${hash("c")}`,
      `tree zlib1g 1:1.3.dfsg+really1.3.1-1+b1 amd64 ${hash("a")}`,
      `boot shim-signed 1.44~1+deb13u1+15.8-1 amd64 ${hash("b")}`,
    ]);
    expect(formatLock(packages.toReversed())).toBe(text);
    expect(parseLock(text)).toHaveLength(3);
  });

  it.each([
    "tree base-files 13.8 all",
    `tree base-files 13.8 all ${hash("c")} more`,
    `trunk base-files 13.8 all ${hash("c")}`,
    `tree ../x 13.8 all ${hash("c")}`,
    `tree base-files 13.8 all ${hash("C")}`,
  ])("refuses the line %j", (line) => {
    expect(() => parseLock(line)).toThrow("not a line of a package lock");
  });

  it.each(ARCHITECTURES)("of %s holds what is wanted, and no perl, dpkg or debconf", (architecture) => {
    const locked = readLock(architecture);
    const named = (purpose: string) => locked.filter((one) => one.purpose === purpose).map(({ name }) => name);
    expect(named("tree")).toEqual(expect.arrayContaining([...wanted(architecture, "tree")]));
    expect(named("boot")).toEqual([...wanted(architecture, "boot")].toSorted());
    expect(named("tree").filter((name) => /^(perl|libperl|dpkg|debconf|apt|bash)/.test(name))).toEqual([]);
  });
});
