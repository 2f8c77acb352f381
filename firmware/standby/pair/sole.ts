/**
 * Which groups this box has held alone for long enough that nobody else may speak for their addresses. While a group
 * changes hands, and a little after, the peer's announcements are right as well, and no conflict.
 */
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { PairConfig, PairGroupConfig, PairState } from "./types.ts";

/** What the other one sent before it heard of the change may still be on its way, or be in a socket of ours. */
const LAST_WORDS = seconds(2);

/** By the group's name, since when this box alone has held it. */
export type SoleSince = ReadonlyMap<string, Instant>;

/** Call with every new state: what holds between two calls is not seen. */
export function reviewSole(before: SoleSince, config: PairConfig, state: PairState, now: Instant): SoleSince {
  const sole = config.groups.filter((group) => holdsAlone(state, group));
  return new Map(sole.map(({ name }) => [name, before.get(name) ?? now]));
}

/** By the group's name, from when on a word of somebody else's about its addresses was wrong. */
export function soleGroups(since: SoleSince, now: Instant): ReadonlyMap<string, Instant> {
  const from = [...since].map(([name, at]) => [name, after(at, LAST_WORDS)] as const);
  return new Map(from.filter(([, at]) => at <= now));
}

function holdsAlone(state: PairState, group: PairGroupConfig): boolean {
  const memory = state.groups[group.name];
  if (memory?.state !== "active" || memory.offer !== undefined) return false;
  const report = state.snapshot?.groups.find((entry) => entry.group === group.slot && entry.id === group.id);
  if (report?.state !== "active") return false;
  const peer = state.snapshot?.peerAlive === true ? report.peer?.state : undefined;
  return peer !== "active" && peer !== "offering" && peer !== "yielded";
}
