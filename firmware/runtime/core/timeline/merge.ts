/** Brings what two boxes tell into one line of time. Pure. */
import type { TimelineEvent } from "../../control.ts";
import type { SentinelEvent } from "../../messages.ts";

/** One question for the time and its answer, each by the clock of the box where it was read; milliseconds since 1970. */
export interface ClockReading {
  readonly askedAt: number;
  readonly peerAt: number;
  readonly answeredAt: number;
}

export interface ClockOffset {
  /** The peer's clock less this one's. */
  readonly offsetMillis: number;
  /** The true difference is no further from that than so much. */
  readonly exactMillis: number;
}

/** Both clocks are read in whole milliseconds, rounded down. */
const READING_MILLIS = 1;

/** The quickest answer leaves the least room: the peer read its clock somewhere between question and answer. */
export function clockOffset(readings: readonly ClockReading[]): ClockOffset {
  const [best] = readings.toSorted((one, other) => tripOf(one) - tripOf(other));
  if (best === undefined) throw new RangeError("a clock without a reading");
  const trip = tripOf(best);
  return { offsetMillis: best.peerAt - best.askedAt - trip / 2, exactMillis: trip / 2 + READING_MILLIS };
}

function tripOf({ askedAt, answeredAt }: ClockReading): number {
  // A clock that was set between the two makes a trip of nothing, or less.
  return Math.max(0, answeredAt - askedAt);
}

export interface ToldEvents {
  readonly box: string;
  readonly events: readonly SentinelEvent[];
}

/** `peer`: what it told and how its clock stands; why it could not be asked; or undefined on a box alone. */
export function mergeEvents(
  own: ToldEvents,
  peer: (ToldEvents & { readonly clock: ClockOffset }) | string | undefined,
): readonly TimelineEvent[] {
  const mine = own.events.map((event): TimelineEvent => ({ ...event, box: own.box, clock: null }));
  if (peer === undefined) return mine;
  if (typeof peer === "string") return [...mine, notAsked(own.box, peer, mine.at(-1)?.at)];
  const { box, events, clock } = peer;
  const theirs = events.map((event): TimelineEvent => ({ ...event, at: moved(event.at, clock), box, clock }));
  return [...mine, ...theirs].toSorted((one, other) => one.at.localeCompare(other.at) || rank(one) - rank(other));
}

/** Of a hand-over within one millisecond what comes first: it is offered, let go, taken, and over. */
function rank({ event, to }: SentinelEvent): number {
  if (event === "offer") return 0;
  if (event === "yielded") return 1;
  return event === "role" && to === "active" ? 2 : 3;
}

function moved(at: string, { offsetMillis }: ClockOffset): string {
  const millis = Date.parse(at) - Math.round(offsetMillis);
  // A forged moment may lie where no calendar reaches.
  return Number.isFinite(millis) && Math.abs(millis) < 8e15 ? new Date(millis).toISOString() : at;
}

function notAsked(box: string, why: string, at: string | undefined): TimelineEvent {
  const reason = `what the other box saw is missing here: ${why}`;
  const nothing = { group: undefined, from: undefined, to: undefined, evidence: {} };
  return { at: at ?? "", event: "peer-not-asked", reason, ...nothing, box, clock: null };
}
