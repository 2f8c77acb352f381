/**
 * Packets of both families for the tests of what is not a plain packet of a flow: TCP and UDP, ICMP errors that quote
 * them, and fragments. Every checksum is computed over the whole, apart from anything the programs under test do.
 */
import { concatBytes } from "@futago/hal/units/bytes.ts";
import { ACK, ethernet, internetChecksum, ip, u16, u32 } from "./packet.ts";

export type Family = "ipv4" | "ipv6";
export type Protocol = "tcp" | "udp";

export interface Ends {
  readonly source: string;
  readonly destination: string;
}

export interface Packet extends Ends {
  readonly protocol: Protocol;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload?: Uint8Array;
  readonly ttl?: number;
  /** TCP; default ACK. */
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  /** UDP without a checksum. */
  readonly unsummed?: boolean;
  /** IPv4: the sender allows fragments. */
  readonly mayFragment?: boolean;
  /** IPv4 options, a multiple of 4 bytes. */
  readonly options?: Uint8Array;
  /** IPv6 destination options of 8 bytes each. */
  readonly extensions?: number;
  readonly id?: number;
}

export interface IcmpError extends Ends {
  readonly type: number;
  readonly code: number;
  /** The 32 bits behind the checksum. */
  readonly rest?: number;
  readonly quoted: Uint8Array;
  readonly ttl?: number;
  readonly tos?: number;
}

const NUMBERS = { tcp: 6, udp: 17 } as const;

export const familyOf = ({ source }: Ends): Family => (source.includes(":") ? "ipv6" : "ipv4");

export function pseudoHeader(ends: Ends, protocol: number, length: number): Uint8Array {
  return familyOf(ends) === "ipv6"
    ? concatBytes([ip(ends.source), ip(ends.destination), u32(length), u32(protocol)])
    : concatBytes([ip(ends.source), ip(ends.destination), u16(protocol, length)]);
}

function segmentOf(packet: Packet): Uint8Array {
  const { payload = new Uint8Array(0) } = packet;
  const ports = u16(packet.sourcePort, packet.destinationPort);
  if (packet.protocol === "udp") {
    const datagram = concatBytes([ports, u16(8 + payload.length, 0), payload]);
    if (packet.unsummed === true) return datagram;
    const sum = internetChecksum(concatBytes([pseudoHeader(packet, 17, datagram.length), datagram]));
    datagram.set(u16(sum === 0 ? 0xffff : sum), 6);
    return datagram;
  }
  const numbers = [u32(packet.sequence ?? 1000), u32(packet.acknowledgement ?? 0)];
  const flags = Uint8Array.of(5 << 4, packet.flags ?? ACK);
  const segment = concatBytes([ports, ...numbers, flags, u16(0xfaf0, 0, 0), payload]);
  segment.set(u16(internetChecksum(concatBytes([pseudoHeader(packet, 6, segment.length), segment]))), 16);
  return segment;
}

interface IpFields extends Ends {
  readonly protocol: number;
  readonly ttl?: number | undefined;
  readonly tos?: number | undefined;
  readonly id?: number | undefined;
  /** IPv4's flags and offset. */
  readonly fragment?: number | undefined;
  readonly options?: Uint8Array | undefined;
}

export function ipPacket(fields: IpFields, payload: Uint8Array): Uint8Array {
  const { ttl = 64, tos = 0, id = 0, fragment = 0x4000, options = new Uint8Array(0) } = fields;
  const ends = [ip(fields.source), ip(fields.destination)];
  if (familyOf(fields) === "ipv6") {
    const start = [u32((0x60000000 | (tos << 20)) >>> 0), u16(payload.length), Uint8Array.of(fields.protocol, ttl)];
    return concatBytes([...start, ...ends, payload]);
  }
  const bytes = 20 + options.length;
  const start = [Uint8Array.of(0x40 | (bytes / 4), tos), u16(bytes + payload.length, id, fragment)];
  const header = concatBytes([...start, Uint8Array.of(ttl, fields.protocol), u16(0), ...ends, options]);
  header.set(u16(internetChecksum(header)), 10);
  return concatBytes([header, payload]);
}

/** Destination options that hold only padding. RFC 8200 section 4.6 */
function extended(count: number, last: number, payload: Uint8Array): readonly [first: number, bytes: Uint8Array] {
  let bytes = payload;
  let next = last;
  for (let i = 0; i < count; i++) {
    bytes = concatBytes([Uint8Array.of(next, 0, 1, 4, 0, 0, 0, 0), bytes]);
    next = 60;
  }
  return [next, bytes];
}

const extensionsOf = (packet: Packet) => (familyOf(packet) === "ipv6" ? (packet.extensions ?? 0) : 0);

/** The IP packet. */
export function packetOf(packet: Packet): Uint8Array {
  const [protocol, payload] = extended(extensionsOf(packet), NUMBERS[packet.protocol], segmentOf(packet));
  const { source, destination, ttl, id, options } = packet;
  const fragment = packet.mayFragment === true ? 0 : 0x4000;
  return ipPacket({ source, destination, protocol, ttl, id, fragment, options }, payload);
}

export function icmpOf(error: IcmpError): Uint8Array {
  const protocol = familyOf(error) === "ipv6" ? 58 : 1;
  const message = concatBytes([Uint8Array.of(error.type, error.code), u16(0), u32(error.rest ?? 0), error.quoted]);
  const covered = protocol === 58 ? concatBytes([pseudoHeader(error, 58, message.length), message]) : message;
  message.set(u16(internetChecksum(covered)), 2);
  const { source, destination, ttl, tos } = error;
  return ipPacket({ source, destination, protocol, ttl, tos, fragment: 0x4000 }, message);
}

/** The packet cut into pieces of `size` bytes, a multiple of 8, behind its own headers. */
export function fragmentsOf(packet: Packet, size: number): readonly Uint8Array[] {
  const segment = segmentOf(packet);
  const pieces = Array.from({ length: Math.ceil(segment.length / size) }, (_, i) => i * size);
  return pieces.map((at) => {
    const piece = segment.slice(at, at + size);
    const more = at + size < segment.length;
    return fragmentOf(packet, piece, at, more);
  });
}

/** One fragment, whatever is in it. */
export function fragmentOf(packet: Packet, piece: Uint8Array, at: number, more: boolean): Uint8Array {
  const { source, destination, ttl, id = 77 } = packet;
  const protocol = NUMBERS[packet.protocol];
  if (familyOf(packet) === "ipv4")
    return ipPacket(
      { source, destination, ttl, id, protocol, fragment: (at / 8) | (more ? 0x2000 : 0), options: packet.options },
      piece,
    );
  const header = concatBytes([Uint8Array.of(protocol, 0), u16(at | (more ? 1 : 0)), u32(id)]);
  return ipPacket({ source, destination, ttl, protocol: 44 }, concatBytes([header, piece]));
}

export function frameOf(packet: Uint8Array, macs: { readonly to: string; readonly from: string }): Uint8Array {
  return ethernet((packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800, packet, macs);
}
