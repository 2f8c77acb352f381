/**
 * The shapes of the BPF maps and the bytes of their keys and values: the TypeScript twin of consts.h, structs.h and
 * the maps-*.h. Pure. Addresses and ports lie in network byte order, everything else in the host's.
 *
 * Every machine that Futago runs on is little-endian.
 */
import {
  addressBytes,
  addressFromBytes,
  family,
  type Ifindex,
  type IpAddress,
  type Ipv4,
  type Mac,
  macFromBytes,
} from "../units/address.ts";
import {
  type BackendEntry,
  type ReverseEntry,
  RING_SIZE,
  type RingEntry,
  SERVICE_BACKENDS_MAX,
  type ServiceEntry,
  type ServiceProtocol,
} from "../units/balancer.ts";

export const GROUPS_MAX = 16;
export const VIPS_MAX = 1024;
export const OWN_MAX = 1024;
export const PORTS_MAX = 256;
export const SERVICES_MAX = 256;
export const ESTABLISHED_MAX = 131_072;
export const HALF_OPEN_MAX = 16_384;
export const STALE_MAX = 256;

/** Bits of a group. */
export const GROUP_ANSWER = 1;
export const GROUP_FORWARD = 2;

/** The mark (nftables `meta mark`) of a packet that the balancer rewrote and left to the kernel to deliver. */
export const MARK_REWRITTEN = 0xf07a60;

/** Why the gate dropped something that concerns a VIP, in the order of enum gate_counter. */
export const GATE_REASONS = [
  "inArpLapsed",
  "inSolicitationLapsed",
  "inNewFlowLapsed",
  "inPacketLapsed",
  "outArpLapsed",
  "outAdvertisementLapsed",
  "outPacketLapsed",
  "inArpWithheld",
  "inSolicitationWithheld",
  "inNewFlowWithheld",
  "inPacketWithheld",
  "outArpWithheld",
  "outAdvertisementWithheld",
  "outPacketWithheld",
] as const;
export type GateReason = (typeof GATE_REASONS)[number];

/** What became of packets that the balancer looked at and did not transmit, in the order of enum balancer_counter. */
export const BALANCER_REASONS = [
  "passVipClosed",
  "passNewFlowClosed",
  "passNoService",
  "passVipUnread",
  "passOwn",
  "passNoNeighbour",
  "passNoPort",
  "dropFragment",
  "dropNoBackend",
  "dropDeadBackend",
  "dropReplyClosed",
  "dropReplyFragment",
  "dropReplyTruncated",
  "dropTtl",
  "dropTooBig",
  "dropNoRoute",
  "tableRefused",
] as const;
export type BalancerReason = (typeof BALANCER_REASONS)[number];

export interface MapShape {
  readonly object: "gate" | "balancer" | "both";
  readonly kind: "array" | "hash" | "perCpuArray" | "programs" | "ports";
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entriesMax: number;
}

const ADDRESS = 16;
const ENDPOINT = 8;
const TRAFFIC = 40;
const BACKENDS_MAX = SERVICES_MAX * SERVICE_BACKENDS_MAX;

export const MAPS = {
  futago_groups: { object: "both", kind: "array", keyBytes: 4, valueBytes: 16, entriesMax: GROUPS_MAX },
  futago_vips: { object: "both", kind: "hash", keyBytes: ADDRESS, valueBytes: 4, entriesMax: VIPS_MAX },
  futago_stale: { object: "both", kind: "hash", keyBytes: 28, valueBytes: 40, entriesMax: STALE_MAX },
  gate_counters: { object: "gate", kind: "perCpuArray", keyBytes: 4, valueBytes: 8, entriesMax: GATE_REASONS.length },
  futago_slots: { object: "balancer", kind: "programs", keyBytes: 4, valueBytes: 4, entriesMax: 1 },
  futago_ports: { object: "balancer", kind: "ports", keyBytes: 4, valueBytes: 4, entriesMax: PORTS_MAX },
  futago_own: { object: "balancer", kind: "hash", keyBytes: ADDRESS, valueBytes: 4, entriesMax: OWN_MAX },
  services4: { object: "balancer", kind: "hash", keyBytes: ENDPOINT, valueBytes: 8, entriesMax: SERVICES_MAX },
  rings: { object: "balancer", kind: "array", keyBytes: 4, valueBytes: 2 * (RING_SIZE + 1), entriesMax: SERVICES_MAX },
  backends: { object: "balancer", kind: "array", keyBytes: 4, valueBytes: 24, entriesMax: BACKENDS_MAX },
  reverse4: { object: "balancer", kind: "hash", keyBytes: ENDPOINT, valueBytes: 16, entriesMax: 2 * BACKENDS_MAX },
  established4: { object: "balancer", kind: "hash", keyBytes: 16, valueBytes: 24, entriesMax: ESTABLISHED_MAX },
  half_open4: { object: "balancer", kind: "hash", keyBytes: 16, valueBytes: 24, entriesMax: HALF_OPEN_MAX },
  balancer_counts: {
    object: "balancer",
    kind: "perCpuArray",
    keyBytes: 4,
    valueBytes: 8,
    entriesMax: BALANCER_REASONS.length,
  },
  service_counts: {
    object: "balancer",
    kind: "perCpuArray",
    keyBytes: 4,
    valueBytes: TRAFFIC,
    entriesMax: SERVICES_MAX,
  },
  backend_counts: {
    object: "balancer",
    kind: "perCpuArray",
    keyBytes: 4,
    valueBytes: TRAFFIC,
    entriesMax: BACKENDS_MAX,
  },
} as const satisfies Record<string, MapShape>;

