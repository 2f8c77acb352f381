/** What is told of a pairing: nothing of its keys. */
import { X509Certificate } from "node:crypto";
import type { PairingShown } from "../../control-pairing.ts";
import type { PairingFile } from "../../pairing-file.ts";

export function pairingShown(pairing: PairingFile): NonNullable<PairingShown["pairing"]> {
  return {
    since: pairing.since,
    fingerprint: fingerprintOf(pairing.certificate),
    peerFingerprint: fingerprintOf(pairing.peerCertificate),
    device: pairing.met.device,
    rotating: pairing.rotation !== null,
  };
}

/** SHA-256 in hexadecimal, for two people to compare; null for no certificate. */
export function fingerprintOf(certificate: string | null): string | null {
  if (certificate === null) return null;
  return new X509Certificate(Buffer.from(certificate, "hex")).fingerprint256.replaceAll(":", "").toLowerCase();
}
