/**
 * The keys that bundles are signed with, and what a box trusts: two authorities, each with its revocation list and one
 * certificate that signs. Test keys are made here; release keys are a directory of the same shape that is no part of this
 * repository (docs/updating.md).
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The second one is kept elsewhere: it signs when the first one's key is lost or stolen. */
export const AUTHORITIES = ["first", "second"] as const;
export type Authority = (typeof AUTHORITIES)[number];

export interface Signer {
  readonly key: string;
  readonly certificate: string;
}

const AUTHORITY_DAYS = 36_500;
const SIGNER_DAYS = 3_650;
/**
 * A box judges a bundle by when it was signed, since its clock may be wrong (use-bundle-signing-time of RAUC). A list that
 * began to hold only when it was written would make every bundle signed before that untrusted, withdrawn or not.
 */
const LIST_HOLDS_FROM = "20250101000000Z";

const REQUEST = `[req]
prompt = no
distinguished_name = name
[name]
O = Futago
CN = COMMON_NAME
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, codeSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ca]
default_ca = list
[list]
database = DATABASE
default_md = sha256
default_crl_days = ${AUTHORITY_DAYS}
`;

/** Keys for tests, made unless they are there. Whoever has this directory can sign for images built beside it. */
export function makeTestKeys(directory: string): void {
  if (existsSync(join(directory, "keyring.pem"))) return;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const authority of AUTHORITIES) {
    makeAuthority(directory, authority);
    makeSigner(directory, authority, `${authority}-signer`);
    revoke(directory, authority, []);
  }
  writeKeyring(directory);
}

/** What signs for this authority. */
export function signerOf(directory: string, authority: Authority = "first"): Signer {
  return { key: join(directory, `${authority}-signer.key`), certificate: join(directory, `${authority}-signer.pem`) };
}

/** Both authorities with their revocation lists, as one PEM file that an image holds. */
export function keyringOf(directory: string): string {
  return join(directory, "keyring.pem");
}

/** A fresh key and certificate that signs bundles. */
export function makeSigner(directory: string, authority: Authority, name: string): Signer {
  const place = (suffix: string) => join(directory, `${name}.${suffix}`);
  const config = writeConfig(directory, `Futago updates, ${name}`);
  openssl(["req", "-new", ...newKey(place("key")), "-config", config, "-out", place("csr")]);
  openssl(
    ["x509", "-req", "-in", place("csr"), "-days", String(SIGNER_DAYS), "-out", place("pem")],
    ["-CA", join(directory, `${authority}.pem`), "-CAkey", join(directory, `${authority}.key`), "-CAcreateserial"],
    ["-extfile", config, "-extensions", "signer"],
  );
  return { key: place("key"), certificate: place("pem") };
}

/** Writes the authority's list anew: these certificates are good for nothing. */
export function revoke(directory: string, authority: Authority, certificates: readonly string[]): void {
  const database = join(directory, `${authority}.index`);
  if (!existsSync(database)) writeFileSync(database, "");
  const config = writeConfig(directory, "unused", database);
  const by = ["-cert", join(directory, `${authority}.pem`), "-keyfile", join(directory, `${authority}.key`)];
  for (const one of certificates) openssl(["ca", "-config", config, ...by, "-revoke", one]);
  const list = ["-gencrl", "-crl_lastupdate", LIST_HOLDS_FROM, "-out", join(directory, `${authority}.crl`)];
  openssl(["ca", "-config", config, ...by, ...list]);
}

export function writeKeyring(directory: string): void {
  const parts = AUTHORITIES.flatMap((one) => [`${one}.pem`, `${one}.crl`]);
  writeFileSync(keyringOf(directory), parts.map((part) => readFileSync(join(directory, part), "utf8")).join(""));
}

function makeAuthority(directory: string, authority: Authority): void {
  const config = writeConfig(directory, `Futago updates, ${authority} authority`);
  openssl(
    ["req", "-x509", "-new", ...newKey(join(directory, `${authority}.key`)), "-config", config],
    ["-extensions", "authority", "-days", String(AUTHORITY_DAYS), "-out", join(directory, `${authority}.pem`)],
  );
}

function newKey(path: string): readonly string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", path];
}

function writeConfig(directory: string, commonName: string, database = ""): string {
  const path = join(directory, "openssl.cnf");
  writeFileSync(path, REQUEST.replace("COMMON_NAME", commonName).replace("DATABASE", database));
  return path;
}

function openssl(...words: readonly (readonly string[])[]): void {
  execFileSync("openssl", words.flat(), { stdio: ["ignore", "ignore", "pipe"] });
}
