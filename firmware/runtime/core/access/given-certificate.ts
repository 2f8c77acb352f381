/** A certificate that an owner brings: whether a browser could be shown it, and what it says of itself. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import type { CertificateShown } from "../../control-access.ts";
import { CLOCK_FLOOR_MILLIS, type WebIdentity } from "./own-certificate.ts";

/** Why a certificate cannot be used; the word that programs get, too. */
export type CertificateRefusal =
  | "certificateUnreadable"
  | "certificateTooLong"
  | "keyUnreadable"
  | "keyUnsuitable"
  | "keyOfAnother"
  | "chainOrder"
  | "certificateExpired"
  | "certificateNotForServers";

const PEM_LENGTH_MAX = 64 << 10;
const CHAIN_MAX = 8;
const RSA_BITS_MIN = 2_048;
/** id-kp-serverAuth and anyExtendedKeyUsage, RFC 5280 §4.2.1.12. */
const FOR_SERVERS = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];
const CURVES: readonly unknown[] = ["prime256v1", "secp384r1", "secp521r1"];
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;

/** Both are kept as they are read, without what stood around them. */
export function readIdentity(certificate: string, key: string, now: number): Result<WebIdentity, CertificateRefusal> {
  if (certificate.length > PEM_LENGTH_MAX || key.length > PEM_LENGTH_MAX) return refuse("certificateTooLong");
  const chain = chainOf(certificate);
  const [leaf] = chain ?? [];
  if (chain === undefined || leaf === undefined) return refuse("certificateUnreadable");
  const privateKey = keyOf(key);
  if (privateKey === undefined) return refuse("keyUnreadable");
  if (!isSuitable(privateKey)) return refuse("keyUnsuitable");
  if (!leaf.checkPrivateKey(privateKey)) return refuse("keyOfAnother");
  if (!isInOrder(chain)) return refuse("chainOrder");
  // A clock that was never set knows of no end.
  if (now >= CLOCK_FLOOR_MILLIS && chain.some(({ validTo }) => Date.parse(validTo) <= now)) {
    return refuse("certificateExpired");
  }
  // Of the extended key usage; its type does not say that a certificate may have none.
  const purposes = leaf.keyUsage as readonly string[] | undefined;
  if (purposes !== undefined && !purposes.some((one) => FOR_SERVERS.includes(one))) {
    return refuse("certificateNotForServers");
  }
  const text = chain.map((one) => one.toString().trimEnd()).join("\n");
  return ok({
    certificate: `${text}\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  });
}

/** Of the first certificate in PEM. */
export function certificateShown(certificate: string, selfSigned: boolean): CertificateShown {
  const leaf = new X509Certificate(certificate);
  return {
    fingerprint: fingerprintOf(certificate),
    subject: leaf.subject.replaceAll("\n", ", "),
    notAfter: new Date(leaf.validTo).toISOString(),
    selfSigned,
  };
}

/** SHA-256 of the DER form, in hexadecimal. */
export function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(":", "").toLowerCase();
}

function chainOf(text: string): readonly X509Certificate[] | undefined {
  const blocks = [...text.matchAll(BLOCK)];
  if (blocks.length === 0 || blocks.length > CHAIN_MAX || blocks.some(([, label]) => label !== "CERTIFICATE")) {
    return undefined;
  }
  try {
    return blocks.map(([block]) => new X509Certificate(block));
  } catch {
    // There is no way to ask first whether it can be read.
    return undefined;
  }
}

function keyOf(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    // The same; one that needs a passphrase is among them.
    return undefined;
  }
}

/** What browsers take. */
function isSuitable({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === "rsa") return (asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN;
  return asymmetricKeyType === "ec" && CURVES.includes(asymmetricKeyDetails?.namedCurve);
}

/** Each signed by the one that follows. */
function isInOrder(chain: readonly X509Certificate[]): boolean {
  return chain.every((one, i) => {
    const issuer = chain[i + 1];
    return issuer === undefined || (one.checkIssued(issuer) && one.verify(issuer.publicKey));
  });
}
