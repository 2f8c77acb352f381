/** What a certificate's end and a failed verification mean, in words. Reads no certificate and keeps no clock. */

const HOUR_MILLIS = 3_600_000;
const DAY_MILLIS = 24 * HOUR_MILLIS;

/** From this long before its end on, people are told. */
export const certificateWarningMillis = 14 * DAY_MILLIS;

/** "certificate ends in 5 days" or "certificate ended 3 days ago"; undefined while its end is far. Unix milliseconds. */
export function certificateEndSentence(endsAt: number, now: number): string | undefined {
  if (endsAt <= now) return `certificate ended ${lengthOf(now - endsAt)} ago`;
  return endsAt - now < certificateWarningMillis ? `certificate ends in ${lengthOf(endsAt - now)}` : undefined;
}

/** Days rounded down; hours within the first two days. */
function lengthOf(millis: number): string {
  if (millis < HOUR_MILLIS) return "less than an hour";
  const hours = Math.floor(millis / HOUR_MILLIS);
  if (millis >= 2 * DAY_MILLIS) return `${Math.floor(millis / DAY_MILLIS)} days`;
  return hours === 1 ? "1 hour" : `${hours} hours`;
}

const UNKNOWN_AUTHORITY = "certificate is from an authority that the box does not trust";

/** By the names of OpenSSL's X509_V_ERR_* without their prefix, and node:tls' own. @see verify(1) of OpenSSL */
const REFUSALS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate is self-signed and not trusted by the box",
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: "certificate, or one of its authority, has ended",
  CERT_NOT_YET_VALID: "certificate is not valid yet",
  CERT_SIGNATURE_FAILURE: "certificate has a false signature",
  CERT_REVOKED: "certificate is revoked",
  INVALID_PURPOSE: "certificate is not for servers",
};

/** Why a certificate was not taken. `name` is what it had to be for, a host's name or an address. */
export function certificateRefusal(code: string, name: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `certificate is not for ${name}`;
  return REFUSALS[code] ?? `certificate refused: ${code.toLowerCase().replaceAll("_", " ")}`;
}
