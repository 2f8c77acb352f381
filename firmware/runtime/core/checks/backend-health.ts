/**
 * Whose word counts on which backend lives: on the standby the active's, so that both boxes hold the same ring; on a
 * box that became active its predecessor's at first, and its own once its own checks had time to see the backends
 * from the place of the active. Pure.
 */
import { after, type Instant, millis } from "@futago/hal/units/time.ts";
import type { ResolvedPool } from "../../../config/resolved.ts";
import type { GroupStatus } from "../../messages.ts";
import type { PeerPool } from "../peer-link/message.ts";

export interface Judgement {
  readonly healthy: boolean;
  /** Unhealthy as far as this box sees, which may be cut off itself: its connections are kept, and it gets no new ones. */
  readonly blind: boolean;
  readonly reason: string;
}

export interface BackendHealth extends Judgement {
  readonly source: "own" | "active";
}

export interface HealthSources {
  /** This box's own checks, by the backend's name. One that is not checked counts as healthy. */
  readonly own: (backend: string) => Judgement | undefined;
  /** The newest that the peer said of the pool while it held a group that uses it; undefined on a box alone. */
  readonly told: PeerPool | undefined;
  /** Since when this box holds the groups of the pool's services; those that it does not hold are missing. */
  readonly holds: readonly Instant[];
}

export interface PoolHealth {
  /** In the order of the pool's backends. */
  readonly backends: readonly BackendHealth[];
  /** When they change by themselves, because a predecessor's word runs out. */
  readonly nextTimeout: Instant | undefined;
}

export function judgePool(pool: ResolvedPool, sources: HealthSources, now: Instant): PoolHealth {
  const until = peerCountsUntil(pool, sources);
  const peerCounts = until === "always" || (until !== undefined && until > now);
  const told = peerCounts ? sources.told : undefined;
  return {
    backends: pool.backends.map(({ name }, i) => judge(sources.own(name), told, name, i)),
    nextTimeout: peerCounts && until !== "always" ? until : undefined,
  };
}

function judge(own: Judgement | undefined, told: PeerPool | undefined, name: string, place: number): BackendHealth {
  const there = told?.backends[place];
  // Both boxes have the same configuration nearly always.
  const theirs = there?.name === name ? there : told?.backends.find((backend) => backend.name === name);
  if (theirs !== undefined) {
    const { healthy, blind, reason } = theirs;
    return { healthy, blind, reason, source: "active" };
  }
  return own === undefined ? NOT_CHECKED : { ...own, source: "own" };
}

const NOT_CHECKED: BackendHealth = { healthy: true, blind: false, reason: "not checked", source: "own" };

/** Undefined: this box's own checks count now. */
function peerCountsUntil(pool: ResolvedPool, { told, holds }: HealthSources): Instant | "always" | undefined {
  if (told === undefined) return undefined;
  if (holds.length === 0) return "always";
  if (pool.check.kind === "none") return undefined;
  // A pool that serves groups on both boxes follows the box's own eyes for what the box itself answers.
  return after(Math.min(...holds) as Instant, millis(pool.check.intervalMs * pool.check.fall));
}

/** What this box tells the peer of a pool, as it is in its own ring. */
export function pictureOf(pool: ResolvedPool, health: readonly BackendHealth[]): PeerPool {
  const backends = pool.backends.map(({ name }, i) => {
    const { healthy = true, blind = false, reason = "" } = health[i] ?? {};
    return { name, healthy, blind, reason: reason.slice(0, 300) };
  });
  return { name: pool.name, backends };
}

/** Since when this box holds each group. The sentinel says it in wall time, which survives a restart of core. */
export function heldSince(
  groups: readonly GroupStatus[],
  now: Instant,
  wallMillis: number,
): ReadonlyMap<string, Instant> {
  const held = groups.filter((group) => group.state === "active");
  return new Map(
    held.map(({ name, since }) => {
      const elapsed = Math.max(0, wallMillis - Date.parse(since));
      return [name, after(now, millis(Number.isFinite(elapsed) ? -elapsed : 0))];
    }),
  );
}
