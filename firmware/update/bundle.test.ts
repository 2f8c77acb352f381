import { describe, expect, it } from "vitest";
import { type BundleFacts, readRefusal, refuseBundle } from "./bundle.ts";

const box = { architecture: "amd64", version: "0.7.0", time: "2026-11-30T00:00:00Z" };
const newer: BundleFacts = { compatible: "futago-amd64", version: "0.8.0", time: "2026-12-24T00:00:00Z" };

describe("a bundle", () => {
  it("of a newer version goes onto the box", () => expect(refuseBundle(newer, box)).toBeUndefined());

  it("of a later build of the same version goes onto the box", () => {
    expect(refuseBundle({ ...newer, version: "0.7.0" }, box)).toBeUndefined();
  });

  it.each([
    [
      "of an older version",
      { version: "0.6.9" },
      "older",
      "it is 0.6.9 of 2026-12-24T00:00:00Z, and this box runs 0.7.0",
    ],
    ["of an earlier build", { version: "0.7.0", time: "2026-11-29T00:00:00Z" }, "older", "the bundle is older"],
    ["that the box runs", { version: "0.7.0", time: box.time }, "same", "this box runs 0.7.0"],
    ["of no version", { version: "next" }, "unreadableVersion", "the bundle is next"],
    ["for arm64", { compatible: "futago-arm64" }, "foreign", "the bundle is for arm64, and this box is x86-64 (amd64)"],
    ["of somebody else's product", { compatible: "toaster" }, "foreign", 'it says "toaster"'],
  ])("%s is refused with what is wrong and what to do", (_, changes, reason, what) => {
    const refusal = refuseBundle({ ...newer, ...changes }, box);
    expect(refusal).toMatchObject({ reason, what: expect.stringContaining(what) as string });
    expect(refusal?.mend).toMatch(/^[A-Z].*\.$/);
  });
});

describe("what RAUC says", () => {
  it.each([
    ["signature verification failed: Verify error: certificate revoked", "revoked"],
    ["signature verification failed: Verify error: unable to get local issuer certificate", "untrusted"],
    ["signature verification failed: Verify error: unsuitable certificate purpose", "untrusted"],
    ["Invalid bundle format: Signature size (13293044796998099835) exceeds bundle size", "notABundle"],
    ["Invalid identifier. Did you pass a valid RAUC bundle?", "notABundle"],
    ["Bundle format 'plain' not allowed", "untrusted"],
    ["LastError: Installation error: Failed updating slot rootfs.1: Input/output error", "broken"],
    ["Installation error: Compatible mismatch: Expected 'futago-amd64' but bundle manifest has 'x'", "foreign"],
  ])("%s", (said, reason) => expect(readRefusal(said).reason).toBe(reason));

  it("and we do not know stays in the sentence", () => {
    expect(readRefusal("rauc-Message: reading\nInstallation error: the moon is full\n")).toEqual({
      reason: "refusedByRauc",
      what: "the bundle could not be installed: Installation error: the moon is full",
      mend: "`futago show log` holds what was said.",
    });
  });
});
