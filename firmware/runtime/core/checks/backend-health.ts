/**
 * Whose word counts on which backend lives: on the standby the active's, so that both boxes hold the same ring; on a
 * box that became active its predecessor's at first, and its own once its own checks had time to see the backends
 * from the place of the active. Pure.
 */
import { after, type Instant, millis } from "@futago/hal/units/time.ts";
import type { Resolved, ResolvedPool } from "../../../config/resolved.ts";
import type { GroupStatus } from "../../messages.ts";
import type { PeerBackend, PeerPool } from "../peer-link/message.ts";

export interface Judgement {
  readonly healthy: boolean;
  readonly reason: string;
}

export interface BackendHealth extends Judgement {
  readonly source: "own" | "active";
}

export interface HealthSources {
  readonly config: Resolved;
  /** This box's own checks, by `key`. A backend that is not there is not checked, and counts as healthy. */
  readonly own: ReadonlyMap<string, Judgement>;
  /** The newest that the peer said of each pool while it held a group that uses it. */
  readonly peer: ReadonlyMap<string, PeerPool>;
  /** Since when this box holds each group; groups that it does not hold are missing. */
  readonly activeSince: ReadonlyMap<string, Instant>;
}

export interface HealthView {
  /** By `key`. */
  readonly backends: ReadonlyMap<string, BackendHealth>;
  /** When the view changes by itself, because a predecessor's word runs out. */
  readonly nextTimeout: Instant | undefined;
}

export function key(pool: string, backend: string): string {
  return `${pool}.${backend}`;
}

export function viewHealth(sources: HealthSources, now: Instant): HealthView {
  const backends = new Map<string, BackendHealth>();
  let nextTimeout: Instant | undefined;
  for (const pool of sources.config.pools) {
    const until = peerCountsUntil(sources, pool);
    const peerCounts = until === "always" || (until !== undefined && until > now);
    if (peerCounts && until !== "always") nextTimeout = Math.min(until, nextTimeout ?? until) as Instant;
    const theirs = peerCounts ? sources.peer.get(pool.name) : undefined;
    for (const { name } of pool.backends) {
      backends.set(key(pool.name, name), judge(sources.own.get(key(pool.name, name)), theirs, name));
    }
  }
  return { backends, nextTimeout };
}

function judge(own: Judgement | undefined, theirs: PeerPool | undefined, name: string): BackendHealth {
  const told: PeerBackend | undefined = theirs?.backends.find((backend) => backend.name === name);
  if (told !== undefined) return { healthy: told.healthy, reason: told.reason, source: "active" };
  return { ...(own ?? { healthy: true, reason: "not checked" }), source: "own" };
}

/** Undefined: this box's own checks count now. */
function peerCountsUntil(sources: HealthSources, pool: ResolvedPool): Instant | "always" | undefined {
  const { config, peer, activeSince } = sources;
  if (config.pair === undefined || !peer.has(pool.name)) return undefined;
  const groups = config.services
    .filter((service) => service.pool === pool.name || service.sorryPool === pool.name)
    .map((service) => service.group);
  const since = groups.map((group) => activeSince.get(group)).filter((one) => one !== undefined);
  if (since.length === 0) return "always";
  if (pool.check.kind === "none") return undefined;
  // A pool that serves groups on both boxes follows the box's own eyes for what the box itself answers.
  return after(Math.min(...since) as Instant, millis(pool.check.intervalMs * pool.check.fall));
}

/** What this box tells the peer: the pools of services whose group it holds, as they are in its own ring. */
export function pictureForPeer(config: Resolved, view: HealthView, active: ReadonlySet<string>): readonly PeerPool[] {
  const told = new Set(poolsOf(config, (group) => active.has(group)));
  return config.pools
    .filter((pool) => told.has(pool.name))
    .map((pool) => ({
      name: pool.name,
      backends: pool.backends.map(({ name }): PeerBackend => {
        const health = view.backends.get(key(pool.name, name));
        return { name, healthy: health?.healthy ?? true, reason: (health?.reason ?? "").slice(0, 300) };
      }),
    }));
}

/** The pools of services in such groups, sorry pools included. */
function poolsOf(config: Resolved, isWanted: (group: string) => boolean): readonly string[] {
  const services = config.services.filter((service) => isWanted(service.group));
  return services.flatMap(({ pool, sorryPool }) => (sorryPool === undefined ? [pool] : [pool, sorryPool]));
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
