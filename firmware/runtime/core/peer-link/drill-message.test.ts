import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DrillMessage, DrillResult } from "../../../pair/drill/types.ts";
import type { TimelineMessage } from "../timeline/timeline-message.ts";
import { decodeLongMessage, isCommitMessage, isDrillMessage, isTimelineMessage } from "./long-message.ts";

const drill = "0123456789abcdef";
const figure = { group: "edge", address: "10.1.0.1", silenceMicros: 200, sent: 800, lost: 0, pauseMicros: 1_000 };
const box = { hostname: "edge-a", version: "1.2.3" };
const result: DrillResult = {
  id: drill,
  how: "planned",
  at: "2026-01-05T03:04:05.678Z",
  by: "alice",
  revision: "ab".repeat(32),
  tookMillis: 1_300,
  vips: [{ ...figure, from: "a" }],
  connections: { before: 40, after: 40 },
  allowed: { silenceMicros: 100_000, lost: 0 },
  worse: [],
  back: "stayed",
  boxes: { a: box, b: box },
};
const refusal = { exitCode: 6, what: "a drill is under way already", mend: "" };
const event = { at: "2026-01-05T03:04:05.678Z", event: "role", reason: "", evidence: { silentMicros: 1, unfit: "x" } };

const MESSAGES = [
  { kind: "drillBegin", drill, how: "killed" },
  { kind: "drillReady", drill, box },
  { kind: "drillReady", drill, refusal },
  { kind: "drillKill", drill },
  { kind: "drillEnd", drill },
  { kind: "drillNotes", drill, figures: [{ ...figure, silenceMicros: null, side: "took" }], before: 0, after: 3 },
  { kind: "drillKept", result },
  { kind: "clockAsk", request: 1 },
  { kind: "clockAnswer", request: 1, at: 1_767_582_245_678.25 },
  { kind: "eventsAsk", request: 2 },
  { kind: "eventsAnswer", request: 2, events: [event] },
] as unknown as readonly (DrillMessage | TimelineMessage)[];

describe("what the cores say of drills and of what happened", () => {
  it.each(MESSAGES)("reads back what it wrote: $kind", (message) => {
    const decoded = decodeLongMessage(JSON.stringify(message));
    expect(decoded).toEqual({ ok: true, value: message });
    expect(
      decoded.ok && [isDrillMessage, isTimelineMessage, isCommitMessage].filter((is) => is(decoded.value)),
    ).toHaveLength(1);
  });

  const many = (count: number, item: unknown) => Array.from({ length: count }, () => item);
  it.each<[string, unknown]>([
    ["unknownKind", { kind: "drillStop", drill }],
    ["unknownField", { kind: "drillKill", drill, x: 1 }],
    ["badField", { kind: "drillKill", drill: "0123" }],
    ["badField", { kind: "drillBegin", drill, how: "slowly" }],
    ["badField", { kind: "drillReady", drill, refusal: { ...refusal, exitCode: 0 } }],
    ["badField", { kind: "drillReady", drill, refusal: { ...refusal, what: "x".repeat(601) } }],
    ["badField", { kind: "drillReady", drill, box: { ...box, hostname: "x".repeat(65) } }],
    ["badField", { kind: "drillNotes", drill, figures: many(65, { ...figure, side: "gave" }), before: 0, after: 0 }],
    ["badField", { kind: "drillNotes", drill, figures: [{ ...figure, side: "gave", lost: -1 }], before: 0, after: 0 }],
    ["badField", { kind: "drillNotes", drill, figures: [{ ...figure, side: "gave", sent: 0.5 }], before: 0, after: 0 }],
    ["badField", { kind: "drillNotes", drill, figures: [figure], before: 0, after: 0 }],
    ["badField", { kind: "drillNotes", drill, figures: [], before: 0, after: 2 ** 40 }],
    ["badField", { kind: "drillKept", result: { ...result, at: "yesterday" } }],
    ["badField", { kind: "drillKept", result: { ...result, by: "x".repeat(65) } }],
    ["badField", { kind: "drillKept", result: { ...result, worse: many(129, "x") } }],
    ["badField", { kind: "drillKept", result: { ...result, boxes: { a: box } } }],
    ["badField", { kind: "drillKept", result: { ...result, x: 1 } }],
    ["badField", { kind: "eventsAnswer", request: 1, events: many(201, event) }],
    ["badField", { kind: "eventsAnswer", request: 1, events: [{ ...event, at: "now" }] }],
    ["badField", { kind: "eventsAnswer", request: 1, events: [{ ...event, evidence: { x: null } }] }],
    ["badField", { kind: "eventsAnswer", request: 1, events: [{ ...event, evidence: { ["x".repeat(65)]: 1 } }] }],
    ["badField", { kind: "eventsAnswer", request: 1, events: [{ ...event, evidence: { x: "y".repeat(301) } }] }],
    ["badField", { kind: "clockAnswer", request: 1, at: "1" }],
    ["badField", { kind: "clockAsk", request: -1 }],
  ])("refuses as %s %j", (reason, message) => {
    expect(decodeLongMessage(JSON.stringify(message))).toEqual({ ok: false, reason });
  });

  it("never throws, whatever is put in the place of a value", () => {
    const replaced = fc.tuple(fc.constantFrom(...MESSAGES), fc.nat(), fc.jsonValue()).map(([message, at, value]) => {
      let i = 0;
      const changed = JSON.stringify(message, (_name, old: unknown) => (i++ === at % 12 ? value : old)) as
        | string
        | undefined;
      return changed ?? "";
    });
    fc.assert(
      fc.property(replaced, (text) => {
        expect(typeof decodeLongMessage(text).ok).toBe("boolean");
      }),
      { numRuns: 2_000 },
    );
  });
});
