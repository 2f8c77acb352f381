import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Identity, makeIdentity } from "./core/pairing/identity.ts";
import { RefusalError } from "./exit-code.ts";
import { type PairingFile, parsePairing, readPairing, writePairing } from "./pairing-file.ts";

let identity: Identity;
let pairing: PairingFile;
let directory = "";

beforeAll(async () => {
  const peer = await makeIdentity();
  identity = await makeIdentity();
  pairing = {
    version: 1,
    letter: "b",
    role: "joiner",
    pairKey: "0f".repeat(32),
    seed: "5e".repeat(16),
    ...identity,
    peerCertificate: peer.certificate,
    rotation: null,
    met: { device: "eth2", address: "fe80::1" },
    since: "2026-11-29T15:00:00.000Z",
  };
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-pairing-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("an identity", () => {
  it("is another one each time, signed by itself, and valid by any clock", async () => {
    const certificate = new X509Certificate(Buffer.from(identity.certificate, "hex"));
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.subject).toBe("CN=futago");
    expect([certificate.validFrom, certificate.validTo]).toEqual([
      "Jan  1 00:00:00 1970 GMT",
      "Dec 31 23:59:59 9999 GMT",
    ]);
    expect(certificate.ca).toBe(false);
    expect((await makeIdentity()).certificate).not.toBe(identity.certificate);
  });
});

function rotation({ pairKey, certificate, privateKey, peerCertificate }: PairingFile) {
  return { kind: "former", pairKey, certificate, privateKey, peerCertificate };
}

describe("the pairing on the disk", () => {
  it("holds the former keys while they still count", () => {
    const rotating = JSON.stringify({ ...pairing, rotation: rotation(pairing) });
    expect(parsePairing(rotating)?.rotation?.kind).toBe("former");
  });

  it("is not written when it could not be read again, and the former one stays", () => {
    writePairing(directory, pairing);
    const next = { ...identity, pairKey: pairing.pairKey, peerCertificate: "00" };
    const broken: readonly PairingFile[] = [
      { ...pairing, peerCertificate: "00" },
      { ...pairing, rotation: { kind: "next", ...next } },
    ];
    for (const one of broken) expect(() => writePairing(directory, one)).toThrow("no certificate");
    expect(readPairing(directory)).toEqual(pairing);
  });

  it("comes back as it was written, for nobody but root, with nothing beside it", () => {
    writePairing(directory, pairing);
    expect(readPairing(directory)).toEqual(pairing);
    expect(statSync(join(directory, "pairing.json")).mode & 0o777).toBe(0o600);
    writePairing(directory, { ...pairing, letter: "a" });
    expect(readPairing(directory)?.letter).toBe("a");
    expect(readdirSync(directory)).toEqual(["pairing.json"]);
  });

  it("is gone when it is dropped, also twice", () => {
    writePairing(directory, pairing);
    writePairing(directory, undefined);
    writePairing(directory, undefined);
    expect(readPairing(directory)).toBeUndefined();
  });

  it("is written past what a lost power left behind", () => {
    writeFileSync(join(directory, "pairing.json.new"), "half", { mode: 0o644 });
    writePairing(directory, pairing);
    expect(readPairing(directory)).toEqual(pairing);
    expect(statSync(join(directory, "pairing.json")).mode & 0o777).toBe(0o600);
  });

  it("is refused with its path when it is cut short, and says how to mend it", () => {
    writePairing(directory, pairing);
    const path = join(directory, "pairing.json");
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 300));
    expect(() => readPairing(directory)).toThrow(RefusalError);
    expect(() => readPairing(directory)).toThrow(/pairing\.json: the pairing is damaged\n.*pair invite --replace/s);
  });

  it.each<[string, (good: PairingFile) => unknown]>([
    ["another version", (good) => ({ ...good, version: 2 })],
    ["a third letter", (good) => ({ ...good, letter: "c" })],
    ["a short key", (good) => ({ ...good, pairKey: "00" })],
    ["no peer", (good) => ({ ...good, peerCertificate: undefined })],
    ["a field too many", (good) => ({ ...good, more: 1 })],
    ["a certificate with a byte behind it", (good) => ({ ...good, peerCertificate: `${good.peerCertificate}00` })],
    ["no certificate", (good) => ({ ...good, certificate: "30" })],
    ["no private key", (good) => ({ ...good, privateKey: "" })],
    ["another's certificate", (good) => ({ ...good, certificate: good.peerCertificate })],
    ["half a rotation", (good) => ({ ...good, rotation: { kind: "next", pairKey: good.pairKey } })],
    [
      "a rotation to another's certificate",
      (good) => ({ ...good, rotation: { ...rotation(good), certificate: good.peerCertificate } }),
    ],
    ["a third kind of rotation", (good) => ({ ...good, rotation: { ...rotation(good), kind: "late" } })],
    ["a place that is no cable", (good) => ({ ...good, met: { device: "eth2", address: "2001:db8::1" } })],
    ["a zone in the address", (good) => ({ ...good, met: { device: "eth2", address: "fe80::1%eth0" } })],
    ["a path for a device", (good) => ({ ...good, met: { device: "../etc", address: "fe80::1" } })],
    ["no moment", (good) => ({ ...good, since: "yesterday" })],
  ])("is none with %s", (_, change) => {
    expect(parsePairing(JSON.stringify(pairing))).toEqual(pairing);
    expect(parsePairing(JSON.stringify(change(pairing)))).toBeUndefined();
  });

  it("is none as any other text, and reading throws nowhere", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (any) => parsePairing(any) === undefined));
    expect(parsePairing(" ".repeat(70_000))).toBeUndefined();
  });
});
