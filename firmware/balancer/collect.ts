/**
 * When a flow's entry goes. The balancer's tables do not forget by themselves, so that a flood takes nobody's place;
 * what has ended, or speaks no more, is taken out by this. Walks no table and knows no bytes.
 */

/** Whether the backend's number still stands for the one that the flow was given to. */
export type FlowBackend = "usable" | "dead" | "gone";

export interface FlowFacts {
  /** How many of its two ends have finished. */
  readonly finished: 0 | 1 | 2;
  readonly reset: boolean;
  /** Told by the peer, and no packet seen here yet. */
  readonly told: boolean;
  /** Since its newest packet, a second coarse. */
  readonly idleSeconds: number;
  readonly backend: FlowBackend;
  /** The service's; undefined when there is no such service. */
  readonly idleTimeoutSeconds: number | undefined;
}

export type CollectReason = "reset" | "finished" | "halfClosed" | "idle" | "backendDead" | "backendGone";

/** Late packets of a connection that both ends finished still find their way. */
export const FINISHED_AFTER_SECONDS = 10;
export const RESET_AFTER_SECONDS = 2;
/** What only one end finished. @see RFC 5382 REQ-5, the transitory connection idle-timeout */
export const HALF_CLOSED_AFTER_SECONDS = 240;
/** So long a client of a dead backend is told so by a reset at its next packet, for which the entry is needed. */
export const DEAD_AFTER_SECONDS = 300;
/** Of what the peer told, no packets are seen here: it is the peer that says when it ends, or the whole table anew. */
export const TOLD_AFTER_SECONDS = 3_600;

/** Why the entry goes; undefined: it stays. */
export function collectReason(flow: FlowFacts): CollectReason | undefined {
  const { finished, idleSeconds, backend, idleTimeoutSeconds } = flow;
  if (flow.told) return idleSeconds > TOLD_AFTER_SECONDS + (idleTimeoutSeconds ?? 0) ? "idle" : undefined;
  if (flow.reset && idleSeconds >= RESET_AFTER_SECONDS) return "reset";
  if (finished === 2 && idleSeconds >= FINISHED_AFTER_SECONDS) return "finished";
  if (finished === 1 && idleSeconds >= HALF_CLOSED_AFTER_SECONDS) return "halfClosed";
  if (backend !== "usable" && idleSeconds >= DEAD_AFTER_SECONDS) {
    return backend === "dead" ? "backendDead" : "backendGone";
  }
  if (idleTimeoutSeconds === undefined) return backend === "gone" ? "backendGone" : undefined;
  return idleSeconds > idleTimeoutSeconds ? "idle" : undefined;
}

/** What was counted of a backend over one walk of the tables, apart from what the walk itself took out. */
export interface OpenCount {
  /** Open flows found, of which those that began or ended meanwhile may or may not be some. */
  readonly found: bigint;
  readonly openedBefore: bigint;
  readonly openedAfter: bigint;
  readonly closedBefore: bigint;
  readonly closedAfter: bigint;
}

/**
 * What `closed` should be so that `opened` less `closed` is the number of open flows: as it is, unless the walk proves
 * it wrong. Entries go that nobody counts: what a table forgot by itself, or an addition that met a removal.
 */
export function correctedClosed({ found, openedBefore, openedAfter, closedBefore, closedAfter }: OpenCount): bigint {
  const open = BigInt.asIntN(64, openedAfter - closedAfter);
  const most = found + atLeastNone(openedAfter - openedBefore);
  const least = atLeastNone(found - atLeastNone(closedAfter - closedBefore));
  if (open >= least && open <= most) return closedAfter;
  return BigInt.asUintN(64, openedAfter - (open < least ? least : most));
}

function atLeastNone(difference: bigint): bigint {
  const signed = BigInt.asIntN(64, difference);
  return signed < 0n ? 0n : signed;
}
