/** How long a session and a token are good, by the wall clock; and which sessions make room for another. */
import type { SessionRecord, TokenRecord } from "./records.ts";

export const IDLE_MILLIS_MAX = 12 * 3_600_000;
export const ABSOLUTE_MILLIS_MAX = 7 * 24 * 3_600_000;
/** Begun by a clock that is ahead by more, a session would outlive what it may. */
const AHEAD_MILLIS_MAX = 3_600_000;
export const SESSIONS_MAX = 1_024;

/** Milliseconds since 1970. */
export function sessionEnd({ startedAt, lastSeenAt }: Pick<SessionRecord, "startedAt" | "lastSeenAt">): number {
  return Math.min(Date.parse(startedAt) + ABSOLUTE_MILLIS_MAX, Date.parse(lastSeenAt) + IDLE_MILLIS_MAX);
}

export function isSessionGood(session: SessionRecord, now: number): boolean {
  return now < sessionEnd(session) && Date.parse(session.lastSeenAt) <= now + AHEAD_MILLIS_MAX;
}

export function isTokenGood({ expiresAt }: TokenRecord, now: number): boolean {
  return expiresAt === null || now < Date.parse(expiresAt);
}

/**
 * Of sessions that are good, those that make room for one more: of whoever has the most, those that were not seen for
 * longest. So nobody signs others out by signing in again and again.
 */
export function sessionsInTheWay(sessions: readonly SessionRecord[]): readonly SessionRecord[] {
  const surplus = sessions.length + 1 - SESSIONS_MAX;
  if (surplus <= 0) return [];
  const oldestFirst = sessions.toSorted((one, other) => one.lastSeenAt.localeCompare(other.lastSeenAt));
  const ofUsers = [...Map.groupBy(oldestFirst, ({ user }) => user).values()];
  return Array.from({ length: surplus }, () => {
    const most = ofUsers.reduce((one, other) => (other.length > one.length ? other : one));
    return most.shift();
  }).filter((session) => session !== undefined);
}
