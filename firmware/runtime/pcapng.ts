/**
 * Writes pcapng: one section, the devices it met, and packets with their time and a comment. Pure.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------------------------------------------------------+
 *   |                          Block Type                           |
 *   |                      Block Total Length                       |
 *   |                  Body, padded to 32 bits …                    |
 *   |               options: code, length, value, padding           |
 *   |                      Block Total Length                       |
 *   +---------------------------------------------------------------+
 *
 * @see draft-ietf-opsawg-pcapng §3, §4.1, §4.2, §4.3
 */
import { concatBytes } from "@futago/hal/units/bytes.ts";

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
/** Tells the reader that all numbers are little-endian. */
const BYTE_ORDER = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;
const NANOSECONDS = 9;

const OPTION_COMMENT = 1;
const OPTION_HARDWARE = 2;
const OPTION_APPLICATION = 4;
const OPTION_NAME = 2;
const OPTION_RESOLUTION = 9;
const OPTION_FLAGS = 2;
/** Of epb_flags. */
const DIRECTION = { in: 1, out: 2 } as const;

export interface PcapngPacket {
  /** Nanoseconds since 1970. */
  readonly atNanos: bigint;
  readonly device: string;
  readonly direction: "in" | "out";
  /** Of the whole frame; `bytes` may be fewer. */
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly comment: string;
}

export class PcapngWriter {
  readonly #snap: number;
  readonly #numbers = new Map<string, number>();

  /** `snap` is how many bytes of a frame are kept at most. */
  constructor(snap: number) {
    this.#snap = snap;
  }

  /** To be written first. */
  header(hostname: string): Uint8Array {
    const body = new Uint8Array(16);
    const words = new DataView(body.buffer);
    words.setUint32(0, BYTE_ORDER, true);
    words.setUint16(4, 1, true);
    // The section's length is not known beforehand.
    words.setBigInt64(8, -1n, true);
    const host = hostname === "" ? [] : [textOption(OPTION_HARDWARE, hostname)];
    return block(SECTION_HEADER, body, [...host, textOption(OPTION_APPLICATION, "futago capture")]);
  }

  /** The packet, behind the description of its device when that was not met before. */
  packet(packet: PcapngPacket): Uint8Array {
    const known = this.#numbers.get(packet.device);
    if (known !== undefined) return enhanced(packet, known);
    const number = this.#numbers.size;
    this.#numbers.set(packet.device, number);
    return concatBytes([this.#description(packet.device), enhanced(packet, number)]);
  }

  #description(device: string): Uint8Array {
    const body = new Uint8Array(8);
    const words = new DataView(body.buffer);
    words.setUint16(0, LINKTYPE_ETHERNET, true);
    words.setUint32(4, this.#snap, true);
    return block(INTERFACE_DESCRIPTION, body, [
      textOption(OPTION_NAME, device),
      option(OPTION_RESOLUTION, Uint8Array.of(NANOSECONDS)),
    ]);
  }
}

function enhanced({ atNanos, direction, length, bytes, comment }: PcapngPacket, device: number): Uint8Array {
  const body = new Uint8Array(20 + padded(bytes.length));
  const words = new DataView(body.buffer);
  words.setUint32(0, device, true);
  words.setUint32(4, Number((atNanos >> 32n) & 0xffff_ffffn), true);
  words.setUint32(8, Number(atNanos & 0xffff_ffffn), true);
  words.setUint32(12, bytes.length, true);
  words.setUint32(16, length, true);
  body.set(bytes, 20);
  const flags = new Uint8Array(4);
  new DataView(flags.buffer).setUint32(0, DIRECTION[direction], true);
  const said = comment === "" ? [] : [textOption(OPTION_COMMENT, comment)];
  return block(ENHANCED_PACKET, body, [...said, option(OPTION_FLAGS, flags)]);
}

/** `body` is padded already. */
function block(type: number, body: Uint8Array, options: readonly Uint8Array[]): Uint8Array {
  const end = new Uint8Array(4);
  const inner = concatBytes([body, ...options, end]);
  const total = inner.length + 12;
  const whole = new Uint8Array(total);
  const words = new DataView(whole.buffer);
  words.setUint32(0, type, true);
  words.setUint32(4, total, true);
  whole.set(inner, 8);
  words.setUint32(total - 4, total, true);
  return whole;
}

/** A length has 16 bits. */
const TEXT_BYTES_MAX = 0xffff;

function textOption(code: number, text: string): Uint8Array {
  return option(code, new TextEncoder().encode(text).subarray(0, TEXT_BYTES_MAX));
}

function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.length));
  const words = new DataView(bytes.buffer);
  words.setUint16(0, code, true);
  words.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
