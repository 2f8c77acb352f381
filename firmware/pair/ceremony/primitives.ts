/** The cryptographic functions that the ceremony is made of. All of them are pure; runtime gives them. */
export interface Primitives {
  /** SHA-256. */
  hash(bytes: Uint8Array): Uint8Array;
  /** X25519; undefined for a share that leads to no secret (RFC 7748 §6.1). */
  agree(privateKey: Uint8Array, share: Uint8Array): Uint8Array | undefined;
  /** HKDF with SHA-256 (RFC 5869). */
  derive(secret: Uint8Array, salt: Uint8Array, info: string, length: number): Uint8Array;
  /** AES-256-GCM with a nonce of zeros: each key seals one text. */
  seal(key: Uint8Array, text: Uint8Array): Uint8Array;
  /** Undefined when the key is another or a bit is. */
  unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}
