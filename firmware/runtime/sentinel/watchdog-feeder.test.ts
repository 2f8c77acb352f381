import { describe, expect, test } from "vitest";
import { FakeBoard, FakeClock, FakeWatchdog } from "@futago/hal/fake/machine.ts";
import { seconds } from "@futago/hal/units/time.ts";
import { WatchdogFeeder } from "./watchdog-feeder.ts";

const PLACE = { device: "watchdog0", seconds: 15 };

function feeder(board: FakeBoard) {
  const clock = new FakeClock();
  let changes = 0;
  const fed = new WatchdogFeeder(board, clock, PLACE, () => void (changes += 1));
  return { clock, fed, changes: () => changes };
}

function armed(watchdog = new FakeWatchdog()) {
  const one = feeder(new FakeBoard([], watchdog));
  one.fed.feed(undefined);
  return { ...one, watchdog };
}

describe("a watchdog", () => {
  test("is armed at the first feeding, for as long as the board says", () => {
    const { fed, watchdog, changes } = armed();
    expect(watchdog).toMatchObject({ feedings: 1, timeoutSeconds: 15 });
    expect(fed.shown).toEqual({
      device: "watchdog0",
      state: "armed",
      identity: "fake watchdog",
      neverStops: false,
      seconds: 15,
      reason: null,
    });
    fed.feed(undefined);
    expect([watchdog.feedings, changes()]).toEqual([2, 1]);
  });

  test("is not fed by a box that shows no life, and fed again by one that does", () => {
    const { fed, watchdog, changes } = armed();
    fed.feed("pulse has said nothing for 4 s");
    fed.feed("pulse has said nothing for 5 s");
    expect(watchdog.feedings).toBe(1);
    expect(fed.shown).toMatchObject({ state: "starving", reason: "pulse has said nothing for 5 s" });
    fed.feed(undefined);
    expect(fed.shown).toMatchObject({ state: "armed", reason: null });
    expect([watchdog.feedings, changes()]).toEqual([2, 4]);
  });

  test("that takes less than asked for is shown with what it takes", () => {
    const watchdog = new FakeWatchdog();
    watchdog.timeoutSecondsMax = 8;
    expect(armed(watchdog).fed.shown.seconds).toBe(8);
  });

  test("that somebody else holds is told, and asked for again after five seconds", () => {
    const board = new FakeBoard([], new FakeWatchdog());
    board.watchdogRefusal = "EBUSY";
    const { fed, clock } = feeder(board);
    fed.feed(undefined);
    expect(fed.shown).toMatchObject({
      state: "refused",
      reason: expect.stringContaining("cannot open watchdog0") as string,
    });
    board.watchdogRefusal = undefined;
    clock.advance(seconds(4.9));
    fed.feed(undefined);
    expect(fed.shown.state).toBe("refused");
    clock.advance(seconds(0.1));
    fed.feed(undefined);
    expect(fed.shown.state).toBe("armed");
  });

  test("whose driver comes later is armed then", () => {
    const board = new FakeBoard();
    const { fed, clock, changes } = feeder(board);
    fed.feed(undefined);
    expect([fed.shown.state, changes()]).toEqual(["none", 0]);
    board.watchdog = new FakeWatchdog();
    clock.advance(seconds(5));
    fed.feed(undefined);
    expect([fed.shown.state, changes()]).toEqual(["armed", 1]);
  });
});

describe("at the end of the box the watchdog", () => {
  test.each([
    ["a stop", "stop", false, 300, "disarmed", 15],
    ["a power-off", "poweroff", false, 300, "disarmed", 15],
    ["a reboot", "reboot", false, 300, "armed", 120],
    ["a restart", "restart", false, 300, "armed", 120],
    ["an end that nobody ordered", undefined, false, 300, "armed", 15],
    // It would reset the machine while it shuts down.
    ["a reboot, where it cannot wait so long,", "reboot", false, 15, "disarmed", 15],
    ["a stop, where it never stops,", "stop", true, 300, "armed", 120],
  ] as const)("by %s", (_, how, neverStops, max, end, timeout) => {
    const watchdog = new FakeWatchdog();
    watchdog.neverStops = neverStops;
    watchdog.timeoutSecondsMax = max;
    const { fed } = armed(watchdog);
    fed.end(how);
    expect(watchdog).toMatchObject({ end, timeoutSeconds: timeout });
  });

  test("is fed a last time only when it goes on by order", () => {
    for (const [how, meals] of [
      ["restart", 2],
      [undefined, 1],
    ] as const) {
      const { fed, watchdog } = armed();
      fed.end(how);
      expect(watchdog.feedings).toBe(meals);
    }
  });
});
