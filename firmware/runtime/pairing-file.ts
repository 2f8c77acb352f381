/**
 * `DIR/pairing.json`: what makes a box one of a pair. Only root may read it. It is written whole or not at all; what is
 * read is checked in every field, because it may come out of a backup file.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { isIPv6 } from "node:net";
import { dirname, join } from "node:path";
import { fromHex } from "@futago/hal/units/bytes.ts";
import { ExitCode, RefusalError } from "./exit-code.ts";
import { syncDirectory, writeWhole } from "./files.ts";
import { parseObject } from "./line-reader.ts";
import type { Box } from "./messages.ts";
import { PAIRING_FILE } from "./state-files.ts";

const BYTES_MAX = 64 << 10;
const VERSION = 1;

export interface PairingFile {
  readonly version: 1;
  readonly letter: Box;
  /** The joiner takes over the inviter's configuration. */
  readonly role: "inviter" | "joiner";
  /** 64 hex digits: heartbeats are signed with a key derived from it. */
  readonly pairKey: string;
  /** 32 hex digits: of the balancer's rings, the same on both boxes. */
  readonly seed: string;
  /** DER in hexadecimal, and PKCS #8 in PEM. */
  readonly certificate: string;
  readonly privateKey: string;
  /** Null on a box that gave its peer up and still runs the configuration of a pair. */
  readonly peerCertificate: string | null;
  /** While the pair changes its keys: the next ones, which are not used yet, or the former ones, which still count. */
  readonly rotation: Rotation | null;
  /** Where the two met: the port, and the peer's link-local address on its cable. */
  readonly met: { readonly device: string; readonly address: string };
  /** RFC 3339. */
  readonly since: string;
}

export interface PairKeys {
  readonly pairKey: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly peerCertificate: string;
}

export interface Rotation extends PairKeys {
  readonly kind: "next" | "former";
}

/** Undefined when the box is not paired. Refuses what is no pairing: a box must not forget by accident whose peer it is. */
export function readPairing(directory: string): PairingFile | undefined {
  const path = join(directory, PAIRING_FILE);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw damaged(path, `the pairing cannot be read (${code ?? "unknown error"})`);
  }
  const pairing = parsePairing(text);
  if (pairing === undefined) throw damaged(path, "the pairing is damaged");
  return pairing;
}

/** Undefined for what is no pairing. Never throws. */
export function parsePairing(text: string): PairingFile | undefined {
  const value = text.length > BYTES_MAX ? undefined : parseObject(text);
  return value !== undefined && isPairing(value) ? (value as unknown as PairingFile) : undefined;
}

/** On the disk when it returns, or the former is. Throws what the disk says, and for what could not be read again. */
export function writePairing(directory: string, pairing: PairingFile | undefined): void {
  const path = join(directory, PAIRING_FILE);
  if (pairing === undefined) rmSync(path, { force: true });
  else writeWhole(path, readableText(pairing));
  syncDirectory(dirname(path));
}

/** The peer's certificate is what the peer says it is: with one that is none this box would not start again. */
function readableText(pairing: PairingFile): string {
  const text = `${JSON.stringify(pairing, undefined, 2)}\n`;
  if (parsePairing(text) === undefined) throw new Error("the pairing holds what is no certificate or no key");
  return text;
}

type Raw = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const text = (pattern: RegExp) => (value: unknown) => typeof value === "string" && pattern.test(value);

const FIELDS: Readonly<Record<keyof PairingFile, Check>> = {
  version: (value) => value === VERSION,
  letter: text(/^[ab]$/),
  role: text(/^(inviter|joiner)$/),
  pairKey: text(/^[0-9a-f]{64}$/),
  seed: text(/^[0-9a-f]{32}$/),
  certificate: isCertificate,
  privateKey: isPrivateKey,
  peerCertificate: (value) => value === null || isCertificate(value),
  rotation: isRotation,
  met: isPlace,
  since: (value) => typeof value === "string" && value.length <= 40 && !Number.isNaN(Date.parse(value)),
};

function isPairing(value: Raw): boolean {
  const names = Object.keys(FIELDS) as (keyof PairingFile)[];
  const whole = names.every((name) => FIELDS[name](value[name])) && Object.keys(value).length === names.length;
  return whole && belongTogether(value as unknown as PairingFile);
}

function isRotation(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  const { kind, pairKey, certificate, privateKey, peerCertificate, ...rest } = value as Raw;
  const whole =
    text(/^(next|former)$/)(kind) && FIELDS.pairKey(pairKey) && isCertificate(certificate) && isPrivateKey(privateKey);
  if (!whole || !isCertificate(peerCertificate) || Object.keys(rest).length > 0) return false;
  return belongTogether(value as Rotation);
}

function belongTogether({ certificate, privateKey }: Pick<PairKeys, "certificate" | "privateKey">): boolean {
  return new X509Certificate(Buffer.from(certificate, "hex")).checkPrivateKey(createPrivateKey(privateKey));
}

function isPlace(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { device, address } = value as Raw;
  // The rules of dev_valid_name of net/core/dev.c.
  return (
    text(/^(?!\.{1,2}$)[^\s/:]{1,15}$/)(device) &&
    typeof address === "string" &&
    isIPv6(address) &&
    address.startsWith("fe80:") &&
    !address.includes("%")
  );
}

function isCertificate(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const der = fromHex(value);
  if (der === undefined) return false;
  try {
    return new X509Certificate(der).raw.length === der.length;
  } catch {
    // No certificate.
    return false;
  }
}

function isPrivateKey(value: unknown): boolean {
  if (typeof value !== "string") return false;
  try {
    createPrivateKey(value);
    return true;
  } catch {
    // No key.
    return false;
  }
}

function damaged(path: string, what: string): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.failed,
    what,
    where: path,
    mend: "Remove the file and pair the two boxes again: `futago pair invite --replace` on the other one, `futago pair join` here.",
  });
}
