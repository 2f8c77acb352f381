import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { cpio } from "./cpio.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "futago-cpio-"));
  mkdirSync(join(place, "in/bin"), { recursive: true });
  writeFileSync(join(place, "in/bin/one"), "one\n", { mode: 0o755 });
  writeFileSync(join(place, "in/empty"), "");
  symlinkSync("bin/one", join(place, "in/link"));
});
afterEach(() => rmSync(place, { recursive: true }));

it("busybox unpacks what went in", () => {
  const out = join(place, "out");
  mkdirSync(out);
  execFileSync("busybox", ["cpio", "-i", "-d"], {
    cwd: out,
    input: cpio(join(place, "in"), 7),
    stdio: ["pipe", "ignore", "ignore"],
  });
  expect(readdirSync(out, { recursive: true, encoding: "utf8" }).toSorted()).toEqual([
    "bin",
    "bin/one",
    "empty",
    "link",
  ]);
  expect(readFileSync(join(out, "bin/one"), "utf8")).toBe("one\n");
  expect(statSync(join(out, "bin/one")).mode & 0o777).toBe(0o755);
  expect(readlinkSync(join(out, "link"))).toBe("bin/one");
});

it("the same files are the same archive, whenever they were made", () => {
  const first = cpio(join(place, "in"), 7);
  writeFileSync(join(place, "in/bin/one"), "one\n", { mode: 0o755 });
  expect(cpio(join(place, "in"), 7).equals(first)).toBe(true);
  expect(cpio(join(place, "in"), 8).equals(first)).toBe(false);
});
