import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { after, type Instant, instant, type Micros, micros, millis } from "@futago/hal/units/time.ts";
import { agree, habitualLateness, initialTiming, sameTiming, stepTiming } from "./timing.ts";
import type { PairConfig, TimingState } from "./types.ts";
import { CONFIG, LONELY, SILENT, snapshotOf } from "./view.test-support.ts";

const START = instant(1_000_000_000);
const ADAPTS: PairConfig = { ...CONFIG, fixed: false };

function later(milliseconds: number): Instant {
  return after(START, millis(milliseconds));
}

/** `late[i]` timers in bucket i: late by 2^(i-1) to 2^i microseconds. */
function histogram(late: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: 24 }, (_, i) => late[i] ?? 0);
}

describe("habitual lateness", () => {
  const rows: readonly [string, Readonly<Record<number, number>>, number][] = [
    ["is nothing without ticks", {}, 0],
    ["is nothing when every tick was on time to the microsecond", { 0: 10_000 }, 0],
    // The third latest of ten between 4 and 8 us: 8 - 4 * 3/10.
    ["is the third latest among few ticks, linear within its bucket", { 3: 10 }, 6],
    ["is the bucket's lower end when the third latest is its last", { 17: 3 }, 65_536],
    // One above; two more out of a thousand between 16 and 32 us: 32 - 16 * 2/1000.
    ["takes no notice of one freeze", { 5: 1_000, 17: 1 }, 31],
    // Ten of ten thousand: four above, six more out of 9,996 between 8 and 16 us: 16 - 8 * 6/9996.
    ["takes no notice of four freezes in ten thousand ticks", { 4: 9_996, 15: 4 }, 15],
    // Ten of ten thousand, all ten between 16,384 and 32,768 us.
    ["takes notice of ten in ten thousand", { 4: 9_990, 15: 10 }, 16_384],
  ];
  test.each(rows)("%s", (_, late, expected) => {
    expect(habitualLateness(histogram(late))).toBe(expected);
  });
});

/** Dead, lease, beat and wanted in milliseconds. */
function figures({ dead, lease, beat, wanted }: TimingState): number[] {
  return [dead, lease, beat, wanted].map((value) => value / 1_000);
}

/** The timing after looks at the given seconds, each with all that was late until then; nobody else is there. */
function watched(
  config: PairConfig,
  looks: readonly (readonly [second: number, late: Record<number, number>])[],
  before: TimingState = initialTiming(CONFIG.deadTime),
): TimingState {
  return looks.reduce((timing, [second, late]) => {
    const at = later(second * 1_000);
    return stepTiming(config, timing, snapshotOf(at, [], { ...LONELY, lateness: histogram(late) }), at);
  }, before);
}

