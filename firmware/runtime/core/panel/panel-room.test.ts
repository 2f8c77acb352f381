import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BoardDescription } from "@futago/hal/contract/board.ts";
import { FakeBoard } from "@futago/hal/fake/machine.ts";
import type { Ifname } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import type { Light } from "../../../panel/light.ts";
import type { PanelFacts } from "../../../panel/panel.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { HardwareReport } from "../../messages.ts";
import type { Log } from "../log.ts";
import { PanelRoom } from "./panel-room.ts";

const KEY = 408;
const BOARD: BoardDescription = {
  name: "bench",
  watchdog: undefined,
  lights: {
    role: { kind: "led", name: "red:sys" },
    peer: { kind: "led", name: "green:1" },
    alarm: { kind: "led", name: "green:2" },
  },
  links: [{ led: "green:wan", port: { bus: "0000:01:00.0" } }],
  button: { kind: "key", inputs: ["keys"], code: KEY },
};
const FACTS: PanelFacts = { role: "active", peer: "alive", alarms: 0, claimed: true, mayActivate: false };
const ARMED: HardwareReport = {
  watchdog: { device: "watchdog0", state: "armed", identity: "dog", seconds: 15, neverStops: false, reason: null },
  roleLight: null,
};

let room: PanelRoom | undefined;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  room?.close();
  vi.useRealTimers();
});

