/** TCP and UDP frames of either family, built from one set of fields and read back with all their checksums verified. */
import { addressFromBytes, macFromBytes } from "@futago/hal/units/address.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import { ethernet, extensionChain, internetChecksum, ip, ipv4, type Ipv6Extension, u16, u32 } from "./packet.ts";

export type Protocol = "tcp" | "udp";

export interface TransportFields {
  readonly protocol: Protocol;
  /** Their family is the packet's. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** TCP only. */
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly payload?: Uint8Array;
  /** TTL or hop limit. */
  readonly ttl?: number;
  /** Type of service or traffic class. */
  readonly tos?: number;
  readonly ipOptions?: Uint8Array;
  readonly extensions?: readonly Ipv6Extension[];
  /** UDP without a checksum. */
  readonly isUnchecked?: boolean;
  readonly destinationMac?: string;
  readonly sourceMac?: string;
}

const NUMBERS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17 };

export const isIpv6 = (address: string) => address.includes(":");

/** RFC 9293 section 3.1 for IPv4, RFC 8200 section 8.1 for IPv6. */
function pseudoHeader(source: Uint8Array, destination: Uint8Array, protocol: number, length: number): Uint8Array {
  const rest = source.length === 16 ? [u32(length), u32(protocol)] : [u16(protocol, length)];
  return concatBytes([source, destination, ...rest]);
}

function tcpHeader(fields: TransportFields): Uint8Array {
  return concatBytes([
    u16(fields.sourcePort, fields.destinationPort),
    u32(fields.sequence ?? 1000),
    u32(fields.acknowledgement ?? 0),
    Uint8Array.of(0x50, fields.flags ?? 0x10),
    u16(0xfaf0, 0, 0),
  ]);
}

/** The TCP segment or UDP datagram, checksum and all. */
export function transportBytes(fields: TransportFields): Uint8Array {
  const { protocol, payload = new Uint8Array(0) } = fields;
  const header =
    protocol === "tcp" ? tcpHeader(fields) : u16(fields.sourcePort, fields.destinationPort, 8 + payload.length, 0);
  const bytes = concatBytes([header, payload]);
  if (protocol === "udp" && fields.isUnchecked === true) return bytes;
  const pseudo = pseudoHeader(ip(fields.source), ip(fields.destination), NUMBERS[protocol], bytes.length);
  const checksum = internetChecksum(concatBytes([pseudo, bytes]));
  bytes.set(u16(protocol === "udp" && checksum === 0 ? 0xffff : checksum), protocol === "tcp" ? 16 : 6);
  return bytes;
}

function ipv6Packet(fields: TransportFields): Uint8Array {
  const { first, bytes } = extensionChain(fields.extensions ?? [], NUMBERS[fields.protocol]);
  const payload = concatBytes([bytes, transportBytes(fields)]);
  return concatBytes([
    u32((6 << 28) | ((fields.tos ?? 0) << 20)),
    u16(payload.length),
    Uint8Array.of(first, fields.ttl ?? 64),
    ip(fields.source),
    ip(fields.destination),
    payload,
  ]);
}

export function transportFrame(fields: TransportFields): Uint8Array {
  const macs = {
    ...(fields.destinationMac === undefined ? {} : { to: fields.destinationMac }),
    ...(fields.sourceMac === undefined ? {} : { from: fields.sourceMac }),
  };
  if (isIpv6(fields.source)) return ethernet(0x86dd, ipv6Packet(fields), macs);
  const options = {
    ...(fields.ttl === undefined ? {} : { ttl: fields.ttl }),
    ...(fields.tos === undefined ? {} : { tos: fields.tos }),
    ...(fields.ipOptions === undefined ? {} : { options: fields.ipOptions }),
  };
  const packet = ipv4(fields.source, fields.destination, NUMBERS[fields.protocol], transportBytes(fields), options);
  return ethernet(0x0800, packet, macs);
}

export interface ReadTransport {
  readonly destinationMac: string;
  readonly sourceMac: string;
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly ttl: number;
  readonly tos: number;
  /** Of a UDP datagram that has none, `checksum` is "none". */
  readonly checksum: "right" | "wrong" | "none";
  readonly ipChecksumRight: boolean;
  /** IPv4 options or IPv6 extension headers, without the bytes that say what follows them. */
  readonly between: Uint8Array;
  /** TCP's flags; 0 in UDP. */
  readonly flags: number;
  readonly payload: Uint8Array;
}

interface Layer3 {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  readonly ttl: number;
  readonly tos: number;
  readonly ipChecksumRight: boolean;
  readonly between: Uint8Array;
  readonly bytes: Uint8Array;
}

const wordOf = (bytes: Uint8Array, at: number) => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

function readIpv4(frame: Uint8Array): Layer3 {
  const at = 14 + ((frame[14] ?? 0) & 15) * 4;
  return {
    source: frame.slice(26, 30),
    destination: frame.slice(30, 34),
    protocol: frame[23] ?? 0,
    ttl: frame[22] ?? 0,
    tos: frame[15] ?? 0,
    ipChecksumRight: internetChecksum(frame.slice(14, at)) === 0,
    between: frame.slice(34, at),
    bytes: frame.slice(at, 14 + wordOf(frame, 16)),
  };
}

/** Hop-by-hop options, routing and destination options headers are stepped over. */
function readIpv6(frame: Uint8Array): Layer3 {
  let protocol = frame[20] ?? 0;
  let at = 54;
  while ([0, 43, 60].includes(protocol) && at < frame.length) {
    protocol = frame[at] ?? 0;
    at += ((frame[at + 1] ?? 0) + 1) * 8;
  }
  return {
    source: frame.slice(22, 38),
    destination: frame.slice(38, 54),
    protocol,
    ttl: frame[21] ?? 0,
    tos: (wordOf(frame, 14) >> 4) & 0xff,
    ipChecksumRight: true,
    between: frame.slice(54, at),
    bytes: frame.slice(at, 54 + wordOf(frame, 18)),
  };
}

export function readTransport(frame: Uint8Array): ReadTransport {
  const { bytes, ...layer3 } = wordOf(frame, 12) === 0x86dd ? readIpv6(frame) : readIpv4(frame);
  const { protocol } = layer3;
  const isTcp = protocol === 6;
  const pseudo = pseudoHeader(layer3.source, layer3.destination, protocol, bytes.length);
  const isRight = internetChecksum(concatBytes([pseudo, bytes])) === 0;
  return {
    ...layer3,
    destinationMac: String(macFromBytes(frame.slice(0, 6))),
    sourceMac: String(macFromBytes(frame.slice(6, 12))),
    source: String(addressFromBytes(layer3.source)),
    destination: String(addressFromBytes(layer3.destination)),
    sourcePort: wordOf(bytes, 0),
    destinationPort: wordOf(bytes, 2),
    checksum: !isTcp && wordOf(bytes, 6) === 0 ? "none" : isRight ? "right" : "wrong",
    flags: isTcp ? (bytes[13] ?? 0) : 0,
    payload: bytes.slice(isTcp ? ((bytes[12] ?? 0) >> 4) * 4 : 8),
  };
}