/** Sizes to load the balancer with, when the defaults do not fit. */
export function balancerSizes(servicesMax: number, flowsMax: number): Readonly<Record<string, number>> {
  const backendsMax = servicesMax * SERVICE_BACKENDS_MAX;
  return {
    services4: servicesMax,
    rings: servicesMax,
    service_counts: servicesMax,
    backends: backendsMax,
    backend_counts: backendsMax,
    reverse4: 2 * backendsMax,
    established4: flowsMax,
  };
}

export function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function decodeNumber(bytes: Uint8Array): number {
  return view(bytes).getUint32(0, true);
}

/** struct address: an IPv4 address as ::ffff:a.b.c.d. */
export function encodeAddress(address: IpAddress): Uint8Array {
  const bytes = addressBytes(address);
  if (family(address) === "ipv6") return bytes;
  const mapped = new Uint8Array(ADDRESS);
  mapped.fill(0xff, 10, 12);
  mapped.set(bytes, 12);
  return mapped;
}

export function decodeAddress(bytes: Uint8Array): IpAddress {
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return checked(addressFromBytes(mapped ? bytes.subarray(12, 16) : bytes.subarray(0, ADDRESS)));
}

/** struct stale_key with its struct stale: a host that sends to this box what is a closed VIP's. */
export interface StaleEntry {
  /** The VIP that the packets are for, or, of a backend's replies, are to go out in the name of. */
  readonly vip: IpAddress;
  readonly ifindex: Ifindex;
  readonly mac: Mac;
  /** The source of the first packet, which behind a router is not the host's own address. */
  readonly source: IpAddress;
  readonly sentTo: Mac;
  readonly packets: number;
  /** Nanoseconds on CLOCK_BOOTTIME, of the newest packet. */
  readonly seenNanos: bigint;
}

export function decodeStale(key: Uint8Array, value: Uint8Array): StaleEntry {
  return {
    vip: decodeAddress(key),
    ifindex: view(key).getUint32(16, true) as Ifindex,
    mac: decodeMac(key, 20),
    packets: Number(view(value).getBigUint64(0, true)),
    seenNanos: view(value).getBigUint64(8, true),
    source: decodeAddress(value.subarray(16)),
    sentTo: decodeMac(value, 32),
  };
}

const PROTOCOLS: Readonly<Record<ServiceProtocol, number>> = { tcp: 6 };

/** struct endpoint4. */
export function encodeEndpoint(address: Ipv4, port: number, protocol: ServiceProtocol): Uint8Array {
  const bytes = new Uint8Array(ENDPOINT);
  bytes.set(addressBytes(address));
  view(bytes).setUint16(4, port);
  bytes[6] = PROTOCOLS[protocol];
  return bytes;
}

export function decodeEndpoint(bytes: Uint8Array): { readonly address: Ipv4; readonly port: number } {
  return { address: decodeIpv4(bytes, 0), port: view(bytes).getUint16(4) };
}

/** struct service. */
export function encodeService(entry: ServiceEntry): Uint8Array {
  const bytes = new Uint8Array(8);
  view(bytes).setUint32(0, entry.index, true);
  view(bytes).setUint32(4, entry.seed, true);
  return bytes;
}

export function decodeService(key: Uint8Array, value: Uint8Array): ServiceEntry {
  const index = view(value).getUint32(0, true);
  const seed = view(value).getUint32(4, true);
  return { kind: "service", ...decodeEndpoint(key), protocol: "tcp", index, seed };
}

