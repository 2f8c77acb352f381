/**
 * What the balancer's tables hold, as values: firmware/balancer computes them, hal/xdp writes them into maps.
 */
import type { Ipv4 } from "./address.ts";

/** Slots of one Maglev ring; see hal/xdp/consts.h for why this prime. */
export const RING_SIZE = 10_007;
/** Fills the ring of a service that has no backend to offer. */
export const RING_EMPTY = 0xffff;
/** Backends of one service. */
export const SERVICE_BACKENDS_MAX = 128;

export type ServiceProtocol = "tcp";

export interface ServiceEntry {
  readonly kind: "service";
  readonly address: Ipv4;
  readonly port: number;
  readonly protocol: ServiceProtocol;
  /** Names the service's ring, its counters and its range of backend numbers. */
  readonly index: number;
  /** 32 bits that both boxes share and clients do not know. */
  readonly seed: number;
}

export interface RingEntry {
  readonly kind: "ring";
  /** The service's. */
  readonly index: number;
  /** {@link RING_SIZE} ordinals of backends in their service, or {@link RING_EMPTY}. */
  readonly ordinals: Uint16Array;
  /** What the ring was made from; undefined when it was read back from the kernel. */
  readonly signature: string | undefined;
}

export interface BackendEntry {
  readonly kind: "backend";
  /** The service's index times {@link SERVICE_BACKENDS_MAX}, plus the ordinal. */
  readonly number: number;
  readonly address: Ipv4;
  readonly port: number;
  readonly alive: boolean;
}

/** What a reply of a backend becomes. */
export interface ReverseEntry {
  readonly kind: "reverse";
  readonly address: Ipv4;
  /** 0: the backend's host, whose packets without a readable port must not leak. */
  readonly port: number;
  readonly protocol: ServiceProtocol;
  readonly vip: Ipv4;
  readonly vipPort: number;
  /** The backend's number. */
  readonly backend: number;
  /** The service's index. */
  readonly service: number;
}

export type BalancerEntry = ServiceEntry | RingEntry | BackendEntry | ReverseEntry;

/** One change of a table. What is removed is found by its key; the rest of the entry says what stood there. */
export interface BalancerWrite {
  readonly kind: "put" | "remove";
  readonly entry: BalancerEntry;
}
