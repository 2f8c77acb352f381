import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodingOf, readPages } from "./pages.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-pages-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const put = (name: string, content = name) => writeFileSync(join(directory, name), content);

describe("the pages", () => {
  it("are none where they were not built", () => {
    expect(readPages(join(directory, "nowhere"))).toEqual({ index: undefined, assets: new Map() });
  });

  it("are held with their compressed forms, and only what a browser asks for", () => {
    mkdirSync(join(directory, "assets"));
    for (const name of [
      "index.html",
      "index.html.gz",
      "icon.svg",
      "manifest.json",
      ".secret.js",
      "assets/main-0a.js",
      "assets/main-0a.js.br",
    ])
      put(name);
    symlinkSync("/etc/passwd", join(directory, "passwd.svg"));
    const { index, assets } = readPages(directory);
    expect(index?.gzip?.toString()).toBe("index.html.gz");
    expect([...assets.keys()].toSorted()).toEqual(["/assets/main-0a.js", "/icon.svg"]);
    expect(assets.get("/assets/main-0a.js")).toMatchObject({ immutable: true, type: "text/javascript; charset=utf-8" });
    expect(assets.get("/icon.svg")).toMatchObject({ immutable: false, type: "image/svg+xml" });
    expect(assets.get("/icon.svg")?.etag).not.toBe(index?.etag);
  });

  it.each([
    ["gzip, deflate, br", "br"],
    ["gzip;q=1.0, br;q=0", "gzip"],
    ["gzip", "gzip"],
    ["brotli, xgzip", undefined],
    ["", undefined],
  ])("go out as %j lets them", (accepts, name) => {
    const [plain, gzip, brotli] = ["p", "g", "b"].map((text) => Buffer.from(text));
    const page = { type: "", etag: "", plain: plain ?? Buffer.of(), gzip, brotli, immutable: false };
    expect(encodingOf(page, accepts).name).toBe(name);
    expect(encodingOf(page, accepts).body.toString()).toBe(name === undefined ? "p" : name[0]);
  });
});
