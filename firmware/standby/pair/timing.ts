/**
 * How long silence must last before it counts, and how long a lease runs. Widens when this box is late, narrows when
 * it has been on time for a while, and changes the two in the order that keeps every lease shorter than the other
 * box's patience: dead time before lease when widening, lease before dead time when narrowing.
 *
 * What this box knows of the other one is a little old. So whatever makes the pair less careful, a longer lease or a
 * shorter patience, waits until it has been right for so long that the other box must know, too; and until the last
 * longer lease that may still run has run out.
 */
import type { PulseSnapshot } from "@futago/hal/units/pulse.ts";
import { between, type Instant, type Micros, micros, seconds } from "@futago/hal/units/time.ts";
import type { PairConfig, TimingState } from "./types.ts";

/** A lease runs three fifths of the dead time, and a beat goes out every fifth of it. */
function leaseWithin(dead: number): Micros {
  return micros((dead * 3) / 5);
}

/** The shortest dead time that outlasts a lease: never more than what the lease was made from. */
function deadFor(lease: number): number {
  return Math.ceil((lease * 5) / 3);
}

const BEATS_PER_LEASE = 3;
/**
 * On top of two dead times, by which a view of the other box can be old while the two hear each other: what the
 * sentinels may take to read, decide and tell. pulse lets go of everything when its sentinel takes a quarter of that.
 */
const SETTLES = seconds(1);
/** Late by more than this share of the dead time, 99.9 % of the time over a minute: too late. */
const LATE_SHARE = 1 / 3;
const WINDOW = seconds(60);
const SAMPLE_EVERY = seconds(1);
const LEVELS_MAX = 4;
/** A narrower dead time must have sufficed this long. */
const NARROW_AFTER = seconds(60);
/** So many ticks must have been as late as that: one freeze is an accident, not a habit that patience would cure. */
const LATE_TICKS_MIN = 3;

export function initialTiming(deadTime: Micros): TimingState {
  const lease = leaseWithin(deadTime);
  return {
    profile: deadTime,
    dead: deadTime,
    lease,
    beat: micros(lease / BEATS_PER_LEASE),
    wanted: deadTime,
    history: [],
    latenessP999: micros(0),
    narrowSince: undefined,
    shorter: undefined,
    longer: undefined,
    widenedSince: undefined,
  };
}

/**
 * How late the latest thousandth of the ticks was, and at least three of them, in microseconds: from a histogram by
 * powers of two, linear within a bucket.
 */
export function habitualLateness(counts: readonly number[]): Micros {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const late = Math.max(LATE_TICKS_MIN, total * 0.001);
  let above = 0;
  for (let i = counts.length - 1; i >= 0; i--) {
    const count = counts[i] ?? 0;
    if (above + count >= late) {
      const low = i === 0 ? 0 : 2 ** (i - 1);
      return micros(2 ** i - (2 ** i - low) * ((late - above) / count));
    }
    above += count;
  }
  return micros(0);
}

function sample(timing: TimingState, snapshot: PulseSnapshot): TimingState {
  const newest = timing.history.at(-1);
  // A pulse that was started again counts from zero.
  const restarted = newest !== undefined && newest.counts.some((count, i) => count > (snapshot.lateness[i] ?? 0));
  if (restarted) return { ...timing, history: [{ at: snapshot.at, counts: snapshot.lateness }] };
  if (newest !== undefined && between(newest.at, snapshot.at) < SAMPLE_EVERY) return timing;
  const recent = timing.history.filter((entry) => between(entry.at, snapshot.at) <= WINDOW);
  const history = [...recent, { at: snapshot.at, counts: snapshot.lateness }];
  const oldest = history[0]?.counts ?? [];
  const window = snapshot.lateness.map((count, i) => count - (oldest[i] ?? 0));
  return { ...timing, history, latenessP999: habitualLateness(window) };
}

