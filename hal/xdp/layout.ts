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
  type Mac,
  macFromBytes,
} from "../units/address.ts";
import { RING_SIZE, SERVICE_BACKENDS_MAX, type ServiceProtocol } from "../units/balancer.ts";

export const GROUPS_MAX = 16;
export const VIPS_MAX = 1024;
export const OWN_MAX = 1024;
export const PORTS_MAX = 256;
export const SERVICES_MAX = 256;
export const ESTABLISHED_MAX = 131_072;
export const HALF_OPEN_MAX = 16_384;
export const UDP_FLOWS_MAX = 65_536;
export const FRAGMENTS_MAX = 4096;
export const CLIENT_HOPS_MAX = 65_536;
export const SOURCES_MAX = 65_536;
export const ACCESS_MAX = 16_384;
export const KNOWN_SERVICES = 256;
export const KNOWN_BACKENDS = 1024;
export const EVENTS_BYTES = 1 << 20;
export const REFUSALS_BYTES = 1 << 14;
export const STALE_MAX = 256;
export const CAPTURE_BYTES_MAX = 256;
export const CAPTURE_ENDPOINTS_MAX = 64;
export const CAPTURE_RECORDS_BYTES = 1 << 20;

/** Bits of a group. */
export const GROUP_ANSWER = 1;
export const GROUP_FORWARD = 2;

/** The slots of futago_slots. */
export const SLOT_BALANCER = 0;
export const SLOT_ODDITIES = 1;
export const SLOT_CAPTURE = 2;
export const SLOT_FRAGMENTS = 3;
export const SLOTS = 4;

/** Flags of a service. */
export const SERVICE_BY_SOURCE = 1;
export const SERVICE_LISTED = 2;
export const SERVICE_LISTED_ONLY = 4;

/** Ports of a VIP that `one-arm` speaks from. */
export const ONE_ARM_PORT_MIN = 1024;
export const ONE_ARM_PORT_MAX = 31_999;

/** Flags of a flow. */
export const FLOW_REOPENED = 1;
export const FLOW_CLIENT_FIN = 2;
export const FLOW_BACKEND_FIN = 4;
export const FLOW_RESET = 8;
export const FLOW_TOLD = 16;
export const FLOW_ANSWERED = 32;
export const FLOW_CLOSED = 64;

/** Kinds of flow_event. */
export const REFUSAL_RESET = 1;
export const REFUSAL_UNREACHABLE = 2;
export const EVENT_ESTABLISHED = 1;
export const EVENT_ENDED = 2;

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
  "passTooBig",
  "dropFragment",
  "dropNoBackend",
  "dropDeadBackend",
  "dropBackendFull",
  "dropServiceFull",
  "dropClientFull",
  "dropDenied",
  "dropSourceLimit",
  "dropNoFlow",
  "dropNoFreePort",
  "dropReplyClosed",
  "dropReplyFragment",
  "dropReplyTruncated",
  "dropMalformed",
  "dropIcmpUnknown",
  "dropTtl",
  "dropTooBig",
  "dropNoRoute",
  "sentReset",
  "sentTooBig",
  "sentTimeExceeded",
  "forwardedIcmp",
  "tableRefused",
  "eventLost",
] as const;
export type BalancerReason = (typeof BALANCER_REASONS)[number];

export interface MapShape {
  readonly object: "gate" | "balancer" | "both";
  readonly kind: "array" | "hash" | "perCpuArray" | "perCpuHash" | "prefixes" | "programs" | "ports" | "ring";
  readonly keyBytes: number;
  /** Of one processor. */
  readonly valueBytes: number;
  /** Of a ring buffer the bytes. */
  readonly entriesMax: number;
}

const NUMBER = 4;
const ADDRESS = 16;
const ENDPOINT = 24;
const FLOW_KEY = 40;
const FLOW = 40;
const RETURN_FLOW = 32;
const SOURCE_KEY = 24;
const TRAFFIC = 40;
const BACKENDS_MAX = SERVICES_MAX * SERVICE_BACKENDS_MAX;

function gate<K extends MapShape["kind"]>(kind: K, keyBytes: number, valueBytes: number, entriesMax: number) {
  return { object: "gate", kind, keyBytes, valueBytes, entriesMax } as const;
}

function both<K extends MapShape["kind"]>(kind: K, keyBytes: number, valueBytes: number, entriesMax: number) {
  return { object: "both", kind, keyBytes, valueBytes, entriesMax } as const;
}

