/**
 * Frames for the BPF tests, built field by field, and a checksum that is computed over the whole packet, apart from
 * anything the programs under test do.
 */
import { addressBytes, macBytes, parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { concatBytes } from "@futago/hal/units/bytes.ts";

export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const FIN = 0x01;

export interface TcpFields {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly payload?: Uint8Array;
  readonly ttl?: number;
  readonly tos?: number;
  readonly id?: number;
  /** Flags and offset: 0x2000 more fragments, 0x4000 do not fragment. */
  readonly fragment?: number;
  readonly ipOptions?: Uint8Array;
  readonly tcpOptions?: Uint8Array;
  readonly destinationMac?: string;
  readonly sourceMac?: string;
}

export function u16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

export function u32(value: number): Uint8Array {
  return u16(value >>> 16, value & 0xffff);
}

export function ip(text: string): Uint8Array {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return addressBytes(address);
}

export function mac(text: string): Uint8Array {
  const parsed = parseMac(text);
  if (parsed === undefined) throw new Error(`no MAC: ${text}`);
  return macBytes(parsed);
}

/** RFC 1071: the ones' complement of the ones' complement sum of all 16-bit words. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

export function ethernet(
  ethertype: number,
  payload: Uint8Array,
  options: { to?: string; from?: string } = {},
): Uint8Array {
  const { to = "02:00:00:00:00:01", from = "02:00:00:00:00:02" } = options;
  return concatBytes([mac(to), mac(from), u16(ethertype), payload]);
}

/** Puts 802.1Q tags between the addresses and the ethertype. */
export function tagged(
  frame: Uint8Array,
  ...tags: readonly (readonly [ethertype: number, vlan: number])[]
): Uint8Array {
  const inserted = tags.map(([ethertype, vlan]) => u16(ethertype, vlan));
  return concatBytes([frame.slice(0, 12), ...inserted, frame.slice(12)]);
}

export function ipv4(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
  options: { ttl?: number; tos?: number; id?: number; fragment?: number; options?: Uint8Array } = {},
): Uint8Array {
  const { ttl = 64, tos = 0, id = 0, fragment = 0x4000, options: ipOptions = new Uint8Array(0) } = options;
  const headerBytes = 20 + ipOptions.length;
  const header = concatBytes([
    Uint8Array.of(0x40 | (headerBytes / 4), tos),
    u16(headerBytes + payload.length, id, fragment),
    Uint8Array.of(ttl, protocol),
    u16(0),
    ip(source),
    ip(destination),
    ipOptions,
  ]);
  header.set(u16(internetChecksum(header)), 10);
  return concatBytes([header, payload]);
}

export function ipv6(source: string, destination: string, nextHeader: number, payload: Uint8Array): Uint8Array {
  return concatBytes([
    u32(0x60000000),
    u16(payload.length),
    Uint8Array.of(nextHeader, 255),
    ip(source),
    ip(destination),
    payload,
  ]);
}

export function tcpSegment(fields: TcpFields): Uint8Array {
  const { tcpOptions = new Uint8Array(0), payload = new Uint8Array(0) } = fields;
  const segment = concatBytes([
    u16(fields.sourcePort, fields.destinationPort),
    u32(fields.sequence ?? 1000),
    u32(fields.acknowledgement ?? 0),
    Uint8Array.of(((20 + tcpOptions.length) / 4) << 4, fields.flags),
    u16(0xfaf0, 0, 0),
    tcpOptions,
    payload,
  ]);
  segment.set(u16(internetChecksum(concatBytes([pseudoHeader(fields, segment.length), segment]))), 16);
  return segment;
}

/** RFC 9293 section 3.1 for IPv4, RFC 8200 section 8.1 for IPv6. */
function pseudoHeader(ends: { source: string; destination: string }, length: number): Uint8Array {
  return ends.source.includes(":")
    ? concatBytes([ip(ends.source), ip(ends.destination), u32(length), u32(6)])
    : concatBytes([ip(ends.source), ip(ends.destination), u16(6, length)]);
}

/** A whole IPv4 TCP frame. */
export function tcpFrame(fields: TcpFields): Uint8Array {
  const packet = ipv4(fields.source, fields.destination, 6, tcpSegment(fields), {
    ...(fields.ttl === undefined ? {} : { ttl: fields.ttl }),
    ...(fields.tos === undefined ? {} : { tos: fields.tos }),
    ...(fields.id === undefined ? {} : { id: fields.id }),
    ...(fields.fragment === undefined ? {} : { fragment: fields.fragment }),
    ...(fields.ipOptions === undefined ? {} : { options: fields.ipOptions }),
  });
  return ethernet(0x0800, packet, {
    ...(fields.destinationMac === undefined ? {} : { to: fields.destinationMac }),
    ...(fields.sourceMac === undefined ? {} : { from: fields.sourceMac }),
  });
}

export interface ReadTcp {
  readonly destinationMac: string;
  readonly sourceMac: string;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly ttl: number;
  readonly ipChecksumRight: boolean;
  readonly tcpChecksumRight: boolean;
}

/** Reads back an unfragmented IPv4 TCP frame and verifies both checksums over all it holds. */
export function readTcp(frame: Uint8Array): ReadTcp {
  const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
  const word = (at: number) => ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
  const at = 14 + ((frame[14] ?? 0) & 15) * 4;
  const segment = frame.slice(at, 14 + word(16));
  const source = frame.slice(26, 30).join(".");
  const destination = frame.slice(30, 34).join(".");
  return {
    destinationMac: hex(frame.slice(0, 6)),
    sourceMac: hex(frame.slice(6, 12)),
    source,
    destination,
    sourcePort: word(at),
    destinationPort: word(at + 2),
    ttl: frame[22] ?? 0,
    ipChecksumRight: internetChecksum(frame.slice(14, at)) === 0,
    tcpChecksumRight:
      internetChecksum(concatBytes([pseudoHeader({ source, destination }, segment.length), segment])) === 0,
  };
}

export type ArpFields = { readonly kind: 1 | 2; readonly sender: string; readonly target: string };

export function arpFrame({ kind, sender, target }: ArpFields): Uint8Array {
  const hardware = mac("02:00:00:00:00:02");
  return ethernet(
    0x0806,
    concatBytes([u16(1, 0x0800, 0x0604, kind), hardware, ip(sender), new Uint8Array(6), ip(target)]),
    { to: "ff:ff:ff:ff:ff:ff" },
  );
}

/** A neighbour solicitation (135) or advertisement (136), behind whatever extension headers are given. */
export function ndFrame(fields: {
  readonly kind: 135 | 136;
  readonly source: string;
  readonly destination: string;
  readonly target: string;
  readonly extensions?: readonly Ipv6Extension[];
}): Uint8Array {
  const message = concatBytes([Uint8Array.of(fields.kind, 0), u16(0), u32(0), ip(fields.target)]);
  const { first, bytes } = extensionChain(fields.extensions ?? [], 58);
  const packet = ipv6(fields.source, fields.destination, first, concatBytes([bytes, message]));
  return ethernet(0x86dd, packet, { to: "33:33:ff:00:00:01" });
}

/** The header's own number, and its content without the next-header byte. */
export interface Ipv6Extension {
  readonly kind: number;
  readonly content: Uint8Array;
}

export function extensionChain(
  extensions: readonly Ipv6Extension[],
  last: number,
): { readonly first: number; readonly bytes: Uint8Array } {
  const kinds = [...extensions.map((extension) => extension.kind), last];
  const parts = extensions.map((extension, i) => concatBytes([Uint8Array.of(kinds[i + 1] ?? last), extension.content]));
  return { first: kinds[0] ?? last, bytes: concatBytes(parts) };
}

export function tcp6Frame(fields: TcpFields & { readonly extensions?: readonly Ipv6Extension[] }): Uint8Array {
  const { first, bytes } = extensionChain(fields.extensions ?? [], 6);
  return ethernet(0x86dd, ipv6(fields.source, fields.destination, first, concatBytes([bytes, tcpSegment(fields)])));
}
