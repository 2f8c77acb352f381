/**
 * The sealed file: an age file with a passphrase (age-encryption.org/v1) around the text, compressed by zstd. So
 * `age -d FILE | zstd -d` reads it without any software of ours.
 *
 * @see age-encryption.org/v1
 */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { documentBytesMax } from "../../config/limits.ts";

export type SealRefusal =
  /** No age file with a passphrase. */
  | "notSealed"
  | "tooLarge"
  /** Its maker asks for more work, and memory, than a box has for it. */
  | "tooCostly"
  | "wrongPassphrase"
  /** Cut off, or changed by somebody. */
  | "damaged";

export type Unsealed =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: SealRefusal };

/** A second of a small box and 128 MiB, once; what `age -p` does by itself takes twice that. */
const WORK_LOG = 17;
const WORK_LOG_MAX = 18;
/** Of UTF-8; a document of the largest size in the widest letters, and what goes with it. */
const TEXT_BYTES_MAX = 3 * documentBytesMax + (8 << 20);
export const SEALED_BYTES_MAX = TEXT_BYTES_MAX;
const HEADER = /^age-encryption\.org\/v1\n-> scrypt [A-Za-z0-9+/]{22} (?<workLog>[1-9][0-9]?)\n/;
const HEADER_BYTES_MAX = 100;

export async function seal(text: string, passphrase: string): Promise<Uint8Array> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(WORK_LOG);
  return encrypter.encrypt(zstdCompressSync(text));
}

/** What can be said of a file before anybody is asked for a passphrase; undefined: it may be one. */
export function refusedAtSight(sealed: Uint8Array): SealRefusal | undefined {
  if (sealed.length > SEALED_BYTES_MAX) return "tooLarge";
  const header = HEADER.exec(Buffer.from(sealed.subarray(0, HEADER_BYTES_MAX)).toString("latin1"));
  if (header === null) return "notSealed";
  return Number(header.groups?.["workLog"]) > WORK_LOG_MAX ? "tooCostly" : undefined;
}

/** Never throws on whatever bytes. */
export async function unseal(sealed: Uint8Array, passphrase: string): Promise<Unsealed> {
  const refused = refusedAtSight(sealed);
  if (refused !== undefined) return { ok: false, reason: refused };
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    const bytes = zstdDecompressSync(await decrypter.decrypt(sealed), { maxOutputLength: TEXT_BYTES_MAX });
    return { ok: true, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (error) {
    // The package has no codes: this sentence is what no key fits.
    const isPassphrase = error instanceof Error && error.message.startsWith("no identity matched");
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return { ok: false, reason: "tooLarge" };
    return { ok: false, reason: isPassphrase ? "wrongPassphrase" : "damaged" };
  }
}