/** struct backend. */
export function encodeBackend(entry: BackendEntry): Uint8Array {
  const bytes = new Uint8Array(24);
  bytes.set(encodeAddress(entry.address));
  view(bytes).setUint16(16, entry.port);
  bytes[18] = entry.alive ? 1 : 0;
  return bytes;
}

/** Undefined where no backend was ever written, or one was removed. */
export function decodeBackend(number: number, value: Uint8Array): BackendEntry | undefined {
  const port = view(value).getUint16(16);
  if (port === 0) return undefined;
  return { kind: "backend", number, address: decodeIpv4(value, 12), port, alive: value[18] === 1 };
}

/** struct ring. */
export function encodeRing(ordinals: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(MAPS.rings.valueBytes);
  bytes.set(new Uint8Array(ordinals.buffer, ordinals.byteOffset, ordinals.byteLength));
  return bytes;
}

export function decodeRing(index: number, value: Uint8Array): RingEntry {
  const ordinals = new Uint16Array(value.slice(0, 2 * RING_SIZE).buffer);
  return { kind: "ring", index, ordinals, signature: undefined };
}

/** struct reverse4. */
export function encodeReverse(entry: ReverseEntry): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(addressBytes(entry.vip));
  view(bytes).setUint16(4, entry.vipPort);
  view(bytes).setUint32(8, entry.backend, true);
  view(bytes).setUint32(12, entry.service, true);
  return bytes;
}

export function decodeReverse(key: Uint8Array, value: Uint8Array): ReverseEntry {
  return {
    kind: "reverse",
    ...decodeEndpoint(key),
    protocol: "tcp",
    vip: decodeIpv4(value, 0),
    vipPort: view(value).getUint16(4),
    backend: view(value).getUint32(8, true),
    service: view(value).getUint32(12, true),
  };
}

/** struct flow4_key with its struct flow4. */
export interface Flow {
  readonly client: Ipv4;
  readonly clientPort: number;
  readonly vip: Ipv4;
  readonly vipPort: number;
  /** The backend's number, and its address and port when it was chosen. */
  readonly backend: number;
  readonly address: Ipv4;
  readonly port: number;
  /** Half-open flows only: the acknowledgement number that completes the handshake. */
  readonly expectedAck: number;
  /** Nanoseconds on CLOCK_BOOTTIME, a second coarse. */
  readonly seenNanos: bigint;
}

export function decodeFlow(key: Uint8Array, value: Uint8Array): Flow {
  return {
    client: decodeIpv4(key, 0),
    vip: decodeIpv4(key, 4),
    clientPort: view(key).getUint16(8),
    vipPort: view(key).getUint16(10),
    backend: view(value).getUint32(0, true),
    address: decodeIpv4(value, 4),
    port: view(value).getUint16(8),
    expectedAck: view(value).getUint32(12, true),
    seenNanos: view(value).getBigUint64(16, true),
  };
}

/** struct traffic, summed over the processors. */
export interface Traffic {
  readonly packetsIn: number;
  readonly bytesIn: number;
  readonly packetsOut: number;
  readonly bytesOut: number;
  readonly flows: number;
}

export function decodeTraffic(values: Uint8Array): Traffic {
  const [packetsIn = 0, bytesIn = 0, packetsOut = 0, bytesOut = 0, flows = 0] = sumWords(values, TRAFFIC / 8);
  return { packetsIn, bytesIn, packetsOut, bytesOut, flows };
}

/** The values of a per-CPU map, `words` 64-bit counters each, added up. */
export function sumWords(values: Uint8Array, words: number): readonly number[] {
  const sums = Array.from({ length: words }, () => 0);
  for (let at = 0; at + 8 <= values.length; at += 8) {
    const word = (at / 8) % words;
    sums[word] = (sums[word] ?? 0) + Number(view(values).getBigUint64(at, true));
  }
  return sums;
}

function decodeIpv4(bytes: Uint8Array, at: number): Ipv4 {
  return checked(addressFromBytes(bytes.subarray(at, at + 4))) as Ipv4;
}

function decodeMac(bytes: Uint8Array, at: number): Mac {
  const mac = macFromBytes(bytes.subarray(at, at + 6));
  if (mac === undefined) throw new RangeError("a map's key or value is shorter than an Ethernet address");
  return mac;
}

function checked(address: IpAddress | undefined): IpAddress {
  if (address === undefined) throw new RangeError("a map's key or value is shorter than an address");
  return address;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
