import { describe, expect, it } from "vitest";
import type { SentinelEvent } from "../../messages.ts";
import { decodeLongMessage, isTimelineMessage } from "../peer-link/long-message.ts";
import { Timeline } from "./timeline.ts";
import type { TimelineMessage } from "./timeline-message.ts";

const event = (name: string, more: Partial<SentinelEvent> = {}): SentinelEvent => ({
  at: new Date().toISOString(),
  event: name,
  group: undefined,
  from: undefined,
  to: undefined,
  reason: "",
  evidence: {},
  ...more,
});

/** Two boxes; what they say goes over the wire, and is decoded as from there. */
function pairOf(hear: (message: TimelineMessage) => void = () => undefined) {
  const deliver = (to: () => Timeline) => (message: TimelineMessage) => {
    const decoded = decodeLongMessage(JSON.stringify(message));
    if (!decoded.ok || !isTimelineMessage(decoded.value)) throw new Error(`refused: ${JSON.stringify(decoded)}`);
    hear(decoded.value);
    to().receive(decoded.value);
  };
  const a: Timeline = new Timeline("a", () => ({ send: deliver(() => b) }));
  const b: Timeline = new Timeline("b", () => ({ send: deliver(() => a) }));
  return { a, b };
}

describe("the timeline of a pair", () => {
  it("holds what both boxes saw", async () => {
    const { a, b } = pairOf();
    a.add(event("offer"));
    b.add(event("role", { group: "edge", from: "standby", to: "active", evidence: { silentMicros: 75_000 } }));
    const merged = await a.merged();
    expect(merged.map(({ box, event: name }) => `${box} ${name}`)).toEqual(["a offer", "b role"]);
    expect(merged[1]).toMatchObject({ evidence: { silentMicros: 75_000 }, clock: { exactMillis: expect.any(Number) } });
  });

  it("keeps what a message can hold, whatever a check said", async () => {
    const { a, b } = pairOf();
    b.add(event("role", { reason: "x".repeat(10_000), evidence: { unfit: "y".repeat(10_000) } }));
    for (let i = 0; i < 300; i++) b.add(event("offer"));
    expect(await a.merged()).toHaveLength(200);
    b.add(event("role", { reason: "x".repeat(10_000), evidence: { unfit: "y".repeat(10_000) } }));
    expect((await a.merged()).at(-1)?.reason).toHaveLength(600);
  });

  it("holds what was recorded before, the newest of it where that is too much", async () => {
    const { a, b } = pairOf();
    const time = (endedMicros: number, down: readonly string[] = []) => ({
      endedMicros,
      lastedMicros: 1_000_000,
      paths: [{ interface: "sync", beats: 133, longestPauseMicros: 16_000 }],
      latenessMicros: 2_048,
      stealPercent: null,
      down,
    });
    const cells = Array.from({ length: 30 }, (_, i) => time(29 - i));
    const devices = Array.from({ length: 100 }, (_, i) => `eth${i}`);
    b.add(event("role", { record: { whole: time(0, devices), cells } }));
    const record = (await a.merged()).at(-1)?.record;
    expect(record?.whole).toEqual(time(0, devices.slice(0, 64)));
    expect(record?.cells).toEqual(cells.slice(10));
  });

  it("says so when the link is down, or the peer says nothing", async () => {
    const down = new Timeline("a", () => undefined);
    expect((await down.merged()).at(-1)?.reason).toContain("the link to its core is down");
    const mute = new Timeline("a", () => ({ send: () => undefined }));
    expect((await mute.merged()).at(-1)?.reason).toContain("its core does not answer");
  });

  it("drops an answer that nobody asked for", () => {
    const { a } = pairOf();
    expect(() => a.receive({ kind: "eventsAnswer", request: 99, events: [] })).not.toThrow();
  });
});
