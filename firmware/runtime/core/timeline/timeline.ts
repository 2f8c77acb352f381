/**
 * What happened to the roles, on this box and on its peer, in one line of time. The peer is asked over the link between
 * the cores; how far its clock is from this one's is measured in the same breath, by who asked when and was answered when.
 */
import type { TimelineEvent } from "../../control.ts";
import type { Box, Recorded, RecordedTime, SentinelEvent } from "../../messages.ts";
import { type ClockReading, clockOffset, mergeEvents } from "./merge.ts";
import { CELLS_MAX, EVENTS_MAX, RECORDED_MAX, type TimelineMessage } from "./timeline-message.ts";

const ANSWER_MILLIS_MAX = 1_500;
/** The quickest of so many answers tells best. */
const CLOCK_ROUNDS = 5;

/** To the peer's core; undefined while it is down. */
type Link = () => { send(message: TimelineMessage): void } | undefined;

type Answer<Kind extends TimelineMessage["kind"]> = Extract<TimelineMessage, { readonly kind: Kind }>;

export class Timeline {
  readonly #box: Box | undefined;
  readonly #link: Link;
  readonly #events: SentinelEvent[] = [];
  readonly #waiting = new Map<number, (answer: TimelineMessage | undefined) => void>();
  #request = 0;

  /** `box` is undefined on one that nobody gave a letter. */
  constructor(box: Box | undefined, link: Link) {
    this.#box = box;
    this.#link = link;
  }

  /** Of this box alone, oldest first. */
  get events(): readonly SentinelEvent[] {
    return this.#events;
  }

  add(event: SentinelEvent): void {
    this.#events.push(event);
    if (this.#events.length > EVENTS_MAX) this.#events.shift();
  }

  /** Of both boxes, oldest first; where the peer cannot be asked, an event says why. */
  async merged(): Promise<readonly TimelineEvent[]> {
    const box = this.#box;
    const own = this.#events;
    if (box === undefined) return mergeEvents({ box: "alone", events: own }, undefined);
    if (this.#link() === undefined) return mergeEvents({ box, events: own }, "the link to its core is down");
    const readings: ClockReading[] = [];
    for (let round = 0; round < CLOCK_ROUNDS; round++) {
      const askedAt = Date.now();
      const answer = await this.#ask("clockAsk", "clockAnswer");
      if (answer === undefined) return mergeEvents({ box, events: own }, "its core does not answer");
      readings.push({ askedAt, peerAt: answer.at, answeredAt: Date.now() });
    }
    const answer = await this.#ask("eventsAsk", "eventsAnswer");
    if (answer === undefined) return mergeEvents({ box, events: own }, "its core does not answer");
    const peer = { box: box === "a" ? "b" : "a", events: answer.events, clock: clockOffset(readings) };
    return mergeEvents({ box, events: own }, peer);
  }

  /** From the peer's core. */
  receive(message: TimelineMessage): void {
    const { request } = message;
    switch (message.kind) {
      case "clockAsk":
        return this.#link()?.send({ kind: "clockAnswer", request, at: Date.now() });
      case "eventsAsk":
        return this.#link()?.send({ kind: "eventsAnswer", request, events: this.#events.map(bounded) });
      case "clockAnswer":
      case "eventsAnswer":
        this.#waiting.get(request)?.(message);
    }
  }

  #ask<Kind extends "clockAnswer" | "eventsAnswer">(
    question: "clockAsk" | "eventsAsk",
    kind: Kind,
  ): Promise<Answer<Kind> | undefined> {
    const request = ++this.#request;
    return new Promise((resolve) => {
      const finish = (answer: TimelineMessage | undefined) => {
        clearTimeout(late);
        this.#waiting.delete(request);
        // Its kind is compared: the peer may say anything.
        resolve(answer?.kind === kind ? (answer as Answer<Kind>) : undefined);
      };
      const late = setTimeout(() => finish(undefined), ANSWER_MILLIS_MAX);
      this.#waiting.set(request, finish);
      this.#link()?.send({ kind: question, request });
    });
  }
}

const SENTENCE_LENGTH_MAX = 600;
const VALUE_LENGTH_MAX = 300;

/** As a message may hold it: what a check said may be long. */
function bounded(event: SentinelEvent): SentinelEvent {
  const values = Object.entries(event.evidence).map(
    ([name, value]) =>
      [name.slice(0, 64), typeof value === "string" ? value.slice(0, VALUE_LENGTH_MAX) : value] as const,
  );
  return {
    ...event,
    reason: event.reason.slice(0, SENTENCE_LENGTH_MAX),
    evidence: Object.fromEntries(values.slice(0, 64)),
    record: event.record === undefined ? undefined : boundedRecord(event.record),
  };
}

function boundedRecord({ whole, cells }: Recorded): Recorded {
  const bound = (time: RecordedTime) => ({
    ...time,
    paths: time.paths.slice(0, RECORDED_MAX),
    down: time.down.slice(0, RECORDED_MAX),
  });
  return { whole: bound(whole), cells: cells.slice(-CELLS_MAX).map(bound) };
}
