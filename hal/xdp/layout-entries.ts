/** The bytes of what core writes: services, rings, backends, reverses, access entries. Pure; twin of structs.h. */
import { family, type IpAddress } from "../units/address.ts";
import {
  type AccessEntry,
  type AccessRule,
  type BackendEntry,
  type BackendState,
  type ReverseEntry,
  RING_SIZE,
  type RingEntry,
  type ServiceEntry,
  type ServiceMode,
  type ServiceProtocol,
} from "../units/balancer.ts";
import {
  decodeAddress,
  decodeNumber,
  decodeProtocol,
  encodeAddress,
  MAPS,
  protocolNumber,
  SERVICE_BY_SOURCE,
  SERVICE_LISTED,
  SERVICE_LISTED_ONLY,
  viewOf as view,
  numberAt,
  portAt,
  putNumber,
  putPort,
} from "./layout.ts";

/** In the order of enum service_mode. */
export const MODES = ["nat", "one-arm", "direct"] as const satisfies readonly ServiceMode[];
/** In the order of enum backend_state. */
export const BACKEND_STATES = ["dead", "alive", "draining"] as const satisfies readonly BackendState[];

const ACCESS_FLAGS: Readonly<Record<AccessRule, number>> = {
  open: 0,
  listed: SERVICE_LISTED,
  listedOnly: SERVICE_LISTED_ONLY,
};

/** struct endpoint. */
export function encodeEndpoint(address: IpAddress, port: number, protocol: ServiceProtocol): Uint8Array {
  const bytes = new Uint8Array(MAPS.services.keyBytes);
  bytes.set(encodeAddress(address));
  putPort(bytes, 16, port);
  bytes[18] = protocolNumber(protocol);
  return bytes;
}

export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: ServiceProtocol;
}

export function decodeEndpoint(bytes: Uint8Array): Endpoint {
  return { address: decodeAddress(bytes), port: portAt(bytes, 16), protocol: decodeProtocol(bytes[18]) };
}

/** struct service. */
export function encodeService(entry: ServiceEntry): Uint8Array {
  const bytes = new Uint8Array(MAPS.services.valueBytes);
  putNumber(bytes, 0, entry.index);
  putNumber(bytes, 4, entry.seed);
  bytes[8] = MODES.indexOf(entry.mode);
  bytes[9] = ACCESS_FLAGS[entry.access] | (entry.persistence === "source" ? SERVICE_BY_SOURCE : 0);
  putNumber(bytes, 12, entry.newFlowsPerSecond);
  putNumber(bytes, 16, entry.flowsMax);
  putNumber(bytes, 20, entry.clientFlowsMax);
  return bytes;
}

export function decodeService(key: Uint8Array, value: Uint8Array): ServiceEntry {
  const flags = value[9] ?? 0;
  return {
    kind: "service",
    ...decodeEndpoint(key),
    index: numberAt(value, 0),
    seed: numberAt(value, 4),
    mode: MODES[value[8] ?? 0] ?? "nat",
    persistence: (flags & SERVICE_BY_SOURCE) === 0 ? "none" : "source",
    access: (flags & SERVICE_LISTED_ONLY) !== 0 ? "listedOnly" : (flags & SERVICE_LISTED) !== 0 ? "listed" : "open",
    newFlowsPerSecond: numberAt(value, 12),
    flowsMax: numberAt(value, 16),
    clientFlowsMax: numberAt(value, 20),
  };
}

/** struct backend. */
export function encodeBackend(entry: BackendEntry): Uint8Array {
  const bytes = new Uint8Array(MAPS.backends.valueBytes);
  bytes.set(encodeAddress(entry.address));
  putPort(bytes, 16, entry.port);
  bytes[18] = BACKEND_STATES.indexOf(entry.state);
  bytes[19] = entry.subnetBits === 0 ? 0 : bitsBefore(entry.address) + entry.subnetBits;
  putNumber(bytes, 20, entry.flowsMax);
  return bytes;
}

/** Undefined where no backend was ever written, or one was removed. */
export function decodeBackend(number: number, value: Uint8Array): BackendEntry | undefined {
  const port = portAt(value, 16);
  if (port === 0) return undefined;
  const state = BACKEND_STATES[value[18] ?? 0] ?? "dead";
  const address = decodeAddress(value);
  const bits = value[19] ?? 0;
  const subnetBits = bits === 0 ? 0 : bits - bitsBefore(address);
  const flowsMax = numberAt(value, 20);
  return { kind: "backend", number, address, port, state, subnetBits, flowsMax };
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

/** struct reverse. */
export function encodeReverse(entry: ReverseEntry): Uint8Array {
  const bytes = new Uint8Array(MAPS.reverses.valueBytes);
  bytes.set(encodeAddress(entry.vip));
  putPort(bytes, 16, entry.vipPort);
  putNumber(bytes, 20, entry.backend);
  putNumber(bytes, 24, entry.service);
  return bytes;
}

export function decodeReverse(key: Uint8Array, value: Uint8Array): ReverseEntry {
  return {
    kind: "reverse",
    ...decodeEndpoint(key),
    vip: decodeAddress(value),
    vipPort: portAt(value, 16),
    backend: numberAt(value, 20),
    service: numberAt(value, 24),
  };
}

/** Bits of struct access_key before the address, and those that an IPv4 address has before its own in struct address. */
const SERVICE_BITS = 32;
const MAPPED_BITS = 96;

/** How many bits of struct address come before those of the address itself. */
function bitsBefore(address: IpAddress): number {
  return family(address) === "ipv4" ? MAPPED_BITS : 0;
}

/** struct access_key: the prefix's length counts the service's bits, too. */
export function encodeAccessKey({ service, prefix }: Pick<AccessEntry, "service" | "prefix">): Uint8Array {
  const bytes = new Uint8Array(MAPS.access_lists.keyBytes);
  const before = SERVICE_BITS + bitsBefore(prefix.address);
  putNumber(bytes, 0, before + prefix.prefixLength);
  view(bytes).setUint32(4, service);
  bytes.set(encodeAddress(prefix.address), 8);
  return bytes;
}

export function decodeAccess(key: Uint8Array, value: Uint8Array): AccessEntry {
  const address = decodeAddress(key.subarray(8));
  const before = SERVICE_BITS + bitsBefore(address);
  const prefix = { address, prefixLength: numberAt(key, 0) - before };
  return { kind: "access", service: view(key).getUint32(4), prefix, allowed: decodeNumber(value) !== 0 };
}
