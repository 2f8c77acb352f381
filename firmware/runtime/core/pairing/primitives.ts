/** The cryptographic functions of the pairing ceremony, by OpenSSL as Node has it. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  scrypt,
} from "node:crypto";
import { toHex } from "@futago/hal/units/bytes.ts";
import type { Primitives } from "../../../pair/ceremony/primitives.ts";
import type { TalkSecrets } from "../../../pair/ceremony/talk-state.ts";

const CIPHER = "aes-256-gcm";
/** Each key seals one text. */
const NONCE = new Uint8Array(12);
const TAG_BYTES = 16;

export const primitives: Primitives = {
  hash: (bytes) => createHash("sha256").update(bytes).digest(),
  agree: (privateKey, share) => {
    try {
      return diffieHellman({ privateKey: privateKeyOf(privateKey), publicKey: publicKeyOf(share) });
    } catch {
      // OpenSSL refuses a share of low order, and what is no share at all.
      return undefined;
    }
  },
  derive: (secret, salt, info, length) => new Uint8Array(hkdfSync("sha256", secret, salt, info, length)),
  seal: (key, text) => {
    const cipher = createCipheriv(CIPHER, key, NONCE);
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  },
  unseal: (key, sealed) => {
    if (sealed.length < TAG_BYTES) return undefined;
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(end));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
    } catch {
      // Another key, or another text than was sealed.
      return undefined;
    }
  },
};

export function talkSecrets(): TalkSecrets {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const [{ d = "" }, { x = "" }] = [privateKey.export({ format: "jwk" }), publicKey.export({ format: "jwk" })];
  return {
    privateKey: Buffer.from(d, "base64url"),
    share: toHex(Buffer.from(x, "base64url")),
    nonce: toHex(randomBytes(32)),
  };
}

/** A tenth of a second and 32 MiB on a small box, so that guessing a code is slow. In a thread of the pool. */
export function stretch(text: string, salt: Uint8Array): Promise<Uint8Array> {
  const cost = { N: 1 << 15, r: 8, p: 1, maxmem: 64 << 20 };
  return new Promise((resolve, reject) => {
    scrypt(text, salt, 32, cost, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

/** RFC 8410: what comes before the 32 bytes of an X25519 key in PKCS #8 and in SubjectPublicKeyInfo. */
const PRIVATE_KEY_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_KEY_HEAD = Buffer.from("302a300506032b656e032100", "hex");

function privateKeyOf(bytes: Uint8Array) {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_KEY_HEAD, bytes]), format: "der", type: "pkcs8" });
}

function publicKeyOf(bytes: Uint8Array) {
  return createPublicKey({ key: Buffer.concat([PUBLIC_KEY_HEAD, bytes]), format: "der", type: "spki" });
}
