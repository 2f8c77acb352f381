/**
 * What the balancer's tables hold, as values: firmware/balancer computes them, hal/xdp writes them into maps.
 */
import type { InterfaceAddress, IpAddress } from "./address.ts";

/** Slots of one Maglev ring; see hal/xdp/consts.h for why this prime. */
export const RING_SIZE = 10_007;
/** Fills the ring of a service that has no backend to offer. */
export const RING_EMPTY = 0xffff;
/** Backends of one service. */
export const SERVICE_BACKENDS_MAX = 128;

export type ServiceProtocol = "tcp" | "udp";

/** What a service does to a packet: see enum service_mode in hal/xdp/consts.h. */
export type ServiceMode = "nat" | "one-arm" | "direct";

/** What of a client picks its ring slot: the flow's ends, or its address alone. */
export type Persistence = "none" | "source";

/** Whether access entries are looked up for a client, and what becomes of one that none of them names. */
export type AccessRule = "open" | "listed" | "listedOnly";

/** `draining` keeps its flows and takes no new ones: no ring names it. */
export type BackendState = "dead" | "alive" | "draining";

export interface ServiceEntry {
  readonly kind: "service";
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: ServiceProtocol;
  /** Names the service's ring, its counters and its range of backend numbers. */
  readonly index: number;
  /** 32 bits that both boxes share and clients do not know. */
  readonly seed: number;
  readonly mode: ServiceMode;
  readonly persistence: Persistence;
  readonly access: AccessRule;
  /** New flows of one client address a second; 0 is no limit. */
  readonly newFlowsPerSecond: number;
  /** Open flows at most, in all and of one client address; 0 is no limit. */
  readonly flowsMax: number;
  readonly clientFlowsMax: number;
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
  readonly address: IpAddress;
  readonly port: number;
  readonly state: BackendState;
  /** Bits of its address that name its subnet, where that is on a link of the box; 0 where it is not. */
  readonly subnetBits: number;
  /** Open flows at most; 0 is no limit. */
  readonly flowsMax: number;
}

/** What a reply of a backend becomes in `nat`. */
export interface ReverseEntry {
  readonly kind: "reverse";
  readonly address: IpAddress;
  /** 0: the backend's host, whose packets without a readable port must not leak. */
  readonly port: number;
  readonly protocol: ServiceProtocol;
  readonly vip: IpAddress;
  readonly vipPort: number;
  /** The backend's number. */
  readonly backend: number;
  /** The service's index. */
  readonly service: number;
}

/** Whether clients of a prefix may use a service; the longest prefix that holds a client decides. */
export interface AccessEntry {
  readonly kind: "access";
  /** The service's index. */
  readonly service: number;
  /** Without host bits. */
  readonly prefix: InterfaceAddress;
  readonly allowed: boolean;
}

export type BalancerEntry = ServiceEntry | RingEntry | BackendEntry | ReverseEntry | AccessEntry;

/** One change of a table. What is removed is found by its key; the rest of the entry says what stood there. */
export interface BalancerWrite {
  readonly kind: "put" | "remove";
  readonly entry: BalancerEntry;
}