function balancer<K extends MapShape["kind"]>(kind: K, keyBytes: number, valueBytes: number, entriesMax: number) {
  return { object: "balancer", kind, keyBytes, valueBytes, entriesMax } as const;
}

export const MAPS = {
  futago_groups: both("array", NUMBER, 16, GROUPS_MAX),
  futago_vips: both("hash", ADDRESS, NUMBER, VIPS_MAX),
  futago_state: both("array", NUMBER, 8, 1),
  futago_stale: both("hash", 32, 40, STALE_MAX),
  gate_counters: gate("perCpuArray", NUMBER, 8, GATE_REASONS.length),
  futago_slots: balancer("programs", NUMBER, NUMBER, SLOTS),
  futago_ports: balancer("ports", NUMBER, NUMBER, PORTS_MAX),
  futago_veths: balancer("hash", NUMBER, NUMBER, PORTS_MAX),
  futago_own: balancer("hash", ADDRESS, NUMBER, OWN_MAX),
  services: balancer("hash", ENDPOINT, 24, SERVICES_MAX),
  rings: balancer("array", NUMBER, 2 * (RING_SIZE + 1), SERVICES_MAX),
  backends: balancer("array", NUMBER, 24, BACKENDS_MAX),
  reverses: balancer("hash", ENDPOINT, 32, 2 * BACKENDS_MAX),
  established: balancer("hash", FLOW_KEY, FLOW, ESTABLISHED_MAX),
  half_open: balancer("hash", FLOW_KEY, FLOW, HALF_OPEN_MAX),
  udp_flows: balancer("hash", FLOW_KEY, FLOW, UDP_FLOWS_MAX),
  returns: balancer("hash", FLOW_KEY, RETURN_FLOW, ESTABLISHED_MAX),
  half_returns: balancer("hash", FLOW_KEY, RETURN_FLOW, HALF_OPEN_MAX + UDP_FLOWS_MAX),
  fragments: balancer("hash", 40, 48, FRAGMENTS_MAX),
  backend_hops: balancer("perCpuArray", NUMBER, 32, BACKENDS_MAX),
  known_services: balancer("perCpuArray", NUMBER, 64, KNOWN_SERVICES),
  known_backends: balancer("perCpuArray", NUMBER, 72, KNOWN_BACKENDS),
  client_hops: balancer("perCpuHash", ADDRESS, 32, CLIENT_HOPS_MAX),
  sources: balancer("hash", SOURCE_KEY, 16, SOURCES_MAX),
  access_lists: balancer("prefixes", 24, NUMBER, ACCESS_MAX),
  backend_opened: balancer("array", NUMBER, 8, BACKENDS_MAX),
  backend_closed: balancer("array", NUMBER, 8, BACKENDS_MAX),
  service_open: balancer("array", NUMBER, 16, SERVICES_MAX),
  client_open: balancer("hash", SOURCE_KEY, 8, ESTABLISHED_MAX),
  errands: balancer("perCpuArray", NUMBER, 8, 1),
  answer_tokens: balancer("perCpuArray", NUMBER, 16, 1),
  odd_scratch: balancer("perCpuArray", NUMBER, 288, 1),
  flow_events: balancer("ring", 0, 0, EVENTS_BYTES),
  refusals: balancer("ring", 0, 0, REFUSALS_BYTES),
  capture_filters: balancer("array", NUMBER, 40, 1),
  capture_endpoints: balancer("hash", ENDPOINT, NUMBER, CAPTURE_ENDPOINTS_MAX),
  capture_scratches: balancer("perCpuArray", NUMBER, 600 + 8 * BALANCER_REASONS.length, 1),
  capture_records: balancer("ring", 0, 0, CAPTURE_RECORDS_BYTES),
  balancer_counts: balancer("perCpuArray", NUMBER, 8, BALANCER_REASONS.length),
  former_counts: balancer("array", NUMBER, TRAFFIC, SERVICES_MAX),
  backend_counts: balancer("perCpuArray", NUMBER, TRAFFIC, BACKENDS_MAX),
} as const satisfies Record<string, MapShape>;

