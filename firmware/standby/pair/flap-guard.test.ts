import { describe, expect, it } from "vitest";
import { type Instant, instant } from "@futago/hal/units/time.ts";
import { countChange, heldDown } from "./flap-guard.ts";
import type { GroupMemory } from "./types.ts";
import { memoryOf } from "./view.test-support.ts";

function at(second: number): Instant {
  return instant(second * 1_000_000);
}

function changedAt(memory: GroupMemory, ...seconds: number[]): GroupMemory {
  return seconds.reduce((before, second) => countChange(before, at(second)), memory);
}

const fresh = memoryOf("active", at(0));

describe("the flap guard", () => {
  it("lets two moves within a minute pass", () => {
    const memory = changedAt(fresh, 100, 159);
    expect(heldDown(memory, at(159))).toBe(false);
    expect(memory.changes).toEqual([at(100), at(159)]);
  });

  it("holds down for a minute from the third move within a minute", () => {
    const memory = changedAt(fresh, 100, 130, 159.9);
    expect(memory.heldDownUntil).toBe(at(219.9));
    expect(heldDown(memory, at(219.8))).toBe(true);
    expect(heldDown(memory, at(219.9))).toBe(false);
  });

  it("forgets a move after a minute", () => {
    const memory = changedAt(fresh, 100, 130, 160);
    expect(heldDown(memory, at(160))).toBe(false);
    expect(memory.changes).toEqual([at(130), at(160)]);
  });

  it("doubles each hold-down that follows, up to ten minutes", () => {
    let memory = fresh;
    const ends: number[] = [];
    for (const start of [1_000, 1_100, 1_300, 1_600, 2_200, 2_900]) {
      memory = changedAt(memory, start, start + 1, start + 2);
      ends.push((memory.heldDownUntil - at(start + 2)) / 1_000_000);
    }
    expect(ends).toEqual([60, 120, 240, 480, 600, 600]);
  });

  it("begins again with a minute after half an hour in peace", () => {
    const twice = changedAt(fresh, 1_000, 1_001, 1_002, 1_100, 1_101, 1_102);
    expect(twice.heldDownUntil).toBe(at(1_222));
    const soon = changedAt(twice, 3_020, 3_021, 3_022);
    expect(soon.heldDownUntil).toBe(at(3_022 + 240));
    const later = changedAt(twice, 3_021, 3_022, 3_023);
    expect(later.heldDownUntil).toBe(at(3_023 + 60));
  });
});
