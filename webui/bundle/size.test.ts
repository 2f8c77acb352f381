import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

const build = fileURLToPath(new URL("../build", import.meta.url));
const gzipBytesMax = 150 * 1024;

beforeAll(() => {
  execFileSync(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))], { stdio: "ignore" });
});

function made(): readonly string[] {
  return Object.keys(JSON.parse(readFileSync(`${build}/manifest.json`, "utf8")) as object);
}

test("all that a browser loads is at most 150 KiB compressed", () => {
  const bytes = made().map((path) => readFileSync(`${build}/${path}.gz`).length);
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(gzipBytesMax);
});

test("the page names what was made, and nothing inline", () => {
  const page = readFileSync(`${build}/index.html`, "utf8");
  const named = Array.from(page.matchAll(/(?:href|src)="\/([^"]+)"/g), ([, path = ""]) => path);
  expect(named.toSorted()).toEqual(
    made()
      .filter((path) => path !== "index.html")
      .toSorted(),
  );
  expect(page).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son\w+=/);
});

test("everything is there in three forms and has a type", () => {
  const files = readdirSync(build, { recursive: true }).map(String);
  const forms = made().flatMap((path) => [path, `${path}.gz`, `${path}.br`]);
  expect(files.filter((path) => path.includes(".")).toSorted()).toEqual([...forms, "manifest.json"].toSorted());
});

test("nothing in the program writes markup or makes code of text, but for what Preact has and no page uses", () => {
  const program = made().find((path) => path.endsWith(".js"));
  const text = readFileSync(`${build}/${program}`, "utf8");
  expect(text).not.toMatch(/\beval\(|new Function\(|document\.write|insertAdjacentHTML|outerHTML\s*=/);
  expect(text.match(/innerHTML\s*=(?!=)/g) ?? []).toHaveLength(1);
});
