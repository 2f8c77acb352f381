/** What a box says over the connection for a bundle, once: which one, and from which byte on. The bytes are the answer. Pure. */
export interface BundleRequest {
  /** 16 hexadecimal digits. */
  readonly update: string;
  readonly offset: number;
}

const UPDATE_BYTES = 8;
const REQUEST_BYTES = UPDATE_BYTES + 8;

/** 16 bytes: the update, and the offset, big-endian. */
export function encodeRequest({ update, offset }: BundleRequest): Buffer {
  const request = Buffer.alloc(REQUEST_BYTES);
  request.write(update, "hex");
  request.writeBigUInt64BE(BigInt(offset), UPDATE_BYTES);
  return request;
}

/** Undefined: it is none. */
export function decodeRequest(bytes: Buffer): BundleRequest | undefined {
  if (bytes.length !== REQUEST_BYTES) return undefined;
  const offset = bytes.readBigUInt64BE(UPDATE_BYTES);
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { update: bytes.toString("hex", 0, UPDATE_BYTES), offset: Number(offset) };
}
