/** What the two cores say to each other when somebody asks why: what happened, and how their clocks stand. Pure. */
import type { Recorded, RecordedPath, RecordedTime, SentinelEvent } from "../../messages.ts";
import {
  either,
  list,
  nothing,
  number,
  object,
  optional,
  record,
  type Shapes,
  text,
  time,
  whole,
} from "../peer-link/shapes.ts";

/** What a box remembers. */
export const EVENTS_MAX = 200;
/** Of what was recorded before an event: paths, devices, and pieces of time. */
export const RECORDED_MAX = 64;
export const CELLS_MAX = 20;

export type TimelineMessage =
  | { readonly kind: "clockAsk"; readonly request: number }
  /** Milliseconds since 1970 by the sender's clock, to a thousandth. */
  | { readonly kind: "clockAnswer"; readonly request: number; readonly at: number }
  | { readonly kind: "eventsAsk"; readonly request: number }
  | { readonly kind: "eventsAnswer"; readonly request: number; readonly events: readonly SentinelEvent[] };

const request = whole(0, Number.MAX_SAFE_INTEGER);
const word = text(64);
const sentence = text(600);
const path = object<RecordedPath>({ interface: word, beats: number, longestPauseMicros: number });
const recordedTime = object<RecordedTime>({
  endedMicros: number,
  lastedMicros: number,
  paths: list(RECORDED_MAX, path),
  latenessMicros: number,
  stealPercent: either(number, nothing),
  down: list(RECORDED_MAX, word),
});
const recorded = object<Recorded>({ whole: recordedTime, cells: list(CELLS_MAX, recordedTime) });
const event = object<SentinelEvent>({
  at: time,
  event: word,
  group: optional(word),
  from: optional(word),
  to: optional(word),
  reason: sentence,
  evidence: record(64, 64, either(number, text(300))),
  record: optional(recorded),
});

export const TIMELINE_SHAPES: Shapes<TimelineMessage> = {
  clockAsk: { request },
  clockAnswer: { request, at: number },
  eventsAsk: { request },
  eventsAnswer: { request, events: list(EVENTS_MAX, event) },
};
