import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PairingFile, writePairing } from "../../pairing-file.ts";
import { makeIdentity } from "./identity.ts";
import { joinedBy, standingOf } from "./standing.ts";

let stateDirectory = "";
beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), "futago-standing-"));
});
afterEach(() => rmSync(stateDirectory, { recursive: true, force: true }));

const started = (box?: "a" | "b", pairKeyFile?: string) => standingOf({ stateDirectory, box, pairKeyFile });

async function pair(changes: Partial<PairingFile> = {}): Promise<void> {
  const identity = await makeIdentity();
  writePairing(stateDirectory, {
    version: 1,
    letter: "b",
    role: "joiner",
    pairKey: "0f".repeat(32),
    seed: "5e".repeat(16),
    ...identity,
    peerCertificate: identity.certificate,
    rotation: null,
    met: { device: "eth2", address: "fe80::1" },
    since: "2026-11-29T15:00:00.000Z",
    ...changes,
  });
}

describe("whose peer a box is", () => {
  it("is nobody's while it was not paired", () => {
    expect(started()).toEqual({
      kind: "alone",
      box: undefined,
      credentials: undefined,
      seed: undefined,
      pairing: undefined,
    });
    expect(started("a").box).toBe("a");
  });

  it("is said by its pairing, the letter and the seed of the rings with it", async () => {
    await pair();
    expect(started()).toMatchObject({ kind: "paired", box: "b", seed: "5e".repeat(16) });
    expect(started("b").kind).toBe("paired");
  });

  it("tells who joined, and by which pairing", async () => {
    await pair();
    expect(joinedBy(started())).toBe(started().pairing?.certificate);
    await pair({ role: "inviter" });
    expect(joinedBy(started())).toBeUndefined();
  });

  it("is refused when it was told another letter", async () => {
    await pair();
    expect(() => started("a")).toThrow(/started with --box a, but it was paired as b\n.*Leave --box out/);
  });

  it("is nobody's once it gave its peer up, but it keeps letter and seed", async () => {
    await pair({ peerCertificate: null });
    expect(started()).toMatchObject({ kind: "left", box: "b", credentials: undefined, seed: "5e".repeat(16) });
  });

  it("is said by --pair-key where there is one, whatever the pairing says, and the seed comes of the key", async () => {
    await pair();
    const file = join(stateDirectory, "pair.key");
    writeFileSync(file, "0f".repeat(32));
    // HKDF with SHA-256 of that key, without salt, for "futago ring seed": by openssl kdf.
    expect(started("a", file)).toMatchObject({
      kind: "key",
      box: "a",
      seed: "bd37c8c18cb504dc6df5e48cde114ce3",
      pairing: undefined,
    });
  });

  it("is both the present and the other certificate while the pair changes its keys", async () => {
    const [peer, next] = [await makeIdentity(), await makeIdentity()];
    const rotation = { kind: "next", pairKey: "f0".repeat(32), ...next, peerCertificate: next.certificate } as const;
    await pair({ peerCertificate: peer.certificate, rotation });
    const { credentials } = started();
    const pinned = credentials?.kind === "certificates" ? credentials.pinned : [];
    expect(pinned.map((one) => Buffer.from(one).toString("hex"))).toEqual([peer.certificate, next.certificate]);
  });
});
