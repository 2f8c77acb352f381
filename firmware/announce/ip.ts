/** IP headers around the packets of this room. Fragments and extension headers are refused: nothing we read needs them. */
import { addressBytes, addressFromBytes, family, type IpAddress } from "@futago/hal/units/address.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import { internetChecksum } from "@futago/hal/units/checksum.ts";
import { ok, refuse, type Result } from "@futago/hal/units/result.ts";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "./ethernet.ts";

const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
/** DSCP CS6, network control (RFC 4594 §3.1), in the traffic class octet. */
const NETWORK_CONTROL = 0xc0;

export interface IpPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Protocol or Next Header. */
  readonly protocol: number;
  /** TTL or Hop Limit. */
  readonly hopLimit: number;
  /** What follows the header, cut at the header's length. */
  readonly payload: Uint8Array;
}

export type IpRefusal = "not-ip" | "ip-truncated" | "ip-header-wrong" | "ip-checksum-wrong" | "ip-fragment";

export function encodeIp(packet: IpPacket): Uint8Array {
  const header = family(packet.source) === "ipv4" ? ipv4Header(packet) : ipv6Header(packet);
  return concatBytes([header, packet.payload]);
}

/** Reads the packet in an Ethernet payload; bytes beyond the IP length are padding and dropped. */
export function decodeIp(etherType: number, bytes: Uint8Array): Result<IpPacket, IpRefusal> {
  if (etherType === ETHERTYPE_IPV4) return decodeIpv4(bytes);
  if (etherType === ETHERTYPE_IPV6) return decodeIpv6(bytes);
  return refuse("not-ip");
}

function decodeIpv4(bytes: Uint8Array): Result<IpPacket, IpRefusal> {
  if (bytes.length < IPV4_HEADER_BYTES) return refuse("ip-truncated");
  const headerBytes = ((bytes[0] ?? 0) & 0xf) * 4;
  const total = word(bytes, 2);
  if ((bytes[0] ?? 0) >> 4 !== 4 || headerBytes < IPV4_HEADER_BYTES || total < headerBytes) {
    return refuse("ip-header-wrong");
  }
  if (bytes.length < total) return refuse("ip-truncated");
  if (internetChecksum([bytes.subarray(0, headerBytes)]) !== 0) return refuse("ip-checksum-wrong");
  // More-fragments bit or a fragment offset.
  if ((word(bytes, 6) & 0x3fff) !== 0) return refuse("ip-fragment");
  const source = addressFromBytes(bytes.subarray(12, 16));
  const destination = addressFromBytes(bytes.subarray(16, 20));
  if (source === undefined || destination === undefined) return refuse("ip-truncated");
  const payload = bytes.subarray(headerBytes, total);
  return ok({ source, destination, protocol: bytes[9] ?? 0, hopLimit: bytes[8] ?? 0, payload });
}

function decodeIpv6(bytes: Uint8Array): Result<IpPacket, IpRefusal> {
  if (bytes.length < IPV6_HEADER_BYTES) return refuse("ip-truncated");
  if ((bytes[0] ?? 0) >> 4 !== 6) return refuse("ip-header-wrong");
  const end = IPV6_HEADER_BYTES + word(bytes, 4);
  if (bytes.length < end) return refuse("ip-truncated");
  const source = addressFromBytes(bytes.subarray(8, 24));
  const destination = addressFromBytes(bytes.subarray(24, 40));
  if (source === undefined || destination === undefined) return refuse("ip-truncated");
  const payload = bytes.subarray(IPV6_HEADER_BYTES, end);
  return ok({ source, destination, protocol: bytes[6] ?? 0, hopLimit: bytes[7] ?? 0, payload });
}

function ipv4Header(packet: IpPacket): Uint8Array {
  const header = new Uint8Array(IPV4_HEADER_BYTES);
  const total = IPV4_HEADER_BYTES + packet.payload.length;
  // Don't-fragment is set, so identification 0 is allowed (RFC 6864 §4.1).
  header.set([0x45, NETWORK_CONTROL, total >> 8, total & 0xff, 0, 0, 0x40, 0, packet.hopLimit, packet.protocol]);
  header.set(addressBytes(packet.source), 12);
  header.set(addressBytes(packet.destination), 16);
  const checksum = internetChecksum([header]);
  header.set([checksum >> 8, checksum & 0xff], 10);
  return header;
}

function ipv6Header(packet: IpPacket): Uint8Array {
  const header = new Uint8Array(IPV6_HEADER_BYTES);
  const { length } = packet.payload;
  header.set([0x60 | (NETWORK_CONTROL >> 4), (NETWORK_CONTROL << 4) & 0xff, 0, 0, length >> 8, length & 0xff]);
  header.set([packet.protocol, packet.hopLimit], 6);
  header.set(addressBytes(packet.source), 8);
  header.set(addressBytes(packet.destination), 24);
  return header;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
