/** A box's own identity: a key and a certificate that it signs itself, made anew for each pairing. */
import { randomBytes, webcrypto } from "node:crypto";
import { toHex } from "@futago/hal/units/bytes.ts";

export interface Identity {
  /** DER in hexadecimal. */
  readonly certificate: string;
  /** PKCS #8 in PEM. */
  readonly privateKey: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const SERIAL_BYTES = 16;
/** A pinned certificate needs no date, and a box out of its carton may be in 1970 (RFC 5280 §4.1.2.5). */
const NOT_BEFORE = new Date("1970-01-01T00:00:00Z");
const NOT_AFTER = new Date("9999-12-31T23:59:59Z");

export async function makeIdentity(): Promise<Identity> {
  // Only here: a box that is not being paired does without them.
  await import("reflect-metadata");
  const { BasicConstraintsExtension, X509CertificateGenerator } = await import("@peculiar/x509");
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const serial = randomBytes(SERIAL_BYTES);
  // A serial number is positive.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: toHex(serial),
    // Of nothing that others on the cable could learn from.
    name: "CN=futago",
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new BasicConstraintsExtension(false, undefined, true)],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    certificate: toHex(new Uint8Array(certificate.rawData)),
    privateKey: `-----BEGIN PRIVATE KEY-----\n${key.replaceAll(/.{64}/g, "$&\n").trimEnd()}\n-----END PRIVATE KEY-----\n`,
  };
}