function panel(description: BoardDescription | undefined = BOARD, problem?: string) {
  const board = new FakeBoard(["red:sys", "green:1", "green:2", "green:wan"]);
  board.keys.add(KEY);
  let facts = FACTS;
  const sent: (Light | null)[] = [];
  const done: string[] = [];
  const logged: string[] = [];
  const alarms = new Map<string, string>();
  const note = (event: string) => void logged.push(event);
  const sentinel = { connected: true };
  const one = new PanelRoom({
    board,
    clock: { now: () => instant(performance.now() * 1_000) },
    chosen: description && { description, problem },
    log: { info: note, warn: note } as unknown as Log,
    facts: () => facts,
    sendLight: (light) => {
      if (sentinel.connected) sent.push(light);
      return sentinel.connected;
    },
    setAlarm: (kind, _, sentence) => {
      if (sentence === undefined) alarms.delete(kind);
      else alarms.set(kind, sentence);
    },
    onChange: () => undefined,
  });
  one.setHands({
    activateSpare: () => Promise.resolve({ message: `activated ${done.push("activate")}` }),
    factoryReset: () => {
      done.push("reset");
      return Promise.reject(new RefusalError({ exitCode: ExitCode.failed, what: "the disk says no" }));
    },
  });
  // The first second is over.
  vi.advanceTimersByTime(1_000);
  room = one;
  const light = (name: string) => board.lights.find((led) => led.name === name)!.state;
  return {
    one,
    board,
    sentinel,
    sent,
    done,
    logged,
    alarms,
    light,
    know: (other: Partial<PanelFacts>) => {
      facts = { ...facts, ...other };
      one.look();
    },
    press: async (millis: number) => {
      board.input(`keys:${KEY}`, true);
      await vi.advanceTimersByTimeAsync(millis);
      board.input(`keys:${KEY}`, false);
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

describe("the lights", () => {
  test("of peer and alarm are core's, and the port's is the kernel's once the port is there", () => {
    const { light, know, board } = panel();
    expect([light("green:1"), light("green:2"), light("green:wan")]).toEqual([
      { kind: "on" },
      { kind: "off" },
      { kind: "off" },
    ]);
    know({ peer: "lost", alarms: 1 });
    expect([light("green:1").kind, light("green:2").kind]).toEqual(["blink", "on"]);
    board.ports.set("0000:01:00.0", "port1" as Ifname);
    vi.advanceTimersByTime(1_000);
    expect(light("green:wan")).toEqual({ kind: "followLink", ifname: "port1" });
  });

  test("of the role is the sentinel's; core writes on it only while the sentinel says nothing", () => {
    const { light, know, sent } = panel();
    expect([sent, light("red:sys").kind]).toEqual([[], "off"]);
    know({ role: undefined });
    expect(light("red:sys")).toEqual({ kind: "blink", onMillis: 125, offMillis: 125 });
    know({ role: "active" });
    expect(sent).toEqual([{ kind: "blink", onMillis: 125, offMillis: 125 }, null]);
  });

  test("of a box that nobody owns blink slowly, which a sentinel that is new is told again", () => {
    const { know, sent, one } = panel();
    know({ claimed: false });
    one.setHardware(ARMED);
    expect(sent).toEqual([
      { kind: "blink", onMillis: 1_000, offMillis: 1_000 },
      { kind: "blink", onMillis: 1_000, offMillis: 1_000 },
    ]);
  });

  test("that are wanted while there is no sentinel are told to it when it comes", () => {
    const { sent, one, sentinel } = panel();
    sentinel.connected = false;
    one.locate(true);
    expect(sent).toEqual([]);
    sentinel.connected = true;
    vi.advanceTimersByTime(1_000);
    expect(sent).toEqual([{ kind: "blink", onMillis: 250, offMillis: 250 }]);
  });
});

describe("locating", () => {
  test("is shown, and ends", () => {
    const { one, light } = panel();
    expect(one.locate(true)).toContain("blink until");
    expect(one.shown).toMatchObject({ locating: true, lights: { role: "blink", peer: "blink", alarm: "blink" } });
    expect(light("green:1")).toEqual({ kind: "blink", onMillis: 250, offMillis: 250 });
    one.locate(false);
    expect(one.shown).toMatchObject({ locating: false, lights: { role: "on", peer: "on", alarm: "off" } });
  });

  test("is refused by a machine without lights, and by one that is not the box's own", () => {
    expect(() => panel({ ...BOARD, lights: {} }).one.locate(true)).toThrow(RefusalError);
    const bare = new PanelRoom({
      board: new FakeBoard(),
      clock: { now: () => instant(0) },
      chosen: undefined,
      log: { info: () => undefined, warn: () => undefined } as unknown as Log,
      facts: () => FACTS,
      sendLight: () => true,
      setAlarm: () => undefined,
      onChange: () => undefined,
    });
    expect(() => bare.locate(true)).toThrow(RefusalError);
    expect(bare.shown).toBeNull();
    bare.close();
  });
});

describe("the button", () => {
  test("tells the status at a short press", async () => {
    const { press, logged, one } = panel();
    await press(200);
    expect(logged).toContain("button-status");
    expect(one.shown?.lights).toEqual({ role: "off", peer: "off", alarm: "off" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(one.shown?.lights).toEqual({ role: "on", peer: "on", alarm: "on" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(one.shown?.lights).toEqual({ role: "on", peer: "on", alarm: "off" });
  });

  test("activates a spare, once", async () => {
    const { press, done, know, logged } = panel();
    know({ role: "spare", mayActivate: true });
    await press(6_000);
    expect(done).toEqual(["activate"]);
    expect(logged.slice(-2)).toEqual(["button-activates-spare", "button-activates-spare-done"]);
  });

  test("resets, and says when that is refused", async () => {
    const { press, done, logged } = panel();
    await press(12_000);
    expect(done).toEqual([]);
    await press(16_000);
    expect(done).toEqual(["reset"]);
    expect(logged.slice(-2)).toEqual(["button-factory-reset", "button-factory-reset-refused"]);
  });

  test("that is held for a minute is an alarm until it is let go", async () => {
    const { press, done, alarms, one, board } = panel();
    board.input(`keys:${KEY}`, true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([one.shown?.button, alarms.get("button-stuck")]).toEqual(["stuck", expect.stringContaining("let go")]);
    await press(0);
    expect([one.shown?.button, alarms.size, done]).toEqual(["ready", 0, []]);
  });

  test("that is unplugged is looked for again", async () => {
    const { board, one } = panel();
    board.keys.clear();
    board.input(`keys:${KEY}`, undefined);
    expect(one.shown?.button).toBe("missing");
    board.keys.add(KEY);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(one.shown?.button).toBe("ready");
  });
});

describe("alarms", () => {
  test("tell of a watchdog that cannot be used or is not fed, and of one that is missing nothing", () => {
    const { one, alarms } = panel();
    const say = (state: "armed" | "none" | "refused" | "starving") => {
      one.setHardware({ ...ARMED, watchdog: { ...ARMED.watchdog!, state, reason: "because" } });
      return alarms.get("watchdog");
    };
    expect(say("refused")).toBe("No watchdog would reset this machine if it hung: because.");
    expect(say("starving")).toBe("The watchdog is not fed and resets this machine: because.");
    expect([say("none"), say("armed")]).toEqual([undefined, undefined]);
  });

  test("tell of a description that is not used and of lights that are not there", () => {
    const { alarms } = panel(
      { ...BOARD, lights: { peer: { kind: "led", name: "blue" } } },
      "board.json: lights is wrong",
    );
    expect(alarms.get("board")).toContain("board.json: lights is wrong");
    expect(alarms.get("lights")).toContain("there is no LED blue");
  });
});
