/** A certificate in so few digits that two people can compare it. */
import { X509Certificate } from "node:crypto";

/** SHA-256 in hexadecimal; null for none. */
export function fingerprintOf(certificate: string | null): string | null {
  if (certificate === null) return null;
  return new X509Certificate(Buffer.from(certificate, "hex")).fingerprint256.replaceAll(":", "").toLowerCase();
}
