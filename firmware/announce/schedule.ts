/**
 * When to announce a VIP after it was taken over: at once and after 10, 50 and 200 ms, 1 s and 5 s, for single
 * frames get lost; then every 60 s, for switches and hosts forget. What is sent is `announcement.ts`'s.
 */
import { after, millis, seconds, type Instant } from "@futago/hal/units/time.ts";

const OFFSETS = [millis(0), millis(10), millis(50), millis(200), seconds(1), seconds(5)] as const;
const REFRESH = seconds(60);

export type AnnouncingState =
  | { readonly kind: "idle" }
  | { readonly kind: "announcing"; readonly startedAt: Instant; readonly nextAt: Instant };

export type AnnouncingInput = { readonly kind: "start" } | { readonly kind: "stop" } | { readonly kind: "timeout" };

export interface AnnouncingStep {
  readonly state: AnnouncingState;
  /** Whether to send one round of announcements now. */
  readonly announce: boolean;
}

export const notAnnouncing: AnnouncingState = { kind: "idle" };

export function nextTimeout(state: AnnouncingState): Instant | undefined {
  return state.kind === "idle" ? undefined : state.nextAt;
}

/** A start announces at once and begins the schedule anew. Rounds that a late timeout missed are not made up for. */
export function step(state: AnnouncingState, input: AnnouncingInput, now: Instant): AnnouncingStep {
  switch (input.kind) {
    case "start":
      return { state: { kind: "announcing", startedAt: now, nextAt: nextRound(now, now) }, announce: true };
    case "stop":
      return { state: { kind: "idle" }, announce: false };
    case "timeout":
      if (state.kind === "idle" || now < state.nextAt) return { state, announce: false };
      return { state: { ...state, nextAt: nextRound(state.startedAt, now) }, announce: true };
  }
}

function nextRound(startedAt: Instant, now: Instant): Instant {
  for (const offset of OFFSETS) if (after(startedAt, offset) > now) return after(startedAt, offset);
  return after(now, REFRESH);
}
