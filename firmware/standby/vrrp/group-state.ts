/**
 * The words of a failover group on a box alone: its configuration, state, inputs and actions, and what can be read
 * off a state. The rules are in `group.ts`.
 */
import type { IpAddress } from "@futago/hal/units/address.ts";
import { after, earliest, micros, type Brand, type Instant, type Micros } from "@futago/hal/units/time.ts";
import {
  PRIORITY_OWNER,
  type ActiveState,
  type BackupState,
  type HeardAdvertisement,
  type State as MachineState,
  type VirtualRouterConfig,
} from "./machine.ts";

/** Names one virtual router of a box: "eth0/ipv4/10". */
export type VirtualRouterId = Brand<string, "VirtualRouterId">;

export function virtualRouterId(device: string, family: "ipv4" | "ipv6", vrid: number): VirtualRouterId {
  return `${device}/${family}/${vrid}` as VirtualRouterId;
}

export interface GroupConfig {
  readonly preemptMode: boolean;
  /** The Priority before health is taken off: 1 to 254, or 255 for the address owner. */
  readonly priority: number;
  /** In the order of the configuration document, which settles ties (see `group.ts`). */
  readonly virtualRouters: readonly GroupMember[];
}

export interface GroupMember {
  readonly id: VirtualRouterId;
  readonly advertisementInterval: Micros;
}

export interface RouterState {
  readonly id: VirtualRouterId;
  /** Undefined while the link is lost or has no address to speak from: the virtual router takes no part. */
  readonly primaryAddress: IpAddress | undefined;
  readonly machine: MachineState;
  /** The router heard last, and when. */
  readonly rival: Rival | undefined;
  /** Since when another active router with our own Priority and a higher address was heard here. */
  readonly contestedSince: Instant | undefined;
}

export interface Rival {
  readonly source: IpAddress;
  readonly priority: number;
  readonly at: Instant;
}

/** The role is on offer: Priority 0 was sent, the VIPs still answer, and nothing is advertised until `until`. */
export interface Offer {
  readonly until: Instant;
  /** Any taker is welcome, even one of lower Priority: a planned hand-over. */
  readonly handOver: boolean;
}

interface GroupFacts {
  /** Health taken off, links not yet: what {@link effectivePriority} starts from. */
  readonly priority: number;
  readonly routers: readonly RouterState[];
  /** Why the group is in this state, for people. */
  readonly reason: string;
  readonly since: Instant;
}

export type GroupState = GroupFacts &
  (
    | { readonly kind: "initialize" }
    /** No virtual router has a link. */
    | { readonly kind: "fault" }
    | { readonly kind: "backup" }
    | {
        readonly kind: "active";
        readonly leaseUntil: Instant;
        readonly offer: Offer | undefined;
        /** When an active group below its configured Priority offers the role again. */
        readonly reofferAt: Instant | undefined;
      }
  );

export type ActiveGroup = Extract<GroupState, { kind: "active" }>;

export type GroupInput =
  | { readonly kind: "startup" }
  | { readonly kind: "shutdown" }
  /** The wake-up of {@link nextTimeout}; `drained` as in `machine.ts`, over every socket of the group. */
  | { readonly kind: "timeout"; readonly drained: boolean }
  | { readonly kind: "advertisement"; readonly id: VirtualRouterId; readonly heard: HeardAdvertisement }
  /** The configured Priority less the penalties of health; 1 to 255. */
  | { readonly kind: "priorityChanged"; readonly priority: number; readonly sentence: string }
  | { readonly kind: "linkLost"; readonly id: VirtualRouterId; readonly sentence: string }
  /** Also when the primary address of a live link changed. */
  | { readonly kind: "linkBack"; readonly id: VirtualRouterId; readonly primaryAddress: IpAddress }
  /**
   * The kernel refused an advertisement. Whoever carries out the actions leaves out the lease of the same step too:
   * what nobody could hear is no proof of life.
   */
  | { readonly kind: "sendFailed" }
  /** A person or a stop asks for the role to go elsewhere. */
  | { readonly kind: "handOver"; readonly sentence: string };

export type GroupAction =
  | { readonly kind: "sendAdvertisement"; readonly id: VirtualRouterId; readonly priority: number }
  | { readonly kind: "installAddresses"; readonly id: VirtualRouterId }
  | { readonly kind: "removeAddresses"; readonly id: VirtualRouterId }
  /** Starts the announcing schedule for the addresses, after they are installed. */
  | { readonly kind: "announce"; readonly id: VirtualRouterId }
  | { readonly kind: "grantLease"; readonly until: Instant }
  | { readonly kind: "dropLease" }
  | { readonly kind: "drainSockets" }
  | {
      readonly kind: "transition";
      readonly from: GroupState["kind"];
      readonly to: GroupState["kind"];
      readonly reason: string;
    }
  /** Something an operator wants to know that changes no state. */
  | { readonly kind: "note"; readonly event: "offered" | "kept" | "resumed"; readonly reason: string };

