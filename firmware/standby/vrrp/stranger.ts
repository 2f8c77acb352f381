/**
 * Strangers on the VRIDs of a pair: routers that are not of the pair and advertise one of its virtual routers. The
 * pair elects on heartbeats, so a stranger takes nothing; it is counted here and shown. Sends and logs nothing.
 */
import type { IpAddress, Mac } from "@futago/hal/units/address.ts";
import { after, between, seconds, type Instant } from "@futago/hal/units/time.ts";

/** A stranger that was silent for this long is forgotten. */
export const STRANGER_FORGET = seconds(60);
/** Further strangers are counted as one: a forger can invent senders without end. */
export const STRANGERS_MAX = 16;

export interface StrangerAdvertisement {
  readonly interface: string;
  readonly vrid: number;
  readonly mac: Mac;
  readonly source: IpAddress;
  readonly priority: number;
}

export interface Stranger extends StrangerAdvertisement {
  readonly count: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

export interface StrangerState {
  /** In order of appearance. */
  readonly strangers: readonly Stranger[];
  /** Advertisements of strangers in all, those beyond {@link STRANGERS_MAX} included. */
  readonly counted: number;
}

export const noStrangers: StrangerState = { strangers: [], counted: 0 };

/**
 * Counts one advertisement. The caller leaves out those of its own box and of its peer, which it knows by their
 * source addresses: their MAC is the Virtual Router MAC, the same for everybody.
 */
export function observeStranger(state: StrangerState, heard: StrangerAdvertisement, now: Instant): StrangerState {
  const counted = state.counted + 1;
  const known = state.strangers.find((stranger) => sameSender(stranger, heard));
  if (known !== undefined) {
    const next = { ...known, ...heard, count: known.count + 1, lastAt: now };
    return { strangers: state.strangers.map((stranger) => (stranger === known ? next : stranger)), counted };
  }
  if (state.strangers.length >= STRANGERS_MAX) return { ...state, counted };
  return { strangers: [...state.strangers, { ...heard, count: 1, firstAt: now, lastAt: now }], counted };
}

/** Without those that were silent for {@link STRANGER_FORGET}. */
export function forgetStrangers(state: StrangerState, now: Instant): StrangerState {
  const strangers = state.strangers.filter((stranger) => between(stranger.lastAt, now) < STRANGER_FORGET);
  return strangers.length === state.strangers.length ? state : { ...state, strangers };
}

/** When {@link forgetStrangers} next forgets one. */
export function nextTimeout(state: StrangerState): Instant | undefined {
  if (state.strangers.length === 0) return undefined;
  const oldest = Math.min(...state.strangers.map((stranger) => stranger.lastAt)) as Instant;
  return after(oldest, STRANGER_FORGET);
}

/** What happened, where, and what to do about it. */
export function strangerSentence(stranger: Stranger): string {
  const who = `${stranger.source} (${stranger.mac})`;
  const what = `advertises VRID ${stranger.vrid} on ${stranger.interface} with priority ${stranger.priority}`;
  return `${who} ${what} and is not of this pair, ${stranger.count} times so far; give it or this virtual router another VRID`;
}

function sameSender(a: StrangerAdvertisement, b: StrangerAdvertisement): boolean {
  return a.interface === b.interface && a.vrid === b.vrid && a.mac === b.mac && a.source === b.source;
}