/** Sizes to load the balancer with, when the defaults do not fit: half-open and UDP flows grow with the established. */
export function balancerSizes(servicesMax: number, flowsMax: number): Readonly<Record<string, number>> {
  const backendsMax = servicesMax * SERVICE_BACKENDS_MAX;
  const halfOpenMax = scaled(HALF_OPEN_MAX, flowsMax);
  const udpFlowsMax = scaled(UDP_FLOWS_MAX, flowsMax);
  return {
    services: servicesMax,
    rings: servicesMax,
    former_counts: servicesMax,
    service_open: servicesMax,
    backends: backendsMax,
    backend_counts: backendsMax,
    backend_hops: backendsMax,
    backend_opened: backendsMax,
    backend_closed: backendsMax,
    reverses: 2 * backendsMax,
    established: flowsMax,
    returns: flowsMax,
    client_open: flowsMax,
    half_open: halfOpenMax,
    udp_flows: udpFlowsMax,
    half_returns: halfOpenMax + udpFlowsMax,
  };
}

/** A table that forgets needs some room for each processor. */
const FORGETFUL_MIN = 1024;

function scaled(size: number, flowsMax: number): number {
  return Math.max(FORGETFUL_MIN, Math.ceil((size * flowsMax) / ESTABLISHED_MAX));
}

export function encodeNumber(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

export function decodeNumber(bytes: Uint8Array): number {
  return numberAt(bytes, 0);
}

/*
 * A hundred thousand entries are written at a start, and as many flows are read every few seconds: the bytes are
 * moved without a view for each.
 */

/** A 32-bit number in the host's order. */
export function putNumber(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function numberAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

/** A port in network order. */
export function putPort(bytes: Uint8Array, at: number, port: number): void {
  bytes[at] = port >>> 8;
  bytes[at + 1] = port;
}

export function portAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** struct address: an IPv4 address as ::ffff:a.b.c.d. */
export function encodeAddress(address: IpAddress): Uint8Array {
  if (family(address) === "ipv6") return addressBytes(address);
  const mapped = new Uint8Array(ADDRESS);
  mapped[10] = 0xff;
  mapped[11] = 0xff;
  putIpv4(mapped, 12, address);
  return mapped;
}

/** A dotted quad, read without making anything: a start encodes half a million of them. */
function putIpv4(bytes: Uint8Array, at: number, address: IpAddress): void {
  let [byte, place] = [0, at];
  for (let i = 0; i < address.length; i++) {
    const digit = address.charCodeAt(i) - ZERO;
    if (digit >= 0) byte = 10 * byte + digit;
    else {
      bytes[place++] = byte;
      byte = 0;
    }
  }
  bytes[place] = byte;
}

/** "0"; the dot comes before it. */
const ZERO = 48;

export function decodeAddress(bytes: Uint8Array): IpAddress {
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return checked(addressFromBytes(mapped ? bytes.subarray(12, 16) : bytes.subarray(0, ADDRESS)));
}

const PROTOCOLS: Readonly<Record<ServiceProtocol, number>> = { tcp: 6, udp: 17 };

export function protocolNumber(protocol: ServiceProtocol): number {
  return PROTOCOLS[protocol];
}

export function decodeProtocol(number: number | undefined): ServiceProtocol {
  return number === PROTOCOLS.udp ? "udp" : "tcp";
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
    ifindex: viewOf(key).getUint32(16, true) as Ifindex,
    mac: decodeMac(key, 20),
    packets: Number(viewOf(value).getBigUint64(0, true)),
    seenNanos: viewOf(value).getBigUint64(8, true),
    source: decodeAddress(value.subarray(16)),
    sentTo: decodeMac(value, 32),
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

/** struct traffic of one processor. */
export function encodeTraffic({ packetsIn, bytesIn, packetsOut, bytesOut, flows }: Traffic): Uint8Array {
  const bytes = new Uint8Array(TRAFFIC);
  for (const [i, count] of [packetsIn, bytesIn, packetsOut, bytesOut, flows].entries())
    viewOf(bytes).setBigUint64(8 * i, BigInt(count), true);
  return bytes;
}

export function addTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    packetsIn: a.packetsIn + b.packetsIn,
    bytesIn: a.bytesIn + b.bytesIn,
    packetsOut: a.packetsOut + b.packetsOut,
    bytesOut: a.bytesOut + b.bytesOut,
    flows: a.flows + b.flows,
  };
}

/** The values of a per-CPU map, `words` 64-bit counters each, added up. */
export function sumWords(values: Uint8Array, words: number): readonly number[] {
  const sums = Array.from({ length: words }, () => 0);
  for (let at = 0; at + 8 <= values.length; at += 8) {
    const word = (at / 8) % words;
    sums[word] = (sums[word] ?? 0) + Number(viewOf(values).getBigUint64(at, true));
  }
  return sums;
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

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
