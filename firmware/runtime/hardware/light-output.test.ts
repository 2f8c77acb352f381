import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeBoard, type FakeLed } from "@futago/hal/fake/machine.ts";
import { blink, OFF, ON } from "../../panel/light.ts";
import { LightOutput } from "./light-output.ts";

const LED = { kind: "led", name: "input*::numlock" } as const;
const LINE = { kind: "gpio", chip: "9030000.pl061", line: 0, activeLow: false } as const;

let now = 0;
const output = (board: FakeBoard, place: ConstructorParameters<typeof LightOutput>[1]) =>
  new LightOutput(board, place, () => now);
beforeEach(() => {
  now = 0;
});

describe("a light that is an LED", () => {
  test("is the first whose name fits", () => {
    const board = new FakeBoard(["input1::capslock", "input1::numlock", "input3::numlock"]);
    output(board, LED).show(ON);
    expect(board.lights.map(({ state }) => state.kind)).toEqual(["off", "on", "off"]);
  });

  test("is written once, and again when somebody else may have written", () => {
    const board = new FakeBoard(["input1::numlock"]);
    const led = board.lights[0] as FakeLed;
    const light = output(board, LED);
    light.show(ON);
    led.set(false);
    light.show(ON);
    expect(led.state.kind).toBe("off");
    light.doubt();
    light.show(ON);
    expect(led.state.kind).toBe("on");
    light.close();
    expect(led.state.kind).toBe("off");
  });

  test("that is not there is looked for every ten seconds", () => {
    const board = new FakeBoard(["other"]);
    const looked = vi.spyOn(board, "leds");
    const light = output(board, LED);
    for (now = 0; now < 20_000; now += 1_000) light.show(ON);
    expect(looked).toHaveBeenCalledTimes(2);
    expect(light.trouble).toContain("there is no LED input*::numlock");
  });
});

describe("a light that is a line", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    [false, [false, true]],
    [true, [true, false]],
  ])("with active low %s", (activeLow, [dark, lit]) => {
    const board = new FakeBoard();
    const light = output(board, { ...LINE, activeLow });
    const level = () => board.levels.get("9030000.pl061:0");
    light.show(OFF);
    expect(level()).toBe(dark);
    light.show(blink(100, 900));
    expect(level()).toBe(lit);
    vi.advanceTimersByTime(100);
    expect(level()).toBe(dark);
    vi.advanceTimersByTime(900);
    expect(level()).toBe(lit);
    light.show(ON);
    vi.advanceTimersByTime(5_000);
    expect(level()).toBe(lit);
    expect(vi.getTimerCount()).toBe(0);
    light.close();
    expect(level()).toBe(dark);
  });

  test("that somebody else holds is a trouble, and none once it is free", () => {
    const board = new FakeBoard();
    const other = board.gpioOutput(LINE.chip, LINE.line, false);
    const light = output(board, LINE);
    light.show(ON);
    expect(light.trouble).toContain("is taken");
    other.close();
    now = 10_000;
    light.show(ON);
    expect([light.trouble, board.levels.get("9030000.pl061:0")]).toEqual([undefined, true]);
  });
});