export interface GroupStep {
  readonly state: GroupState;
  readonly actions: readonly GroupAction[];
}

/** A group that has not started and whose links are all unknown. */
export function initialGroup(config: GroupConfig, now: Instant): GroupState {
  return {
    kind: "initialize",
    priority: config.priority,
    routers: config.virtualRouters.map((member) => newRouter(member.id)),
    reason: "not started",
    since: now,
  };
}

export function newRouter(id: VirtualRouterId): RouterState {
  return {
    id,
    primaryAddress: undefined,
    machine: { kind: "initialize" },
    rival: undefined,
    contestedSince: undefined,
  };
}

/**
 * The Priority that the group competes with. A group that lost a link competes with 1, so that any whole router is
 * preferred but nobody at all is not. The address owner is exempt: its addresses are its own whatever happens.
 */
export function effectivePriority(state: GroupState): number {
  if (state.priority === PRIORITY_OWNER) return PRIORITY_OWNER;
  return state.routers.every((router) => router.primaryAddress !== undefined) ? state.priority : 1;
}

/**
 * When step must next be called with a timeout. A backup group waits for the *last* Active_Down_Timer of its
 * virtual routers: it moves as one, so it takes over when nobody is heard on any of its links.
 */
export function nextTimeout(state: GroupState): Instant | undefined {
  switch (state.kind) {
    case "initialize":
    case "fault":
      return undefined;
    case "backup": {
      const deadlines = backupMachines(state).map((machine) => machine.activeDownAt);
      return deadlines.length === 0 ? undefined : (Math.max(...deadlines) as Instant);
    }
    case "active": {
      if (state.offer !== undefined) return state.offer.until;
      return activeMachines(state).reduce((next, machine) => earliest(next, machine.adverAt), state.reofferAt);
    }
  }
}

/**
 * Since when the group cannot take over because only some of its virtual routers have an Active Router elsewhere;
 * undefined while it is not so. Somebody moves those virtual routers one by one, or a link between the boxes is cut.
 */
export function splitSince(state: GroupState, now: Instant): Instant | undefined {
  if (state.kind !== "backup") return undefined;
  const passed = backupMachines(state).filter((machine) => machine.activeDownAt <= now);
  if (passed.length === 0 || passed.length === backupMachines(state).length) return undefined;
  return Math.min(...passed.map((machine) => machine.activeDownAt)) as Instant;
}

export function backupMachines(state: GroupState): readonly BackupState[] {
  return state.routers.flatMap((router) => (router.machine.kind === "backup" ? [router.machine] : []));
}

export function activeMachines(state: GroupState): readonly ActiveState[] {
  return state.routers.flatMap((router) => (router.machine.kind === "active" ? [router.machine] : []));
}

/** What the machine of a linked router is configured with at this moment. */
export function machineConfig(
  config: GroupConfig,
  router: RouterState & { readonly primaryAddress: IpAddress },
  priority: number,
): VirtualRouterConfig {
  return {
    priority,
    advertisementInterval: memberOf(config, router.id).advertisementInterval,
    preemptMode: config.preemptMode,
    primaryAddress: router.primaryAddress,
  };
}

export function isLinked(router: RouterState): router is RouterState & { readonly primaryAddress: IpAddress } {
  return router.primaryAddress !== undefined;
}

export function memberOf(config: GroupConfig, id: VirtualRouterId): GroupMember {
  const member = config.virtualRouters.find((candidate) => candidate.id === id);
  if (member === undefined)
    throw new Error(`virtual router ${id} is in the state of a group but not in its configuration`);
  return member;
}

/**
 * Until when an active group may answer: two Advertisement_Intervals after the oldest of its newest advertisements,
 * so that a box that stands still is silent before the first Active_Down_Timer elsewhere fires. An offer may last
 * longer than that; then the offer counts, and half an interval to hear that nobody took it.
 */
export function leaseEnd(config: GroupConfig, state: GroupState, offer: Offer | undefined, now: Instant): Instant {
  const interval = shortestInterval(config, state);
  if (offer !== undefined) return after(offer.until, micros(interval / 2));
  let until: Instant | undefined;
  for (const router of state.routers) {
    if (router.machine.kind !== "active") continue;
    until = earliest(until, after(router.machine.adverAt, memberOf(config, router.id).advertisementInterval));
  }
  return until ?? now;
}

/** The shortest Advertisement_Interval of the virtual routers that take part. */
export function shortestInterval(config: GroupConfig, state: GroupState): Micros {
  const intervals = state.routers.filter(isLinked).map((router) => memberOf(config, router.id).advertisementInterval);
  return micros(Math.min(...intervals));
}
