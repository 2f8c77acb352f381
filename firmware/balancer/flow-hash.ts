/**
 * Which slot of a service's ring a flow goes by: the twin of flow_hash in hal/xdp/flow.h, held equal to it by a test
 * that runs the program. Decides nothing about what the slot names.
 */
import { addressBytes, type IpAddress } from "@futago/hal/units/address.ts";
import { type Persistence, RING_SIZE, type ServiceProtocol } from "@futago/hal/units/balancer.ts";

export interface FlowEnds {
  readonly client: IpAddress;
  readonly clientPort: number;
  readonly vip: IpAddress;
  readonly vipPort: number;
  readonly protocol: ServiceProtocol;
}

export interface HashedService {
  readonly seed: number;
  readonly persistence: Persistence;
}

/** Slots that are tried when backends are full, each so far from the one before (RING_TRIES, RING_STRIDE). */
const TRIES = 8;
const STRIDE = 1_543;

const WORD = (1n << 64n) - 1n;
/** IANA's numbers. */
const PROTOCOL = { tcp: 6n, udp: 17n } as const satisfies Record<ServiceProtocol, bigint>;

/** 32 bits, equal on both boxes. */
export function flowHash(ends: FlowEnds, service: HashedService): number {
  const [high, low] = halves(ends.client);
  const hash = mix(mix(high ^ BigInt(service.seed)) + low);
  if (service.persistence === "source") return Number(hash & 0xffff_ffffn);
  const rest = (BigInt(ends.clientPort) << 32n) | (BigInt(ends.vipPort) << 16n) | PROTOCOL[ends.protocol];
  return Number(mix(mix(hash ^ halves(ends.vip)[1]) + rest) & 0xffff_ffffn);
}

/** The slots in the order in which a new flow tries them: the next one counts only while the backend before is full. */
export function slotsOf(hash: number): readonly number[] {
  return Array.from({ length: TRIES }, (_, i) => (hash + i * STRIDE) % RING_SIZE);
}

function mix(value: bigint): bigint {
  let hash = value & WORD;
  hash ^= hash >> 33n;
  hash = (hash * 0xff51afd7ed558ccdn) & WORD;
  hash ^= hash >> 33n;
  hash = (hash * 0xc4ceb9fe1a85ec53n) & WORD;
  return hash ^ (hash >> 33n);
}

/** The address as two numbers; IPv4 as ::ffff:a.b.c.d. */
function halves(address: IpAddress): readonly [high: bigint, low: bigint] {
  const bytes = addressBytes(address);
  if (bytes.length === 4) return [0n, (0xffffn << 32n) | number(bytes)];
  return [number(bytes.subarray(0, 8)), number(bytes.subarray(8))];
}

function number(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
