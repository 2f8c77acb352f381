/** The front of a box by tables: what is seen, what a press does. Times are in milliseconds after the press. */
import { describe, expect, test } from "vitest";
import { instant } from "@futago/hal/units/time.ts";
import { roleLight } from "./light.ts";
import {
  initialPanel,
  nextTimeout,
  type PanelAction,
  type PanelFacts,
  type PanelInput,
  type PanelState,
  step,
} from "./panel.ts";

const FACTS: PanelFacts = { role: "active", peer: "alive", alarms: 0, claimed: true, mayActivate: false };
const OFF = { kind: "off" };
const ON = { kind: "on" };
const FAST = { kind: "blink", onMillis: 125, offMillis: 125 };
const SLOW = { kind: "blink", onMillis: 1_000, offMillis: 1_000 };
const LOCATING = { kind: "blink", onMillis: 250, offMillis: 250 };
const DAY_MILLIS = 86_400_000;

const at = (millis: number) => instant(DAY_MILLIS * 1_000 + millis * 1_000);

class Panel {
  state: PanelState;
  readonly done: PanelAction["kind"][] = [];

  constructor(facts: Partial<PanelFacts> = {}, hasLocateLight = false) {
    this.state = initialPanel(hasLocateLight);
    this.input({ kind: "buttonFound", pressed: false }, -1_000);
    this.input({ kind: "facts", facts: { ...FACTS, ...facts } }, -1_000);
    this.done.length = 0;
  }

  input(input: PanelInput, millis: number): readonly PanelAction[] {
    const { state, actions } = step(this.state, input, at(millis));
    this.state = state;
    this.done.push(...actions.map(({ kind }) => kind).filter((kind) => kind !== "lights"));
    return actions;
  }

