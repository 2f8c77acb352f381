/**
 * The configuration as one box sees it: per-box values chosen, defaults filled in, addresses checked, names of
 * virtual routers replaced by what they stand for. Made by `resolve.ts`; what core and the balancer work from.
 */
import type { Family, Ifname, InterfaceAddress, IpAddress } from "@futago/hal/units/address.ts";
import type { DrillTimes } from "./drill-times.ts";
import type { Box, Profile } from "./orders.ts";

export interface Resolved {
  /** Undefined on a box that is alone. */
  readonly box: Box | undefined;
  readonly system: ResolvedSystem;
  readonly interfaces: readonly ResolvedInterface[];
  readonly routes: readonly ResolvedRoute[];
  readonly pair: ResolvedPair | undefined;
  readonly groups: readonly ResolvedGroup[];
  readonly pools: readonly ResolvedPool[];
  readonly services: readonly ResolvedService[];
  readonly balancer: ResolvedBalancer;
}

export interface ResolvedBalancer {
  /** Connections that the tables hold, 1,024 to 4,194,304. */
  readonly flows: number;
}

export interface ResolvedSystem {
  readonly hostname: string | undefined;
  readonly timezone: string | undefined;
}

export interface ResolvedInterface {
  readonly name: string;
  readonly device: Ifname;
  readonly addresses: readonly InterfaceAddress[];
  /** The other box's; empty on a box alone. */
  readonly peerAddresses: readonly InterfaceAddress[];
}

export interface ResolvedRoute {
  /** Undefined is the default route. */
  readonly destination: InterfaceAddress | undefined;
  readonly family: Family;
  readonly via: IpAddress;
  /** The name of the interface to leave by; undefined lets the kernel find it. */
  readonly interface: string | undefined;
  readonly metric: number;
}

export interface ResolvedPair {
  readonly standby: "hot" | "cold";
  readonly partition: "availability" | "safety";
  readonly witnesses: readonly IpAddress[];
  readonly heartbeat: {
    /** Names of interfaces; in a cold pair without those that a spare has shut. */
    readonly over: readonly string[];
    readonly profile: Profile;
    readonly fixed: boolean;
    readonly port: number;
  };
  /** When the pair drills by itself; undefined: never. */
  readonly drill: DrillTimes | undefined;
}

export interface ResolvedGroup {
  readonly name: string;
  readonly preferred: Box | undefined;
  readonly preempt: boolean;
  /** This box's Priority, 1 to 255. */
  readonly priority: number;
  readonly tracks: readonly ResolvedTrack[];
  readonly virtualRouters: readonly ResolvedVirtualRouter[];
}

export interface ResolvedTrack {
  readonly check: CheckConfig;
  /** Undefined: the box itself, to be asked on its loopback address. */
  readonly address: IpAddress | undefined;
  /** Taken from the Priority while the check fails, 1 to 254. */
  readonly penalty: number;
}

export interface ResolvedVirtualRouter {
  readonly name: string | undefined;
  /** The name of the interface. */
  readonly interface: string;
  readonly vrid: number;
  readonly family: Family;
  /** As written, without the link-local address that IPv6 gets by itself. */
  readonly addresses: readonly InterfaceAddress[];
  readonly advertisementIntervalMs: number;
  readonly checksum: "rfc5798" | "rfc9568";
  readonly virtualMac: boolean;
}

export interface ResolvedPool {
  readonly name: string;
  readonly backends: readonly ResolvedBackend[];
  readonly check: CheckConfig;
  /** How long a backend that returned takes to reach its whole share; 0 is at once. */
  readonly slowStartSeconds: number;
}

export interface ResolvedBackend {
  readonly name: string;
  readonly address: IpAddress;
  readonly port: number;
  /** 0 to 100. */
  readonly weight: number;
  /** A backup backend: serves only while no other lives. */
  readonly backup: boolean;
  /** Connections of one service at a time; undefined is no limit. */
  readonly maxConnections: number | undefined;
}

export interface ResolvedService {
  readonly name: string;
  /** One when the document says an address, all of the virtual router's when it says a name. */
  readonly addresses: readonly IpAddress[];
  /** Of the addresses, and of all backends. */
  readonly family: Family;
  /** The failover group that moves the addresses. */
  readonly group: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly pool: string;
  readonly mode: "nat" | "one-arm" | "direct";
  /** By what a client keeps its backend: "source" is by its address alone. */
  readonly persistence: "none" | "source";
  /** Clients that are served; with any, what no entry of the two lists names is denied. The longest prefix decides. */
  readonly allow: readonly InterfaceAddress[];
  readonly deny: readonly InterfaceAddress[];
  /** The pool that serves while no backend of `pool` lives, its backup backends included. */
  readonly sorryPool: string | undefined;
  /** Per client address; undefined is no limit. */
  readonly newConnectionsPerSecond: number | undefined;
  /** Open at a time, in all and per client address; undefined is no limit. */
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerClient: number | undefined;
  readonly idleTimeoutSeconds: number;
}

export interface CheckTiming {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

/** A health check with every value known. A `port` that is undefined is the backend's own. */
export type CheckConfig =
  | { readonly kind: "none" }
  | ({ readonly kind: "icmp" } & CheckTiming)
  | ({ readonly kind: "tcp"; readonly port: number | undefined } & CheckTiming)
  | ({
      readonly kind: "http";
      readonly port: number | undefined;
      readonly path: string;
      /** The Host header; undefined is the address. */
      readonly host: string | undefined;
      /** Ranges of status codes, both ends included. */
      readonly expectStatus: readonly StatusRange[];
      /** A text that the body must hold; undefined is any body. */
      readonly expectBody: string | undefined;
    } & CheckTiming)
  | ({
      readonly kind: "https";
      readonly port: number | undefined;
      readonly path: string;
      /** The Host header; undefined is the address. */
      readonly host: string | undefined;
      /** The name asked for in the handshake, and looked for in the certificate; undefined: none, the address is looked for. */
      readonly sni: string | undefined;
      /** Whether the certificate must be valid, for that name, by an authority that the box trusts. */
      readonly verify: boolean;
      readonly expectStatus: readonly StatusRange[];
      readonly expectBody: string | undefined;
    } & CheckTiming)
  | ({
      readonly kind: "dns";
      readonly port: number | undefined;
      /** The domain name that is asked for: AAAA when an IPv6 address is expected, else A. */
      readonly query: string;
      /** An address that must be among the answers; undefined: any answer without error. */
      readonly expectAnswer: IpAddress | undefined;
    } & CheckTiming);

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}
