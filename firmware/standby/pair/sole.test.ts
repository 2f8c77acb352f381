import { describe, expect, it, test } from "vitest";
import type { PulseGroupState } from "@futago/hal/units/pulse.ts";
import { reviewSole, soleGroups } from "./sole.ts";
import { active, box, heard, later, NOW, standby } from "./standing.test-support.ts";
import type { PairState } from "./types.ts";
import { CONFIG, SILENT } from "./view.test-support.ts";

describe("a group is this box's alone", () => {
  const beside = (peer: PulseGroupState): PairState => ({ ...active, snapshot: heard("active", peer) });
  const offered = { offer: { since: NOW, why: "switchover", made: false } } as const;
  const rows: readonly [string, PairState, boolean][] = [
    ["while the peer is standby", active, true],
    ["while nobody else is there", { ...active, snapshot: heard("active", undefined) }, true],
    ["while the peer is silent, whatever it was", { ...active, snapshot: heard("active", "active", SILENT) }, true],
    ["not while it is the peer's", standby, false],
    ["not while both hold it", beside("active"), false],
    ["not while the peer offers it", beside("offering"), false],
    ["not while the peer lets go of it", beside("yielded"), false],
    ["not from the moment a hand-over is wished", box("active", { memory: offered, snapshot: active.snapshot }), false],
    ["not while it is offered", { ...active, snapshot: heard("offering", "standby") }, false],
    ["not while it is let go", { ...active, snapshot: heard("yielded", "ready") }, false],
    ["not before pulse says so", box("active"), false],
  ];
  test.each(rows)("%s", (_, state, alone) => {
    const since = reviewSole(new Map(), CONFIG, state, NOW);
    expect([...since]).toEqual(alone ? [["edge", NOW]] : []);
  });

  it("for others only after two seconds, counted anew after each doubt", () => {
    const first = reviewSole(new Map(), CONFIG, active, NOW);
    const second = reviewSole(first, CONFIG, active, later(1_999));
    expect([...soleGroups(second, later(1_999))]).toEqual([]);
    expect([...soleGroups(second, later(2_000))]).toEqual([["edge", later(2_000)]]);
    const doubt = reviewSole(second, CONFIG, beside("active"), later(2_000));
    const again = reviewSole(doubt, CONFIG, active, later(2_001));
    expect([...soleGroups(again, later(4_000))]).toEqual([]);
    expect([...soleGroups(again, later(4_100))]).toEqual([["edge", later(4_001)]]);
  });
});
