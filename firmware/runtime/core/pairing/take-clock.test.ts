import { FakeWallClock } from "@futago/hal/fake/machine.ts";
import { describe, expect, it } from "vitest";
import type { Log } from "../log.ts";
import { takeClock } from "./take-clock.ts";

/** What was said, by level and event. */
function quiet(): Log & { readonly said: readonly unknown[] } {
  const said: unknown[] = [];
  const at = (level: string) => (event: string, fields: unknown) => void said.push([level, event, fields]);
  return { said, info: at("info"), warn: at("warn"), error: at("error"), lines: () => [] };
}

const HOURS_BEHIND = { aheadMillis: 3 * 3_600_000, withinMillis: 2 };

describe("a box that joins and is three hours behind", () => {
  it("sets its clock", () => {
    const [clock, log] = [new FakeWallClock(1_000), quiet()];
    expect(takeClock(clock, HOURS_BEHIND, log)).toBe("set");
    expect(clock.millis).toBe(10_801_000);
    expect(log.said).toEqual([["info", "clock-set", HOURS_BEHIND]]);
  });

  it("leaves it alone when somebody keeps it", () => {
    const clock = new FakeWallClock(1_000);
    clock.kept = true;
    expect(takeClock(clock, HOURS_BEHIND, quiet())).toBe("kept");
    expect(clock.millis).toBe(1_000);
  });

  it("says so when the kernel does not let it", () => {
    const [clock, log] = [new FakeWallClock(1_000), quiet()];
    clock.refusal = "EPERM";
    expect(takeClock(clock, HOURS_BEHIND, log)).toBe("refused");
    expect(log.said).toMatchObject([["warn", "clock-not-set", HOURS_BEHIND]]);
    expect(clock.millis).toBe(1_000);
  });
});

it("a clock that may be right is left alone, whoever keeps it", () => {
  const clock = new FakeWallClock(1_000);
  clock.refusal = "EPERM";
  expect(takeClock(clock, { aheadMillis: -2_000, withinMillis: 1 }, quiet())).toBe("level");
});