describe("widening", () => {
  const rows: readonly [string, PairConfig, late: Record<number, number>, dead: number][] = [
    ["is not needed while lateness stays below a third of the dead time", ADAPTS, { 15: 3 }, 75],
    ["doubles the dead time for 33 ms", ADAPTS, { 16: 3 }, 150],
    ["takes it four times for 66 ms", ADAPTS, { 17: 3 }, 300],
    ["takes it eight times for 131 ms", ADAPTS, { 18: 3 }, 600],
    ["goes no further than sixteen times", ADAPTS, { 23: 100 }, 1_200],
    ["is not made for two late ticks", ADAPTS, { 16: 2 }, 75],
    ["can be forbidden", CONFIG, { 18: 3 }, 75],
  ];
  test.each(rows)("%s", (_, config, late, dead) => {
    const timing = watched(config, [
      [0, {}],
      [1, late],
    ]);
    expect(figures(timing)).toEqual([dead, 45, 15, dead]);
    expect(timing.widenedSince).toBe(dead === 75 ? undefined : later(1_000));
  });

  it("lengthens the lease when the longer dead time has been in force for a second and two dead times", () => {
    const wide: [number, Record<number, number>][] = [
      [0, {}],
      [1, { 16: 3 }],
    ];
    expect(figures(watched(ADAPTS, [...wide, [2.299, { 16: 3 }]]))).toEqual([150, 45, 15, 150]);
    expect(figures(watched(ADAPTS, [...wide, [2.3, { 16: 3 }]]))).toEqual([150, 90, 30, 150]);
  });

  it("counts what was late in the last minute only, and ends a minute after that", () => {
    const looks = Array.from({ length: 122 }, (_, i): [number, Record<number, number>] => [
      i,
      i === 0 ? {} : { 16: 3 },
    ]);
    // The looks of the last minute begin with the late ones from second 61 on; second 121 is a minute later.
    expect(figures(watched(ADAPTS, looks.slice(0, 121)))).toEqual([150, 90, 30, 150]);
    expect(figures(watched(ADAPTS, looks))).toEqual([75, 45, 15, 75]);
    expect(watched(ADAPTS, looks).widenedSince).toBeUndefined();
  });

  it("does not end while half the dead time would only just do", () => {
    // 16.4 ms fit into 75 ms, but twice as much does not: it would widen again at once.
    const looks = Array.from({ length: 200 }, (_, i): [number, Record<number, number>] => [
      i,
      i === 0 ? {} : { 15: 3 * i, 16: 3 },
    ]);
    expect(figures(watched(ADAPTS, looks))).toEqual([150, 90, 30, 150]);
  });

  it("believes a pulse that was started again only from then on", () => {
    const timing = watched(ADAPTS, [
      [0, { 18: 500 }],
      [1, { 18: 3 }],
      [2, { 18: 3 }],
    ]);
    expect(figures(timing)).toEqual([75, 45, 15, 75]);
  });

  it("looks at most once a second", () => {
    const timing = watched(ADAPTS, [
      [0, {}],
      [0.5, { 18: 3 }],
    ]);
    expect(timing.history).toHaveLength(1);
  });
});

describe("another profile", () => {
  const calm = { ...ADAPTS, deadTime: millis(600) };
  const fast = { ...ADAPTS, deadTime: millis(15) };

  it("is in force at once when there is nobody to agree with, but for a longer lease", () => {
    const timing = watched(calm, [[0, {}]]);
    expect(figures(timing)).toEqual([600, 45, 15, 600]);
    expect(timing.widenedSince).toBeUndefined();
    expect(figures(watched(calm, [[2.2, {}]], timing))).toEqual([600, 360, 120, 600]);
  });

  it("is not reached step by step", () => {
    expect(figures(watched(fast, [[0, {}]], initialTiming(calm.deadTime)))).toEqual([15, 9, 3, 15]);
  });

  it("widens at once by what is known of lateness", () => {
    const late = watched(ADAPTS, [
      [0, {}],
      [1, { 15: 3 }],
    ]);
    expect(figures(watched(fast, [[1.1, { 15: 3 }]], late))).toEqual([60, 36, 12, 60]);
  });
});

