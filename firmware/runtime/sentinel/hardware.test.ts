import { describe, expect, test } from "vitest";
import { FakeBoard, FakeClock, FakeWatchdog } from "@futago/hal/fake/machine.ts";
import { after, millis, seconds } from "@futago/hal/units/time.ts";
import { SentinelHardware, type SignsOfLife } from "./hardware.ts";

const ALIVE: SignsOfLife = { pulseSilence: undefined, followingSince: undefined };

function hardware() {
  const board = new FakeBoard(["red:sys"], new FakeWatchdog());
  const clock = new FakeClock();
  const reports: unknown[] = [];
  const description = {
    name: "one light",
    watchdog: { device: "watchdog0", seconds: 15 },
    lights: { role: { kind: "led", name: "red:sys" } },
    links: [],
    button: undefined,
  } as const;
  // The first report comes while it is being made.
  const made: SentinelHardware[] = [];
  const one = new SentinelHardware(board, clock, description, () => reports.push(made[0]?.report));
  made.push(one);
  const [led] = board.lights;
  return { one, board, clock, reports, led: led!, watchdog: board.watchdog! };
}

describe("the sentinel's part of the machine", () => {
  test("shows the role, and what core wants to be seen before it", () => {
    const { one, led } = hardware();
    expect(led.state).toEqual({ kind: "blink", onMillis: 1_000, offMillis: 1_000 });
    one.setRole("active");
    expect(led.state).toEqual({ kind: "on" });
    one.override({ kind: "blink", onMillis: 250, offMillis: 250 });
    one.setRole("standby");
    expect(led.state).toEqual({ kind: "blink", onMillis: 250, offMillis: 250 });
    one.override(undefined);
    expect(led.state).toEqual({ kind: "blink", onMillis: 100, offMillis: 1_900 });
    one.end("stop");
    expect(led.state).toEqual({ kind: "off" });
  });

  test("is dark once it has ended, though core goes and a look comes after that", () => {
    const { one, led, watchdog } = hardware();
    one.setRole("active");
    one.end("stop");
    const { feedings } = watchdog;
    one.override(undefined);
    one.setRole("standby");
    one.look(ALIVE);
    expect(led.state).toEqual({ kind: "off" });
    expect([watchdog.feedings, watchdog.end]).toEqual([feedings, "disarmed"]);
  });

  test("writes the light again when it was not there for a while: core may have written on it", () => {
    const { one, led, clock } = hardware();
    one.setRole("active");
    one.look(ALIVE);
    led.set(false);
    clock.advance(seconds(1));
    one.look(ALIVE);
    expect(led.state).toEqual({ kind: "off" });
    clock.advance(seconds(4));
    one.look(ALIVE);
    expect(led.state).toEqual({ kind: "on" });
  });

  test.each<[string, (clock: FakeClock) => SignsOfLife, string]>([
    ["all is well", () => ALIVE, "armed"],
    ["pulse spoke just now", () => ({ ...ALIVE, pulseSilence: seconds(3) }), "armed"],
    ["pulse is silent", () => ({ ...ALIVE, pulseSilence: millis(3_001) }), "starving"],
    ["it follows orders", (clock) => ({ ...ALIVE, followingSince: clock.now() }), "armed"],
  ])("with %2$s: %s", (_, signs, state) => {
    const { one, watchdog, clock } = hardware();
    one.look(ALIVE);
    one.look(signs(clock));
    expect(one.report.watchdog?.state).toBe(state);
    expect(watchdog.feedings).toBe(state === "armed" ? 3 : 2);
  });

  test("starves the watchdog when orders are never done with", () => {
    const { one, clock, reports } = hardware();
    const followingSince = after(clock.now(), seconds(1));
    one.look(ALIVE);
    clock.advance(seconds(31));
    one.look({ ...ALIVE, followingSince });
    expect(one.report.watchdog?.state).toBe("armed");
    clock.advance(seconds(1));
    one.look({ ...ALIVE, followingSince });
    expect(reports.at(-1)).toMatchObject({
      watchdog: { state: "starving", reason: expect.stringContaining("orders") as string },
    });
  });
});
