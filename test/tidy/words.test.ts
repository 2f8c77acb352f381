import { expect, test } from "vitest";
import { complaints, files, isTest, typescript } from "./source.ts";
import { bannedWord, ELSEWHERE, UNFINISHED, unqualifiedBackup } from "./words.ts";

const own = (path: string) => path.startsWith("test/tidy/");

test("no banned word is used", () => {
  expect(complaints(files, bannedWord)).toEqual([]);
});

test.each([
  "const masterNode = 1;",
  "// the slave",
  "class LinkManager {",
  "import './utils.ts'",
  "a real server",
  "upstream",
])("%s would be found", (line) => expect(bannedWord(line, "hal/a.ts")).toBeDefined());

test("names of the kernel and of other programs keep their spelling", () => {
  expect(bannedWord("const IFLA_MASTER = 10;", "hal/a.ts")).toBeUndefined();
  expect(bannedWord(`ip("link", "set", port, "master", bridge)`, "test/a.ts")).toBeUndefined();
  expect(bannedWord("const IFLA_MASTER = master;", "hal/a.ts")).toBe("master");
});

test("backup always says what it backs up", () => {
  expect(
    complaints(
      files.filter(({ path }) => !own(path)),
      unqualifiedBackup,
    ),
  ).toEqual([]);
});

test("backup is judged in prose only", () => {
  expect(unqualifiedBackup("// the backup takes over", "hal/a.ts")).toBeDefined();
  expect(unqualifiedBackup("// a backup backend takes over; `backup` says so", "hal/a.ts")).toBeUndefined();
  expect(unqualifiedBackup("const x = { backup: true };", "hal/a.ts")).toBeUndefined();
});

test("nothing is left unfinished", () => {
  expect(UNFINISHED.test(`// ${"fixme".toUpperCase()}: later`)).toBe(true);
  expect(complaints(files, (line) => UNFINISHED.exec(line)?.[0])).toEqual([]);
});

test("no package registry, no mirror and no directory of somebody's machine is named", () => {
  expect(
    complaints(
      files.filter(({ path }) => !own(path)),
      (line) => ELSEWHERE.exec(line)?.[0],
    ),
  ).toEqual([]);
});

test("a test that does not run says why", () => {
  const silent = /\b(test|it|describe)(\.\w+)*\.(only|skip|todo|skipIf|runIf|fails)\b|\b(context|ctx|t)\.skip\(\)/;
  const tests = typescript.filter(({ path }) => isTest(path) && !own(path));
  expect(complaints(tests, (line) => silent.exec(line)?.[0])).toEqual([]);
});
