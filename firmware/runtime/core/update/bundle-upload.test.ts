import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RefusalError } from "../../exit-code.ts";
import { BUNDLE_BYTES_MAX, BundleUpload } from "./bundle-upload.ts";

let place: string;
let upload: BundleUpload;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "futago-upload-"));
  upload = new BundleUpload(place);
});
afterEach(async () => {
  await upload.close();
  rmSync(place, { recursive: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);
const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error: unknown) => (error as RefusalError).refusal.reason,
  );

describe("a bundle that is sent", () => {
  it("is on the disk when its last piece was taken, and gone when it is forgotten", async () => {
    const id = await upload.begin(10);
    expect(await upload.take(id, 0, bytes("01234"))).toBe(5);
    expect(await upload.take(id, 5, bytes("56789"))).toBe(10);
    const path = await upload.end(id);
    expect(readFileSync(path, "utf8")).toBe("0123456789");
    await upload.forget();
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ["a piece that is not the next", 3, "34"],
    ["a piece that comes again", 0, "01"],
    ["more than was told", 2, "23456789a"],
  ])("is refused with %s, and nothing of it is left", async (_, offset, text) => {
    const id = await upload.begin(10);
    await upload.take(id, 0, bytes("01"));
    expect(await reasonOf(upload.take(id, offset, bytes(text)))).toBe("outOfOrder");
    expect(existsSync(upload.path)).toBe(false);
    expect(await reasonOf(upload.take(id, 2, bytes("23")))).toBe("noUpload");
  });

  it("is refused when it ends early", async () => {
    const id = await upload.begin(10);
    await upload.take(id, 0, bytes("01"));
    expect(await reasonOf(upload.end(id))).toBe("incomplete");
    expect(existsSync(upload.path)).toBe(false);
  });

  it.each([0, -1, BUNDLE_BYTES_MAX + 1])("of %d bytes is refused at once", async (length) => {
    expect(await reasonOf(upload.begin(length))).toBe("tooLong");
  });

  it("gives way to the next one", async () => {
    const first = await upload.begin(4);
    const second = await upload.begin(4);
    expect(await reasonOf(upload.take(first, 0, bytes("0123")))).toBe("noUpload");
    expect(await upload.take(second, 0, bytes("0123"))).toBe(4);
  });

  it("is removed when nobody goes on with it", async () => {
    const impatient = new BundleUpload(place, 1);
    const id = await impatient.begin(4);
    while (existsSync(impatient.path)) await new Promise(setImmediate);
    expect(await reasonOf(impatient.take(id, 0, bytes("0")))).toBe("noUpload");
  });

  it("of an earlier start is removed", async () => {
    mkdirSync(join(place, "upload"), { recursive: true });
    writeFileSync(upload.path, "half");
    const later = new BundleUpload(place);
    const id = await later.begin(1);
    await later.take(id, 0, bytes("x"));
    expect(readFileSync(await later.end(id), "utf8")).toBe("x");
  });
});