describe("two boxes agree", () => {
  const equal = initialTiming(millis(75));
  const wide: TimingState = { ...equal, dead: millis(150), lease: millis(90), beat: millis(30), wanted: millis(150) };
  const heard = { peerDead: millis(75), peerLease: millis(45), peerWanted: millis(75) };
  const wish = (wanted: number): TimingState => ({ ...wide, wanted: millis(wanted) });
  const rows: readonly [string, TimingState, Partial<typeof heard> | typeof SILENT, expected: number[]][] = [
    ["when both want the same", equal, {}, [75, 45, 15, 75]],
    ["waits longer at once when the peer wants that", equal, { peerWanted: millis(150) }, [150, 45, 15, 75]],
    [
      "keeps its lease short while the peer waits no longer",
      { ...wide, lease: millis(45), beat: millis(15) },
      {},
      [150, 45, 15, 150],
    ],
    [
      "keeps its lease short at first when the peer waits longer",
      { ...wide, lease: millis(45), beat: millis(15) },
      { peerDead: millis(150) },
      [150, 45, 15, 150],
    ],
    ["shortens its lease at once when nobody wants it", wish(75), { peerLease: millis(90) }, [150, 45, 15, 75]],
    ["waits for a lease that the peer has, whatever both want", equal, { peerLease: millis(90) }, [150, 45, 15, 75]],
    ["goes on waiting at first when the peer's lease is shorter", wish(75), {}, [150, 45, 15, 75]],
    [
      "shortens its lease at once when the peer waits less than was agreed",
      wide,
      { peerDead: millis(75) },
      [150, 45, 15, 150],
    ],
    ["goes by itself when the peer is silent", wish(75), SILENT, [75, 45, 15, 75]],
  ];
  test.each(rows)("%s", (_, timing, peer, expected) => {
    const snapshot = snapshotOf(START, [], { ...heard, ...peer });
    expect(figures(agree(timing, snapshot, START))).toEqual(expected);
  });

  it("on a longer lease once the peer has waited longer for a second and two dead times", () => {
    const ready = { ...wide, lease: millis(45), beat: millis(15) };
    const patient = { ...heard, peerDead: millis(300), peerWanted: millis(150) };
    const see = (timing: TimingState, at: Instant) => agree(timing, snapshotOf(at, [], patient), at);
    const first = see(ready, START);
    expect(figures(see(first, later(1_599)))).toEqual([150, 45, 15, 150]);
    expect(figures(see(first, later(1_600)))).toEqual([150, 90, 30, 150]);
  });

  it("on the shortest lease that was right all the while", () => {
    const ready = { ...wide, dead: millis(300), wanted: millis(300), lease: millis(45), beat: millis(15) };
    const see = (timing: TimingState, at: Instant, dead: number) =>
      agree(timing, snapshotOf(at, [], { ...heard, peerDead: millis(dead) }), at);
    const long = see(ready, START, 300);
    const less = see(long, later(500), 150);
    expect(see(less, later(1_600), 300).lease).toBe(millis(90));
    // And a moment in which it was not right begins the wait anew.
    const broken = see(see(long, later(500), 75), later(600), 300);
    expect(see(broken, later(1_600), 300).lease).toBe(millis(45));
  });

  it("on a shorter dead time once a shorter lease of the peer has had the time to take the place of the longer one", () => {
    const see = (timing: TimingState, at: Instant, lease: number) =>
      agree(timing, snapshotOf(at, [], { ...heard, peerLease: millis(lease) }), at);
    const first = see(wish(75), START, 45);
    expect(see(first, later(1_299), 45).dead).toBe(millis(150));
    expect(see(first, later(1_300), 45).dead).toBe(millis(75));
    // A moment in which the peer's lease was longer begins the wait anew.
    expect(see(see(first, later(500), 90), later(1_300), 45).dead).toBe(millis(150));
    // The longest of the dead times that were needed meanwhile counts.
    const between = see(see(wish(75), START, 45), later(500), 60);
    expect(see(between, later(1_300), 45).dead).toBe(millis(100));
  });

  it("comes out exact for every profile and level, so that nobody seems widened by a rounding", () => {
    for (const profile of [15, 75, 600])
      for (let level = 0; level <= 4; level++) {
        const dead = millis(profile * 2 ** level);
        const timing = initialTiming(dead);
        const same = { peerDead: dead, peerLease: timing.lease, peerWanted: dead };
        expect(sameTiming(agree(timing, snapshotOf(START, [], same), START), timing)).toBe(true);
      }
  });
});

/**
 * THE rule of widening: no lease of one box outlasts the patience of the other. Two boxes whose wishes change at any
 * moment decide in any order, and each sees the other as it was some time ago, though never longer ago than two boxes
 * that hear each other can: a dead time, and 200 ms for the sentinels.
 */
class TwoBoxes {
  now = 0;
  readonly a: Side = { timing: initialTiming(millis(75)), told: [], seen: 0 };
  readonly b: Side = { timing: initialTiming(millis(75)), told: [], seen: 0 };

  constructor() {
    for (const side of [this.a, this.b]) this.tell(side);
  }

  tell(side: Side): void {
    side.told.push({ at: this.now, timing: side.timing });
  }

  decide(side: Side, other: Side, oldness: number): void {
    const oldest = this.now - oldness * (side.timing.dead + 200_000);
    // Never older than what was seen already.
    const newestOld = other.told.findLastIndex(({ at }) => at <= oldest);
    side.seen = Math.max(side.seen, newestOld);
    const { dead, lease, wanted } = other.told[side.seen]!.timing;
    const view = { peerDead: dead, peerLease: lease, peerWanted: wanted };
    const at = after(START, micros(this.now));
    side.timing = agree(side.timing, snapshotOf(at, [], view), at);
    this.tell(side);
  }

