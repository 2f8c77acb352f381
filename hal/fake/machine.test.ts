import { expect, test } from "vitest";
import { instant, millis } from "../units/time.ts";
import { FakeBoard, FakeClock, FakeScheduling, FakeSysctl, FakeWallClock, FakeWatchdog } from "./machine.ts";

test("the clock stands until it is moved", () => {
  const clock = new FakeClock(instant(5));
  expect([clock.now(), clock.now()]).toEqual([5, 5]);
  clock.advance(millis(2));
  expect(clock.now()).toBe(2_005);
});

test("the wall clock is set by so much, or says why not", () => {
  const clock = new FakeWallClock(5_000);
  clock.step(-2_000);
  expect([clock.now(), clock.isKept()]).toEqual([3_000, false]);
  clock.refusal = "EPERM";
  expect(() => clock.step(1)).toThrow(expect.objectContaining({ code: "EPERM" }));
  expect(clock.now()).toBe(3_000);
});

test("a switch that was not planted is ENOENT, as the kernel's", () => {
  const sysctl = new FakeSysctl({ "net.ipv4.ip_forward": "0" });
  sysctl.write("net.ipv4.ip_forward", "1");
  expect(sysctl.read("net.ipv4.ip_forward")).toBe("1");
  expect(() => sysctl.write("net.ipv4.no_such", "1")).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

test("real-time priorities are those of the kernel", () => {
  const scheduling = new FakeScheduling();
  expect(() => scheduling.setRealTime(0)).toThrow(expect.objectContaining({ code: "EINVAL" }));
  scheduling.setRealTime(50);
  expect(scheduling.priority).toBe(50);
});

test("a light remembers what was last asked of it", () => {
  const board = new FakeBoard(["role", "peer"]);
  const [role] = board.leds();
  role!.blink(100, 900);
  role!.followLink("eth0");
  expect(board.lights.map(({ state }) => state)).toEqual([{ kind: "followLink", ifname: "eth0" }, { kind: "off" }]);
});

test("a line has one user at a time, reads what the test set and writes only as an output", () => {
  const board = new FakeBoard();
  const button = board.gpioInput("gpiochip0", 5);
  board.levels.set("gpiochip0:5", true);
  expect(button.get()).toBe(true);
  expect(() => button.set(false)).toThrow(expect.objectContaining({ code: "EPERM" }));
  expect(() => board.gpioOutput("gpiochip0", 5, false)).toThrow(expect.objectContaining({ code: "EBUSY" }));
  expect(board.levels.get("gpiochip0:5")).toBe(true);
  button.close();
  expect(board.gpioOutput("gpiochip0", 5, false).get()).toBe(false);
});

test("feedings of the watchdog are counted", () => {
  const watchdog = new FakeWatchdog();
  const opened = new FakeBoard([], watchdog).openWatchdog();
  opened!.feed();
  opened!.close();
  expect(watchdog).toMatchObject({ feedings: 1, end: "disarmed" });
  expect(new FakeBoard().openWatchdog()).toBeUndefined();
});