  /** Lets the time pass as a shell with one timer does. */
  until(millis: number): void {
    for (;;) {
      const last = this.#now;
      const next = nextTimeout(this.state, at(last));
      if (next === undefined || next > at(millis)) break;
      this.#now = (next - at(0)) / 1_000;
      expect(this.#now).toBeGreaterThan(last);
      this.input({ kind: "time" }, this.#now);
    }
    this.#now = millis;
  }

  press(heldMillis: number): readonly PanelAction["kind"][] {
    this.input({ kind: "button", pressed: true }, 0);
    this.until(heldMillis);
    this.input({ kind: "button", pressed: false }, heldMillis);
    return this.done;
  }

  get lights(): PanelState["lights"] {
    return this.state.lights;
  }

  #now = 0;
}

describe("the role light", () => {
  test.each([
    ["active", ON],
    ["alone", { kind: "blink", onMillis: 1_900, offMillis: 100 }],
    ["standby", { kind: "blink", onMillis: 100, offMillis: 1_900 }],
    ["spare", { kind: "blink", onMillis: 100, offMillis: 4_900 }],
    ["maintenance", { kind: "blink", onMillis: 500, offMillis: 500 }],
    ["fault", FAST],
    ["initialize", SLOW],
    [undefined, SLOW],
  ])("of %s", (role, light) => expect(roleLight(role)).toEqual(light));
});

describe("the lights", () => {
  test.each<[string, Partial<PanelFacts>, object]>([
    ["all is well", {}, { role: undefined, peer: ON, alarm: OFF, locate: OFF }],
    ["a box alone", { role: "alone", peer: "none" }, { role: undefined, peer: OFF, alarm: OFF }],
    ["the peer is lost", { peer: "lost", alarms: 1 }, { role: undefined, peer: FAST, alarm: ON }],
    ["several alarms", { alarms: 3 }, { alarm: ON }],
    ["nobody has claimed it", { role: "alone", peer: "none", claimed: false }, { role: SLOW, peer: OFF, alarm: OFF }],
    ["the sentinel is away", { role: undefined, peer: "none", alarms: 1 }, { role: FAST, peer: OFF, alarm: ON }],
  ])("when %s", (_, facts, lights) => expect(new Panel(facts).lights).toMatchObject(lights));

  test("are told once, when they are others", () => {
    const panel = new Panel();
    expect(panel.input({ kind: "facts", facts: { ...FACTS, mayActivate: true } }, 0)).toEqual([]);
    expect(panel.input({ kind: "facts", facts: { ...FACTS, alarms: 1 } }, 0)).toEqual([
      { kind: "lights", lights: { role: undefined, peer: ON, alarm: ON, locate: OFF } },
    ]);
    expect(panel.input({ kind: "facts", facts: { ...FACTS, alarms: 2 } }, 0)).toEqual([]);
  });
});

describe("locating", () => {
  test("lets all lights blink together until it is ended", () => {
    const panel = new Panel({ alarms: 1 });
    panel.input({ kind: "locate", on: true }, 0);
    expect(panel.lights).toEqual({ role: LOCATING, peer: LOCATING, alarm: LOCATING, locate: LOCATING });
    panel.input({ kind: "locate", on: false }, 1);
    expect(panel.lights).toEqual({ role: undefined, peer: ON, alarm: ON, locate: OFF });
  });

  test("has a light of its own where the board has one", () => {
    const panel = new Panel({}, true);
    panel.input({ kind: "locate", on: true }, 0);
    expect(panel.lights).toEqual({ role: undefined, peer: ON, alarm: OFF, locate: LOCATING });
  });

  test("ends by itself after an hour", () => {
    const panel = new Panel();
    panel.input({ kind: "locate", on: true }, 0);
    panel.until(3_599_999);
    expect(panel.lights.locate).toEqual(LOCATING);
    panel.until(3_600_000);
    expect(panel.lights.locate).toEqual(OFF);
    expect(nextTimeout(panel.state, at(3_600_000))).toBeUndefined();
  });
});

describe("a press of", () => {
  test.each<[number, string, Partial<PanelFacts>, PanelAction["kind"][]]>([
    [50, "shows the status", {}, ["showStatus"]],
    [1_999, "shows the status", {}, ["showStatus"]],
    [2_000, "does nothing", {}, []],
    [4_999, "does nothing", { mayActivate: true }, []],
    [5_000, "activates a spare", { mayActivate: true }, ["activateSpare"]],
    [9_999, "activates a spare", { mayActivate: true }, ["activateSpare"]],
    [5_000, "activates nothing else", {}, ["nothing"]],
    [10_000, "is called off in the warning", { mayActivate: true }, ["nothing"]],
    [14_999, "is called off in the warning", {}, ["nothing"]],
    [15_000, "resets", {}, ["factoryReset"]],
    [59_999, "resets", {}, ["factoryReset"]],
    [60_000, "is no press", {}, ["stuck", "freed"]],
    [DAY_MILLIS, "is no press", {}, ["stuck", "freed"]],
  ])("%d ms %s", (millis, _, facts, done) => expect(new Panel(facts).press(millis)).toEqual(done));

  test("a minute that no timer saw is no press either", () => {
    const panel = new Panel();
    panel.input({ kind: "button", pressed: true }, 0);
    panel.input({ kind: "button", pressed: false }, 60_001);
    expect(panel.done).toEqual([]);
    expect(panel.state.button.kind).toBe("released");
  });
});

describe("while it is held the lights say what letting go would do", () => {
  const lightsAt = (facts: Partial<PanelFacts>, millis: number) => {
    const panel = new Panel(facts);
    panel.input({ kind: "button", pressed: true }, 0);
    panel.until(millis);
    return panel.lights.alarm;
  };
  test.each([
    [4_999, OFF, OFF],
    [5_000, ON, OFF],
    [9_999, ON, OFF],
    [10_000, FAST, FAST],
    [14_999, FAST, FAST],
    [15_000, ON, ON],
    [60_000, OFF, OFF],
  ])("after %d ms", (millis, onSpare, onAnother) => {
    expect(lightsAt({ mayActivate: true }, millis)).toEqual(onSpare);
    expect(lightsAt({}, millis)).toEqual(onAnother);
  });
});

describe("a button that is pressed when the box starts", () => {
  test("means nothing until it is let go", () => {
    const panel = new Panel();
    panel.input({ kind: "buttonFound", pressed: true }, 0);
    panel.input({ kind: "button", pressed: true }, 1);
    panel.until(20_000);
    panel.input({ kind: "button", pressed: false }, 20_000);
    expect(panel.done).toEqual(["stuck", "freed"]);
  });

  test("and is pressed again is a button", () => {
    const panel = new Panel();
    panel.input({ kind: "buttonFound", pressed: true }, -500);
    panel.input({ kind: "button", pressed: false }, -400);
    expect(panel.press(100)).toEqual(["stuck", "freed", "showStatus"]);
  });
});

test("a button that is unplugged while it is held has done nothing", () => {
  const panel = new Panel();
  panel.input({ kind: "button", pressed: true }, 0);
  panel.until(16_000);
  panel.input({ kind: "buttonGone" }, 16_000);
  expect(panel.done).toEqual([]);
  expect(panel.lights.alarm).toEqual(OFF);
});

describe("the code of the status", () => {
  /** Lit and dark, in milliseconds, from the moment of letting go until the lights are as always. */
  function code(facts: Partial<PanelFacts>): readonly string[] {
    const panel = new Panel(facts);
    const lengths: string[] = [];
    const listen = (millis: number, actions: readonly PanelAction[]) => {
      for (const action of actions)
        if (action.kind === "lights")
          lengths.push(`${millis} ${action.lights.alarm.kind} ${action.lights.role?.kind ?? "own"}`);
    };
    panel.input({ kind: "button", pressed: true }, 0);
    listen(100, panel.input({ kind: "button", pressed: false }, 100));
    let now = 100;
    for (let next = nextTimeout(panel.state, at(now)); next !== undefined; next = nextTimeout(panel.state, at(now))) {
      now = (next - at(0)) / 1_000;
      listen(now, panel.input({ kind: "time" }, now));
    }
    return lengths;
  }

  test("an active box without alarms blinks once, long", () => {
    expect(code({})).toEqual(["100 off off", "1100 on on", "1700 off off", "2700 off own"]);
  });

  test("a standby with two alarms blinks twice long and twice short", () => {
    expect(code({ role: "standby", alarms: 2 })).toEqual([
      "100 off off",
      "1100 on on",
      "1700 off off",
      "2100 on on",
      "2700 off off",
      "3700 on on",
      "3850 off off",
      "4200 on on",
      "4350 off off",
      "5350 on own",
    ]);
  });

  test.each([
    [{ role: "spare" }, 3],
    [{ role: "maintenance" }, 4],
    [{ role: "fault" }, 5],
    [{ role: "alone" }, 6],
    [{ role: undefined }, 7],
    [{ role: "alone", claimed: false }, 7],
    [{ role: "active", alarms: 40 }, 1 + 9],
  ])("%j blinks %d times", (facts, count) => {
    expect(code(facts).filter((line) => line.endsWith("on on")).length).toBe(count);
  });
});
