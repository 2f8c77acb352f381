/**
 * ICMP and ICMPv6 echo messages.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |     Type      |     Code      |          Checksum             |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |           Identifier          |        Sequence Number        |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * @see RFC 792 (types 8 and 0), RFC 4443 §4 (types 128 and 129)
 */
import type { Family } from "../units/address.ts";
import { internetChecksum } from "../units/checksum.ts";
import { ok, refuse, type Result } from "../units/result.ts";

const HEADER_BYTES = 8;
const IPV4_HEADER_BYTES = 20;

/** An echo request without data. Identifier and sequence are taken modulo 65,536. */
export function encodeEchoRequest(family: Family, id: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, family === "ipv4" ? 8 : 128);
  view.setUint16(4, id & 0xffff);
  view.setUint16(6, sequence & 0xffff);
  // The kernel fills in the checksum of ICMPv6, which covers a pseudo-header of addresses that it chooses (RFC 3542 §3.1).
  if (family === "ipv4") view.setUint16(2, internetChecksum([bytes]));
  return bytes;
}

export interface EchoReply {
  readonly id: number;
  readonly sequence: number;
}

export type EchoRefusal = "truncated" | "not-a-reply" | "bad-checksum";

/** Reads what a raw socket delivers: with its IP header for IPv4, without for IPv6, whose checksum the kernel has verified. */
export function decodeEchoReply(family: Family, bytes: Uint8Array): Result<EchoReply, EchoRefusal> {
  const start = family === "ipv4" ? ((bytes[0] ?? 0) & 0x0f) * 4 : 0;
  if (family === "ipv4" && start < IPV4_HEADER_BYTES) return refuse("truncated");
  if (bytes.length < start + HEADER_BYTES) return refuse("truncated");
  const message = bytes.subarray(start);
  if (message[0] !== (family === "ipv4" ? 0 : 129) || message[1] !== 0) return refuse("not-a-reply");
  if (family === "ipv4" && internetChecksum([message]) !== 0) return refuse("bad-checksum");
  const view = new DataView(message.buffer, message.byteOffset, HEADER_BYTES);
  return ok({ id: view.getUint16(4), sequence: view.getUint16(6) });
}
