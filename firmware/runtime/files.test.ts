import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileTrouble, makeStateDirectory } from "./files.ts";
import { refusal } from "./refused.test-support.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-files-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("a state directory", () => {
  it("is made with the directories above it, for its owner alone, and is left as it is when it is there", () => {
    const path = join(directory, "a", "b");
    makeStateDirectory(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    makeStateDirectory(path);
  });

  it.each([
    ["/proc/futago", "there is none (ENOENT)"],
    ["/proc/futago/a/b", "there is none (ENOENT)"],
    ["FILE", "there is a file of that name (EEXIST)"],
    ["FILE/a", "a part of its path is a file and no directory (ENOTDIR)"],
  ])("at %s is refused in words", async (path, why) => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    const attempt = Promise.resolve().then(() => makeStateDirectory(path.replace("FILE", file)));
    expect(await refusal(attempt)).toMatchObject({ exitCode: 1, what: `the state directory cannot be made: ${why}` });
  });
});

it("a code without words stands for itself", () => {
  expect(fileTrouble(Object.assign(new Error(), { code: "EXDEV" }))).toBe("EXDEV");
  expect(fileTrouble(new Error())).toBe("unknown error");
});
