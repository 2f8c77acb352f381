/**
 * Heartbeats that come and are not the peer's, by pulse's counters: signed with another key, sent by another box with this
 * one's letter, or by a second one with the peer's. They count as long as more of them come. Pure.
 */
import { after, between, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { PulseSnapshot } from "@futago/hal/units/pulse.ts";

/** The counters' names. */
const KINDS = ["bad-mac", "own-box", "unproven"] as const;
export type StrangeBeat = (typeof KINDS)[number];

/** pulse reports once a second, and beats may be lost. */
const QUIET = seconds(5);
/** Boxes that meet refuse some of each other's first ones, and a stranger can play one back. */
const ENOUGH = seconds(1);

interface Run {
  readonly since: Instant;
  readonly last: Instant;
}

export interface StrangeBeats {
  readonly counters: Readonly<Record<string, number>>;
  readonly runs: Readonly<Partial<Record<StrangeBeat, Run>>>;
}

/** Also of a pulse that was started again, whose counters begin anew. */
export const noStrangeBeats: StrangeBeats = { counters: {}, runs: {} };

export function noteStrangeBeats({ counters: former, runs }: StrangeBeats, snapshot: PulseSnapshot): StrangeBeats {
  const { at, counters, peerAlive } = snapshot;
  const known = KINDS.flatMap((kind): readonly (readonly [StrangeBeat, Run])[] => {
    // Another pair may be on the cable of two boxes that hear each other.
    if (kind === "bad-mac" && peerAlive) return [];
    // Nobody is there a second time.
    if (kind === "unproven" && !peerAlive) return [];
    const run = runningAt(runs[kind], at);
    const more = (counters[kind] ?? 0) > (former[kind] ?? 0);
    if (more) return [[kind, { since: run?.since ?? at, last: at }]];
    return run === undefined ? [] : [[kind, run]];
  });
  return { counters, runs: Object.fromEntries(known) };
}

/** Since when they come; undefined when they do not. */
export function comingSince({ runs }: StrangeBeats, kind: StrangeBeat, now: Instant): Instant | undefined {
  const run = runningAt(runs[kind], now);
  return run === undefined || between(run.since, run.last) < ENOUGH ? undefined : run.since;
}

function runningAt(run: Run | undefined, now: Instant): Run | undefined {
  return run !== undefined && now <= after(run.last, QUIET) ? run : undefined;
}
