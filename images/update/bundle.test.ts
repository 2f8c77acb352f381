/** Bundles as they are made, read by the RAUC of this machine with the configuration that a box has. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspectBundle, raucConfig, RAUC_PLACES } from "../../firmware/runtime/update/rauc.ts";
import { keyringOf, makeSigner, makeTestKeys, revoke, signerOf, writeKeyring } from "./authorities.ts";
import { type BundleParts, makeBundle } from "./bundle.ts";

let place: string;
let keys: string;
let config: string;
let parts: BundleParts;
const out = (name: string) => join(place, `${name}.raucb`);

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "futago-bundle-"));
  keys = join(place, "keys");
  makeTestKeys(keys);
  const [boot, root] = [join(place, "boot.img"), join(place, "root.img")];
  // As in a slot, nothing that could be made smaller: RAUC takes no bundle of a few bytes.
  writeFileSync(boot, randomBytes(65_536));
  writeFileSync(root, randomBytes(262_144));
  parts = { architecture: "amd64", version: "0.8.0", time: 1_798_070_400, boot, root };
  config = join(place, "system.conf");
  // The RAUC of Debian 12 refuses a configuration whose backend is no program.
  const places = { ...RAUC_PLACES, backend: "/bin/true", keyring: keyringOf(keys), dataDirectory: join(place, "data") };
  mkdirSync(places.dataDirectory);
  const partitions = new Map(["root-a", "root-b", "boot-a", "boot-b"].map((name) => [name, `/dev/${name}`]));
  writeFileSync(config, raucConfig(places, "amd64", partitions));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe("a box", () => {
  it("takes what either authority's certificate signed, and reads what it is", async () => {
    for (const authority of ["first", "second"] as const) {
      makeBundle(parts, signerOf(keys, authority), out(authority));
      expect(await inspectBundle({ config }, out(authority))).toEqual({
        ok: true,
        value: { compatible: "futago-amd64", version: "0.8.0", time: "2026-12-24T00:00:00Z" },
      });
    }
  });

  it("refuses what strangers signed", async () => {
    const others = join(place, "others");
    makeTestKeys(others);
    makeBundle(parts, signerOf(others), out("strange"));
    expect(await inspectBundle({ config }, out("strange"))).toMatchObject({
      ok: false,
      reason: { reason: "untrusted" },
    });
  });

  it("refuses what a withdrawn key signed", async () => {
    const stolen = makeSigner(keys, "first", "stolen");
    makeBundle(parts, stolen, out("stolen"));
    expect(await inspectBundle({ config }, out("stolen"))).toMatchObject({ ok: true });
    // By the second of its signature a bundle is judged, and the list is written in a later one.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    revoke(keys, "first", [stolen.certificate]);
    writeKeyring(keys);
    expect(await inspectBundle({ config }, out("stolen"))).toMatchObject({ ok: false, reason: { reason: "revoked" } });
    expect(await inspectBundle({ config }, out("first"))).toMatchObject({ ok: true });
  });

  it.each([
    ["a file of anything", () => Buffer.alloc(100_000, 0xa5), "notABundle"],
    ["an empty file", () => Buffer.alloc(0), "notABundle"],
    ["half a bundle", () => readFileSync(out("first")).subarray(0, 30_000), "notABundle"],
    ["a bundle with a changed signature", () => changed(-600), "untrusted"],
  ])("refuses %s", async (_, bytes, reason) => {
    writeFileSync(out("bad"), bytes());
    expect(await inspectBundle({ config }, out("bad"))).toMatchObject({ ok: false, reason: { reason } });
  });

  function changed(at: number): Buffer {
    const bytes = readFileSync(out("first"));
    const index = bytes.length + at;
    bytes[index] = (bytes[index] ?? 0) ^ 0xff;
    return bytes;
  }
});
