/** What the two cores say to each other when somebody asks why: what happened, and how their clocks stand. Pure. */
import type { SentinelEvent } from "../../messages.ts";
import { either, list, number, object, optional, record, type Shapes, text, time, whole } from "../peer-link/shapes.ts";

/** What a box remembers. */
export const EVENTS_MAX = 200;

export type TimelineMessage =
  | { readonly kind: "clockAsk"; readonly request: number }
  /** Milliseconds since 1970 by the sender's clock, to a thousandth. */
  | { readonly kind: "clockAnswer"; readonly request: number; readonly at: number }
  | { readonly kind: "eventsAsk"; readonly request: number }
  | { readonly kind: "eventsAnswer"; readonly request: number; readonly events: readonly SentinelEvent[] };

const request = whole(0, Number.MAX_SAFE_INTEGER);
const word = text(64);
const sentence = text(600);
const event = object<SentinelEvent>({
  at: time,
  event: word,
  group: optional(word),
  from: optional(word),
  to: optional(word),
  reason: sentence,
  evidence: record(64, 64, either(number, text(300))),
});

export const TIMELINE_SHAPES: Shapes<TimelineMessage> = {
  clockAsk: { request },
  clockAnswer: { request, at: number },
  eventsAsk: { request },
  eventsAnswer: { request, events: list(EVENTS_MAX, event) },
};
