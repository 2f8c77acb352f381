import { describe, expect, test } from "vitest";
import { type Instant, instant, seconds } from "@futago/hal/units/time.ts";
import { snapshotOf } from "../../standby/pair/view.test-support.ts";
import { comingSince, noStrangeBeats, noteStrangeBeats, type StrangeBeat, type StrangeBeats } from "./strange-beats.ts";

const at = (second: number): Instant => instant(seconds(100 + second));

interface Seen {
  readonly counters: Readonly<Record<string, number>>;
  readonly peerAlive?: boolean;
}

/** One snapshot a second, from second 0. */
function after(...snapshots: readonly Seen[]): StrangeBeats {
  return snapshots.reduce(
    (state, { peerAlive = false, counters }, second) =>
      noteStrangeBeats(state, snapshotOf(at(second), [], { peerAlive, counters })),
    noStrangeBeats,
  );
}

const own = (count: number, peerAlive = false): Seen => ({ counters: { "own-box": count }, peerAlive });
const bad = (count: number, peerAlive = false): Seen => ({ counters: { "bad-mac": count }, peerAlive });

const since = (state: StrangeBeats, second: number, kind: StrangeBeat = "own-box") =>
  comingSince(state, kind, at(second));

describe("another box of the same letter", () => {
  test("is there since its first beat, as long as more of them come", () => {
    const state = after(own(0), own(40), own(80), own(120));
    expect(since(state, 3)).toBe(at(1));
    expect(since(state, 8)).toBe(at(1));
  });

  test("is gone five seconds after its last one, and there anew when it comes back", () => {
    const gone = [own(40), own(80), own(80), own(80), own(80), own(80), own(80)];
    expect(since(after(...gone), 6)).toBe(at(0));
    expect(since(after(...gone, own(80)), 7)).toBeUndefined();
    expect(since(after(...gone, own(80), own(81), own(82)), 9)).toBe(at(8));
  });

  test("is none when one beat was played back", () => {
    expect(since(after(own(0), own(1), own(1)), 2)).toBeUndefined();
  });

  test("counts while a peer is heard, too: it may have taken this box's place there", () => {
    expect(since(after(own(40, true), own(80, true)), 1)).toBe(at(0));
  });

  test("is not told from the counters of before when pulse was started again", () => {
    const again = noteStrangeBeats(noStrangeBeats, snapshotOf(at(2), [], { counters: { "own-box": 0 } }));
    expect(since(again, 2)).toBeUndefined();
  });
});

describe("a second box of the peer's letter", () => {
  const early = (count: number, peerAlive = true): Seen => ({ counters: { unproven: count }, peerAlive });

  test("is there as long as more of its beats come beside the peer's", () => {
    expect(since(after(early(0), early(40), early(80)), 2, "unproven")).toBe(at(1));
    expect(since(after(early(40), early(80), early(80)), 7, "unproven")).toBeUndefined();
  });

  test("is none when the peer starts anew, or comes for the first time", () => {
    expect(since(after(early(0), early(3), early(3)), 2, "unproven")).toBeUndefined();
    expect(since(after(early(40, false), early(80, false), early(82)), 2, "unproven")).toBeUndefined();
  });
});

test("heartbeats of another key count only while the peer is silent: another pair may be on the cable", () => {
  const noise = [bad(40, true), bad(80, true)];
  expect(comingSince(after(...noise), "bad-mac", at(1))).toBeUndefined();
  expect(comingSince(after(...noise, bad(120), bad(160)), "bad-mac", at(3))).toBe(at(2));
  expect(comingSince(after(...noise, bad(120), bad(160), bad(200, true)), "bad-mac", at(4))).toBeUndefined();
});
