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
import type { IcmpErrorReason } from "../contract/network.ts";
import { addressFromBytes, type Family, type IpAddress } from "../units/address.ts";
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

/** An echo request that somebody on the way did not send on. */
export interface EchoError {
  readonly to: IpAddress;
  readonly id: number;
  readonly sequence: number;
  readonly reason: IcmpErrorReason;
}

export type EchoErrorRefusal = "truncated" | "not-an-error" | "not-an-echo" | "bad-checksum";

/** Type, code, checksum and four bytes of which the meaning depends on them; then the packet that it is about. */
const ERROR_HEADER_BYTES = 8;
const IPV6_HEADER_BYTES = 40;
const PROTOCOL_ICMP = 1;
const PROTOCOL_ICMPV6 = 58;

/**
 * Reads what a raw socket delivers of an error about an echo request. IPv6 packets of ours have no extension headers.
 * @see RFC 792 (types 3 and 11), RFC 1812 §4.3.2.3 (at least eight bytes of the packet are quoted), RFC 4443 §3
 */
export function decodeEchoError(family: Family, bytes: Uint8Array): Result<EchoError, EchoErrorRefusal> {
  const start = family === "ipv4" ? ((bytes[0] ?? 0) & 0x0f) * 4 : 0;
  if (family === "ipv4" && start < IPV4_HEADER_BYTES) return refuse("truncated");
  if (bytes.length < start + ERROR_HEADER_BYTES) return refuse("truncated");
  const message = bytes.subarray(start);
  const [type = 0, code = 0] = message;
  const reason = family === "ipv4" ? reasonOfIpv4(type, code) : reasonOfIpv6(type, code);
  if (reason === undefined) return refuse("not-an-error");
  if (family === "ipv4" && internetChecksum([message]) !== 0) return refuse("bad-checksum");
  const quoted = message.subarray(ERROR_HEADER_BYTES);
  const header = family === "ipv4" ? ((quoted[0] ?? 0) & 0x0f) * 4 : IPV6_HEADER_BYTES;
  if (header < IPV4_HEADER_BYTES || quoted.length < header + HEADER_BYTES) return refuse("truncated");
  const isEcho =
    family === "ipv4"
      ? quoted[9] === PROTOCOL_ICMP && quoted[header] === 8
      : quoted[6] === PROTOCOL_ICMPV6 && quoted[header] === 128;
  const to = addressFromBytes(family === "ipv4" ? quoted.subarray(16, 20) : quoted.subarray(24, 40));
  if (!isEcho || to === undefined) return refuse("not-an-echo");
  const view = new DataView(quoted.buffer, quoted.byteOffset + header, HEADER_BYTES);
  return ok({ to, id: view.getUint16(4), sequence: view.getUint16(6), reason });
}

function reasonOfIpv4(type: number, code: number): IcmpErrorReason | undefined {
  if (type === 11) return code === 0 ? "time-exceeded" : "other";
  if (type !== 3) return undefined;
  if (code === 0) return "no-route";
  if (code === 1) return "host-unreachable";
  if (code === 3) return "port-unreachable";
  if (code === 4) return "too-big";
  return code === 9 || code === 10 || code === 13 ? "prohibited" : "other";
}

function reasonOfIpv6(type: number, code: number): IcmpErrorReason | undefined {
  if (type === 3) return code === 0 ? "time-exceeded" : "other";
  if (type === 2) return "too-big";
  if (type !== 1) return undefined;
  if (code === 0) return "no-route";
  if (code === 3) return "host-unreachable";
  if (code === 4) return "port-unreachable";
  return code === 1 || code === 5 || code === 6 ? "prohibited" : "other";
}
