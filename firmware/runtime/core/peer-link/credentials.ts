/**
 * How the two ends of the link know each other: paired boxes by the certificate of the other, which each has pinned;
 * boxes that were given the same key by that key. TLS 1.3 either way.
 */
import { hkdfSync } from "node:crypto";
import type { ConnectionOptions, TLSSocket, TLSSocketOptions } from "node:tls";
import { fromHex } from "@futago/hal/units/bytes.ts";
import type { Box } from "../../messages.ts";
import type { PairingFile } from "../../pairing-file.ts";

export type LinkCredentials =
  | { readonly kind: "key"; readonly key: Buffer }
  /** This box's certificate and key in PEM; each certificate that the peer may show, as bytes: those are pinned. */
  | {
      readonly kind: "certificates";
      readonly cert: string;
      readonly key: string;
      readonly pinned: readonly Uint8Array[];
    };

const KEY_BYTES = 32;
const TLS = { minVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" } as const;

/** The link's own key, derived from the pair's so that neither tells of the other (RFC 5869). */
export function keyCredentials(pairKey: Uint8Array): LinkCredentials {
  const key = Buffer.from(hkdfSync("sha256", pairKey, new Uint8Array(0), "futago core link", KEY_BYTES));
  return { kind: "key", key };
}

export type Certificates = Pick<PairingFile, "certificate" | "privateKey" | "peerCertificate" | "rotation">;

/** While a pair changes its keys the peer may be a step before this box, or behind. Undefined without a peer. */
export function certificateCredentials(certificates: Certificates): LinkCredentials | undefined {
  const { certificate, privateKey: key, peerCertificate, rotation } = certificates;
  if (peerCertificate === null) return undefined;
  const pinned = [peerCertificate, rotation?.peerCertificate ?? peerCertificate];
  return { kind: "certificates", cert: pem(bytesOf(certificate)), key, pinned: pinned.map(bytesOf) };
}

function bytesOf(certificate: string): Uint8Array {
  return fromHex(certificate) ?? new Uint8Array(0);
}

/** `alpn`: the names of the connections that are not the link itself. */
export function serverTls(credentials: LinkCredentials, box: Box, alpn: readonly string[]): TLSSocketOptions {
  const common = { ...TLS, isServer: true, ALPNProtocols: [...alpn] };
  if (credentials.kind === "certificates") {
    const { cert, key, pinned } = credentials;
    return { ...common, cert, key, ca: pinned.map(pem), requestCert: true };
  }
  const { key } = credentials;
  const other = box === "a" ? "b" : "a";
  return {
    ...common,
    requestCert: false,
    pskCallback: (_socket: TLSSocket, identity: string) => (identity === other ? key : null),
  } as TLSSocketOptions;
}

export function clientTls(credentials: LinkCredentials, box: Box): ConnectionOptions {
  // There is no name to check: what is pinned is checked by isPeer.
  const common: ConnectionOptions = { ...TLS, checkServerIdentity: () => undefined };
  if (credentials.kind === "certificates") {
    const { cert, key, pinned } = credentials;
    return { ...common, cert, key, ca: pinned.map(pem) };
  }
  const { key } = credentials;
  // The pre-shared key is the proof of identity: there is no certificate to check, and none is trusted.
  return { ...common, ca: [], pskCallback: () => ({ psk: key, identity: box }) };
}

/** Whether the handshake, which is over, was with the peer. Any other way in is none of ours. */
export function isPeer(credentials: LinkCredentials, socket: TLSSocket): boolean {
  // TLS counts a handshake by pre-shared key as a resumed session; the sessions of certificates are never resumed.
  if (credentials.kind === "key") return socket.isSessionReused();
  const shown = socket.getPeerX509Certificate()?.raw;
  return !socket.isSessionReused() && credentials.pinned.some((pinned) => shown?.equals(pinned) === true);
}

function pem(certificate: Uint8Array): string {
  const base64 = Buffer.from(certificate).toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}