/** The smallest of the profile's dead time times 1, 2, 4, … that lateness fits in. */
function fitting(config: PairConfig, lateness: number): Micros {
  for (let level = 0; level < LEVELS_MAX; level++) {
    const dead = config.deadTime * 2 ** level;
    if (lateness <= dead * LATE_SHARE) return micros(dead);
  }
  return micros(config.deadTime * 2 ** LEVELS_MAX);
}

function want(config: PairConfig, timing: TimingState, now: Instant): TimingState {
  const profile = config.deadTime;
  if (config.fixed) return { ...timing, profile, wanted: profile, narrowSince: undefined };
  const wide = fitting(config, timing.latenessP999);
  // Another profile is an order: what was learned under the old one is no reason to go there step by step.
  if (profile !== timing.profile) return { ...timing, profile, wanted: wide, narrowSince: undefined };
  if (wide > timing.wanted) return { ...timing, wanted: wide, narrowSince: undefined };
  // Narrow only with room to spare, so that it does not widen again at once.
  const narrow = fitting(config, timing.latenessP999 * 2);
  if (narrow >= timing.wanted) return { ...timing, narrowSince: undefined };
  const since = timing.narrowSince ?? now;
  if (between(since, now) < NARROW_AFTER) return { ...timing, narrowSince: since };
  return { ...timing, wanted: micros(timing.wanted / 2), narrowSince: undefined };
}

/** The times to use from now on, given what the peer says of its own. */
export function agree(timing: TimingState, snapshot: PulseSnapshot | undefined, now: Instant): TimingState {
  const peer = snapshot?.peerAlive === true && snapshot.peerDead > 0 ? snapshot : undefined;
  const target = Math.max(timing.wanted, peer?.peerWanted ?? 0);
  const patient = settleDead(timing, Math.max(target, deadFor(peer?.peerLease ?? 0)), peer !== undefined, now);
  return settleLease(patient, leaseWithin(Math.min(target, peer?.peerDead ?? target)), peer?.peerDead ?? 0, now);
}

/** Longer at once. Shorter after a while, unless there is no peer whose lease it would have to outlast. */
function settleDead(timing: TimingState, needed: number, guards: boolean, now: Instant): TimingState {
  if (needed >= timing.dead || !guards) return { ...timing, dead: micros(needed), shorter: undefined };
  const since = timing.shorter?.since ?? now;
  const dead = micros(Math.max(needed, timing.shorter?.dead ?? 0));
  if (between(since, now) < SETTLES + 2 * timing.dead) return { ...timing, shorter: { since, dead } };
  return { ...timing, dead, shorter: undefined };
}

/** Shorter at once, longer after a while. */
function settleLease(timing: TimingState, allowed: Micros, peerDead: number, now: Instant): TimingState {
  if (allowed <= timing.lease) return withLease(timing, allowed);
  const since = timing.longer?.since ?? now;
  const lease = micros(Math.min(allowed, timing.longer?.lease ?? allowed));
  const wait = SETTLES + 2 * Math.max(timing.dead, peerDead);
  return between(since, now) < wait ? { ...timing, longer: { since, lease } } : withLease(timing, lease);
}

function withLease(timing: TimingState, lease: Micros): TimingState {
  return { ...timing, lease, beat: micros(lease / BEATS_PER_LEASE), longer: undefined };
}

export function stepTiming(
  config: PairConfig,
  timing: TimingState,
  snapshot: PulseSnapshot | undefined,
  now: Instant,
): TimingState {
  const sampled = snapshot === undefined ? timing : sample(timing, snapshot);
  const agreed = agree(want(config, sampled, now), snapshot, now);
  const widened = agreed.dead > config.deadTime;
  return { ...agreed, widenedSince: widened ? (timing.widenedSince ?? now) : undefined };
}

export function sameTiming(a: TimingState, b: TimingState): boolean {
  return a.dead === b.dead && a.lease === b.lease && a.beat === b.beat && a.wanted === b.wanted;
}
