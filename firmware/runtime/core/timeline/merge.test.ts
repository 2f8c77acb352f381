import { describe, expect, it } from "vitest";
import type { SentinelEvent } from "../../messages.ts";
import { clockOffset, mergeEvents } from "./merge.ts";

const event = (at: string, name: string, to?: string): SentinelEvent => ({
  at: `2026-01-05T03:04:${at}Z`,
  event: name,
  group: "edge",
  from: undefined,
  to,
  reason: "",
  evidence: {},
});

describe("the offset of the peer's clock", () => {
  it("is told best by the quickest answer, to half its way and the clocks' own millisecond", () => {
    // Asked at 1000, answered at 1004, the peer's clock read 6002: it is 5000 ahead.
    const quick = { askedAt: 1_000, peerAt: 6_002, answeredAt: 1_004 };
    const slow = { askedAt: 2_000, peerAt: 7_900, answeredAt: 2_900 };
    expect(clockOffset([slow, quick])).toEqual({ offsetMillis: 5_000, exactMillis: 3 });
  });

  it("survives a clock that was set while it was asked", () => {
    expect(clockOffset([{ askedAt: 5_000, peerAt: 4_000, answeredAt: 1_000 }])).toEqual({
      offsetMillis: -1_000,
      exactMillis: 1,
    });
  });
});

describe("the events of both boxes", () => {
  const own = { box: "a", events: [event("05.000", "offer"), event("05.108", "role", "standby")] };

  it("stand where they belong, by this box's clock", () => {
    const clock = { offsetMillis: 3_600_000.4, exactMillis: 1.2 };
    const theirs = { ...event("05.003", "role", "active"), at: "2026-01-05T04:04:05.003Z" };
    const merged = mergeEvents(own, { box: "b", events: [theirs], clock });
    expect(merged.map(({ at, box, event: name }) => `${at.slice(17, 23)} ${box} ${name}`)).toEqual([
      "05.000 a offer",
      "05.003 b role",
      "05.108 a role",
    ]);
    expect(merged.map((one) => one.clock)).toEqual([null, clock, null]);
  });

  it("of one millisecond stand in the order of a hand-over", () => {
    const mine = { box: "a", events: [event("05.000", "role", "active")] };
    const theirs = [event("05.000", "offer"), event("05.000", "yielded"), event("05.000", "role", "standby")];
    const peer = { box: "b", events: theirs, clock: { offsetMillis: 0, exactMillis: 1 } };
    expect(mergeEvents(mine, peer).map(({ box, event: name, to }) => `${box} ${name} ${to ?? ""}`)).toEqual([
      "b offer ",
      "b yielded ",
      "a role active",
      "b role standby",
    ]);
  });

  it("end with why the peer could not be asked", () => {
    const merged = mergeEvents(own, "the link to its core is down");
    expect(merged.at(-1)).toMatchObject({
      event: "peer-not-asked",
      reason: "what the other box saw is missing here: the link to its core is down",
      at: "2026-01-05T03:04:05.108Z",
    });
  });

  it("are those of one box where there is no other", () => {
    expect(mergeEvents({ ...own, box: "alone" }, undefined).map(({ box }) => box)).toEqual(["alone", "alone"]);
  });

  it.each(["-271821-04-20T00:00:00.000Z", "9999-99-99T99:99:99.999Z"])("keep a moment that is none: %s", (at) => {
    const peer = {
      box: "b",
      events: [{ ...event("05.000", "role"), at }],
      clock: { offsetMillis: 1e15, exactMillis: 1 },
    };
    expect(mergeEvents({ box: "a", events: [] }, peer)[0]?.at).toBe(at);
  });
});
