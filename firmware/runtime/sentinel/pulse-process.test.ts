import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { instant } from "@futago/hal/units/time.ts";
import { FakePulse, pass } from "./pair-machine.suite.ts";
import { PulseProcess } from "./pulse-process.ts";

let pulse: FakePulse;
let process: PulseProcess;
let told: string[];

beforeEach(() => {
  vi.useFakeTimers();
  pulse = new FakePulse();
  told = [];
  process = new PulseProcess(pulse.launcher, "/bpf/futago_groups", {
    onStart: () => told.push("start"),
    onReport: (report) => told.push(report.kind),
    onEnd: (reason) => told.push(`end: ${reason}`),
  });
  process.start();
});

afterEach(async () => {
  pulse.obedient = true;
  await process.quit();
  vi.useRealTimers();
});

test("pulse is petted every 50 ms, well within the 250 after which it would let go", async () => {
  await pass(1_000);
  expect(pulse.take("pet")).toHaveLength(20);
});

test("pulse is told and heard", () => {
  process.send({ kind: "forget", group: 3 });
  expect(pulse.take("forget")).toEqual([{ kind: "forget", group: 3 }]);
  pulse.say({ kind: "silence", at: instant(1) });
  expect(told).toEqual(["start", "silence"]);
});

test("a pulse that ran well and ended is started again at once", async () => {
  await pass(10_001);
  pulse.die("signal SIGKILL");
  expect(told).toEqual(["start", "end: signal SIGKILL"]);
  await pass(1);
  expect(told).toEqual(["start", "end: signal SIGKILL", "start"]);
  expect(process.ends).toBe(1);
});

test("a pulse that ends again and again is started more and more seldom, at least once a second", async () => {
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    pulse.die("exit status 1");
    let waited = 0;
    for (; pulse.starts === i + 1; waited += 10) await pass(10);
    waits.push(waited);
  }
  expect(waits).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000, 1_000, 1_000]);
});

test("nothing that an earlier pulse said is heard after its end", async () => {
  const late = pulse.say.bind(pulse, { kind: "lapsed", group: 3, at: instant(1) });
  pulse.die("signal SIGSEGV");
  late();
  await pass(200);
  expect(told).toEqual(["start", "end: signal SIGSEGV", "start"]);
});

test("a pulse that is told to end is awaited, and not started again", async () => {
  await process.quit();
  expect(pulse.take("quit")).toHaveLength(1);
  await pass(5_000);
  expect([pulse.starts, process.ends, told]).toEqual([1, 0, ["start"]]);
  expect(pulse.take("pet")).toEqual([]);
});

test("a pulse that does not end is given up after a second", async () => {
  pulse.obedient = false;
  const over = vi.fn<() => void>();
  process.quit().then(over, over);
  await pass(999);
  expect(over).not.toHaveBeenCalled();
  await pass(1);
  expect(over).toHaveBeenCalledOnce();
});

test("a pulse that has just ended is not started once the end was ordered", async () => {
  pulse.die("exit status 1");
  await process.quit();
  await pass(5_000);
  expect(pulse.starts).toBe(1);
});
