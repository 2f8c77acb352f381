/** Values for tests of the election: a configuration, and what pulse says when little is worth saying. */
import type { Ifindex } from "@futago/hal/units/address.ts";
import type { PulseGroupReport, PulseGroupState, PulseSnapshot } from "@futago/hal/units/pulse.ts";
import { type Instant, instant, micros, millis, seconds } from "@futago/hal/units/time.ts";
import type { GroupMemory, PairConfig, PairGroupConfig } from "./types.ts";

export const EDGE: PairGroupConfig = { slot: 3, name: "edge", id: 77, preference: 200, preempt: false };

export const CONFIG: PairConfig = {
  box: "a",
  configId: "00000000000000c1",
  safety: false,
  deadTime: millis(75),
  fixed: true,
  bootWait: seconds(3),
  spare: false,
  groups: [EDGE],
};

export type PeerReport = NonNullable<PulseGroupReport["peer"]>;

export function peerIn(state: PulseGroupState, more: Partial<PeerReport> = {}): PeerReport {
  return { state, health: 255, preference: 100, activeFor: micros(0), asks: false, lapsed: false, ...more };
}

export function reportOf(
  state: PulseGroupState,
  peer?: PeerReport,
  more: Partial<PulseGroupReport> = {},
): PulseGroupReport {
  const holds = state === "active" || state === "offering";
  const times = { activeSince: instant(0), leaseUntil: instant(0) };
  return { group: EDGE.slot, id: EDGE.id, state, lapsed: false, answering: holds, ...times, peer, ...more };
}

/** A peer that is heard and hears, in the same configuration and timing. */
export function snapshotOf(
  at: Instant,
  groups: readonly PulseGroupReport[],
  more: Partial<PulseSnapshot> = {},
): PulseSnapshot {
  const peerAddress = new Uint8Array(16);
  peerAddress.set([0xfe, 0x80]);
  peerAddress[15] = 2;
  const beats = { beats: 0, longestPause: micros(0) };
  const path = { id: 1, ifindex: 2 as Ifindex, rtt: micros(300), alive: true, heardAt: at, peerAddress, ...beats };
  return {
    kind: "snapshot",
    at,
    heardAt: at,
    ackedSentAt: at,
    peerKnown: true,
    peerConfigId: CONFIG.configId,
    peerDead: millis(75),
    peerLease: millis(45),
    peerWanted: millis(75),
    peerAlive: true,
    peerHears: true,
    lapses: 0,
    lateness: Array.from({ length: 24 }, () => 0),
    counters: {},
    paths: [path],
    groups,
    ...more,
  };
}

/** Nothing was heard yet. */
export const LONELY: Partial<PulseSnapshot> = {
  heardAt: instant(0),
  ackedSentAt: instant(0),
  peerKnown: false,
  peerConfigId: "0000000000000000",
  peerDead: micros(0),
  peerLease: micros(0),
  peerWanted: micros(0),
  peerAlive: false,
  peerHears: false,
};

/** A peer that was heard and is not any more. */
export const SILENT: Partial<PulseSnapshot> = { peerAlive: false, peerHears: false };

export function memoryOf(state: GroupMemory["state"], since: Instant, more: Partial<GroupMemory> = {}): GroupMemory {
  return {
    state,
    since,
    reason: "",
    offer: undefined,
    offerNotBefore: instant(0),
    wish: undefined,
    changes: [],
    heldDownUntil: instant(0),
    holdDownMicros: micros(0),
    ordered: undefined,
    ...more,
  };
}
