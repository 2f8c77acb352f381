/** The certificate that a box signs itself, for browsers. Made once, and again when it is about to end. */
import { randomBytes, webcrypto } from "node:crypto";
import { toHex } from "@futago/hal/units/bytes.ts";

export interface WebIdentity {
  /** PEM, with its chain. */
  readonly certificate: string;
  /** PKCS #8 in PEM. */
  readonly key: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const SERIAL_BYTES = 16;
const DAY_MILLIS = 86_400_000;
/** Browsers of Apple take no server's certificate for more than 825 days. */
const VALID_DAYS = 800;
const RENEWED_DAYS = 30;
/** A clock before this was never set: browsers know a later time. */
export const CLOCK_FLOOR_MILLIS = Date.UTC(2026, 0, 1);
/** RFC 5280 §4.2.1.6 has no bound; a certificate goes with every connection. */
const NAMES_MAX = 64;

/** `names` are host names and addresses by which browsers come. `now` in milliseconds since 1970. */
export async function makeOwnCertificate(
  names: { readonly hosts: readonly string[]; readonly addresses: readonly string[] },
  now: number,
): Promise<WebIdentity> {
  // Only here: a box that has its certificate does without them.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const serial = randomBytes(SERIAL_BYTES);
  // A serial number is positive.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const from = Math.max(now, CLOCK_FLOOR_MILLIS) - DAY_MILLIS;
  const hosts = names.hosts.map((value) => ({ type: "dns" as const, value }));
  const addresses = names.addresses.map((value) => ({ type: "ip" as const, value }));
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: toHex(serial),
    name: [{ CN: [names.hosts[0] ?? "futago"] }],
    notBefore: new Date(from),
    notAfter: new Date(from + VALID_DAYS * DAY_MILLIS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([...hosts, ...addresses].slice(0, NAMES_MAX)),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { certificate: pem("CERTIFICATE", Buffer.from(certificate.rawData)), key: pem("PRIVATE KEY", key) };
}

/** Milliseconds since 1970, for a certificate that ends at `notAfter`. */
export function isToBeRenewed(notAfter: number, now: number): boolean {
  return now > notAfter - RENEWED_DAYS * DAY_MILLIS;
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
