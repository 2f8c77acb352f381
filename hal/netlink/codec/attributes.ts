/**
 * Attributes of netlink messages: length and type of 16 bits each, then the value, padded to four bytes.
 * Every number is in the machine's byte order, which is little-endian on both of ours.
 * @see linux/netlink.h struct nlattr
 */

const HEADER_BYTES = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are no part of the type. */
const TYPE_MASK = 0x3fff;

export type Attributes = ReadonlyMap<number, Uint8Array>;

/** The attributes from `start` on, up to the first that does not fit. Of two with the same type the later counts. */
export function readAttributes(bytes: Uint8Array, start = 0): Attributes {
  const found = new Map<number, Uint8Array>();
  let at = start;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = readU16(bytes, at);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    found.set(readU16(bytes, at + 2) & TYPE_MASK, bytes.subarray(at + HEADER_BYTES, at + length));
    at += align(length);
  }
  return found;
}

/** One attribute, padded. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + align(value.length));
  writeU16(bytes, 0, HEADER_BYTES + value.length);
  writeU16(bytes, 2, type);
  bytes.set(value, HEADER_BYTES);
  return bytes;
}

export function attributeU32(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, value);
  return attribute(type, bytes);
}

/** A text with its closing zero, as the kernel's NLA_NUL_STRING wants it. */
export function attributeText(type: number, text: string): Uint8Array {
  return attribute(type, new TextEncoder().encode(`${text}\0`));
}

/** The number in an attribute of four bytes or more; undefined when it is missing or shorter. */
export function valueU32(value: Uint8Array | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : readU32(value, 0);
}

export function valueU16(value: Uint8Array | undefined): number | undefined {
  return value === undefined || value.length < 2 ? undefined : readU16(value, 0);
}

export function valueU8(value: Uint8Array | undefined): number | undefined {
  return value?.[0];
}

/** The text up to its closing zero. */
export function valueText(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
}

/** Rounds up to a multiple of four (NLA_ALIGN, NLMSG_ALIGN). */
export function align(length: number): number {
  return (length + 3) & ~3;
}

/** Bytes past the end read as zero: callers check the length first, and no input makes a reader throw. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0;
}

/** Of 64 bits; above 2^53 only nearly so much. */
export function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) + readU32(bytes, at + 4) * 2 ** 32;
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  writeU16(bytes, at, value);
  writeU16(bytes, at + 2, value >>> 16);
}