  /** The longest lease of this box that may still run: each as it was granted, and a beat more while one is missing. */
  longestLease(side: Side): number {
    const running = side.told.filter(({ at, timing }, i) => {
      const replaced = side.told[i + 1]?.at ?? this.now;
      return at <= this.now && replaced + timing.lease + timing.beat >= this.now;
    });
    return Math.max(...running.map(({ timing }) => timing.lease + timing.beat));
  }
}

interface Side {
  timing: TimingState;
  told: { readonly at: number; readonly timing: TimingState }[];
  seen: number;
}

describe("no lease outlasts the other box's patience", () => {
  const level = fc.constantFrom(1, 2, 4, 8, 16);
  const moment = fc.record({
    pause: fc.oneof(fc.constantFrom(0, 1_000), fc.integer({ min: 0, max: 300_000 })),
    side: fc.boolean(),
    wanted: fc.option(level, { freq: 12, nil: undefined }),
    oldness: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
  });

  function live(
    boxes: TwoBoxes,
    moments: readonly { pause: number; side: boolean; wanted?: number; oldness: number }[],
  ): void {
    for (const { pause, side, wanted, oldness } of moments) {
      boxes.now += pause;
      const [one, other] = side ? [boxes.a, boxes.b] : [boxes.b, boxes.a];
      if (wanted !== undefined) one.timing = { ...one.timing, wanted: millis(75 * wanted) };
      boxes.decide(one, other, oldness);
      // Each looks at least this often, by pulse's reports.
      boxes.decide(other, one, oldness);
      expect(boxes.longestLease(boxes.a)).toBeLessThan(boxes.b.timing.dead);
      expect(boxes.longestLease(boxes.b)).toBeLessThan(boxes.a.timing.dead);
    }
  }

  it("whatever they want, in whatever order, however old what they know", () => {
    fc.assert(
      fc.property(fc.array(moment, { minLength: 20, maxLength: 150 }), (moments) => {
        live(
          new TwoBoxes(),
          moments.map(({ wanted, ...rest }) => ({ ...rest, ...(wanted === undefined ? {} : { wanted }) })),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("and left alone they come to the times that both want", () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 40 }), level, level, (moments, a, b) => {
        const boxes = new TwoBoxes();
        live(
          boxes,
          moments.map(({ wanted, ...rest }) => ({ ...rest, ...(wanted === undefined ? {} : { wanted }) })),
        );
        const last = [
          { pause: 0, side: true, wanted: a, oldness: 0.5 },
          { pause: 0, side: false, wanted: b, oldness: 0.5 },
        ];
        const calm = Array.from({ length: 80 }, () => ({ pause: 250_000, side: true, oldness: 0.5 }));
        live(boxes, [...last, ...calm]);
        const dead: Micros = millis(75 * Math.max(a, b));
        for (const { timing } of [boxes.a, boxes.b])
          expect([timing.dead, timing.lease]).toEqual([dead, (dead * 3) / 5]);
      }),
      { numRuns: 100 },
    );
  });

  it("also when one narrows and widens again before the other has heard of it", () => {
    const boxes = new TwoBoxes();
    const wide = { pause: 250_000, side: true, oldness: 0 };
    live(boxes, [{ ...wide, wanted: 2 }, ...Array.from({ length: 12 }, () => wide)]);
    expect([boxes.a.timing.lease, boxes.b.timing.lease]).toEqual([millis(90), millis(90)]);
    // a narrows; b hears of the shorter lease only when a wants the longer one again.
    live(boxes, [{ pause: 0, side: true, wanted: 1, oldness: 0 }]);
    boxes.a.timing = { ...boxes.a.timing, wanted: millis(150) };
    boxes.decide(boxes.a, boxes.b, 1);
    boxes.decide(boxes.b, boxes.a, 0.5);
    expect(boxes.a.timing.lease).toBeLessThan(boxes.b.timing.dead);
  });
});
