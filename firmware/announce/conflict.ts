/**
 * Address conflicts: another machine that claims an address this box holds. Found by listening alone, never by
 * probing, for a take-over must not wait. Decides when a claim is a conflict and when to announce again in defence.
 *
 * @see RFC 5227 §2.4
 */
import type { IpAddress, Mac } from "@futago/hal/units/address.ts";
import { between, seconds, type Instant } from "@futago/hal/units/time.ts";
import type { ArpPacket } from "./arp.ts";
import type { NeighbourPacket } from "./nd.ts";

/** The previous holder's last words, still on their way when the role moved, are no conflict. */
export const HAND_OVER_GRACE = seconds(1);
/** DEFEND_INTERVAL of RFC 5227 §1.1. */
export const DEFEND_INTERVAL = seconds(10);
/** A claimant that was silent for this long is forgotten. */
export const CONFLICT_FORGET = seconds(60);
/** Further claimants are not listed: a forger can invent MACs without end. */
export const CONFLICTS_MAX = 16;

export interface Claim {
  readonly address: IpAddress;
  readonly mac: Mac;
}

export interface HeldAddress {
  readonly interface: string;
  readonly address: IpAddress;
  /** Every Ethernet address that may speak for it: the link's, and the Virtual Router MAC. */
  readonly macs: readonly Mac[];
  readonly since: Instant;
}

export interface Conflict extends Claim {
  readonly interface: string;
  readonly count: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  readonly defendedAt: Instant | undefined;
}

export interface ConflictState {
  readonly conflicts: readonly Conflict[];
}

export const noConflicts: ConflictState = { conflicts: [] };

/** The address that the sender of a packet says is its own; undefined for one that only asks or probes. */
export function claimIn(packet: ArpPacket | NeighbourPacket): Claim | undefined {
  switch (packet.kind) {
    case "arp":
      // The unspecified sender is an ARP Probe: somebody asks whether the address is free.
      return packet.senderAddress === "0.0.0.0" ? undefined : { address: packet.senderAddress, mac: packet.senderMac };
    case "advertisement":
      return { address: packet.target, mac: packet.linkLayer ?? packet.ethernetSource };
    case "solicitation":
      return packet.source === "::"
        ? undefined
        : { address: packet.source, mac: packet.linkLayer ?? packet.ethernetSource };
  }
}

/** Weighs a claim of an address that this box holds. `defend`: announce the address once more. */
export function observeClaim(
  state: ConflictState,
  held: HeldAddress,
  claim: Claim,
  now: Instant,
): { readonly state: ConflictState; readonly defend: boolean } {
  if (claim.address !== held.address || held.macs.includes(claim.mac)) return { state, defend: false };
  if (between(held.since, now) < HAND_OVER_GRACE) return { state, defend: false };
  const known = state.conflicts.find((one) => one.address === claim.address && one.mac === claim.mac);
  const newest = Math.max(...state.conflicts.filter((one) => one.address === claim.address).map(defence));
  const defend = now - newest >= DEFEND_INTERVAL;
  const count = (known?.count ?? 0) + 1;
  const defendedAt = defend ? now : known?.defendedAt;
  const conflict = {
    ...claim,
    interface: held.interface,
    count,
    firstAt: known?.firstAt ?? now,
    lastAt: now,
    defendedAt,
  };
  if (known !== undefined) {
    return { state: { conflicts: state.conflicts.map((one) => (one === known ? conflict : one)) }, defend };
  }
  if (state.conflicts.length >= CONFLICTS_MAX) return { state, defend: false };
  return { state: { conflicts: [...state.conflicts, conflict] }, defend };
}

/** Without those that were silent for {@link CONFLICT_FORGET}. */
export function forgetConflicts(state: ConflictState, now: Instant): ConflictState {
  const conflicts = state.conflicts.filter((one) => between(one.lastAt, now) < CONFLICT_FORGET);
  return conflicts.length === state.conflicts.length ? state : { conflicts };
}

/** What happened, where, and what to do about it. */
export function conflictSentence(conflict: Conflict): string {
  const { address, mac, count } = conflict;
  return `${mac} on ${conflict.interface} says that it holds ${address}, ${count} times so far; take the address from that machine`;
}

function defence(conflict: Conflict): number {
  return conflict.defendedAt ?? Number.NEGATIVE_INFINITY;
}
