import { expect, test } from "vitest";
import type { PulseLauncher } from "@futago/hal/contract/pulse.ts";
import { FakeClock } from "@futago/hal/fake/machine.ts";
import { seconds } from "@futago/hal/units/time.ts";
import { PulseWatch } from "./pulse-watch.ts";

type Start = Parameters<PulseLauncher["start"]>[0];

test("pulse is missed once it was heard, until it is told to quit", () => {
  const clock = new FakeClock();
  const watch = new PulseWatch(clock);
  let started: Start | undefined;
  const heard: unknown[] = [];
  const sent: unknown[] = [];
  const link = watch
    .listenTo({
      start: (options) => {
        started = options;
        return { send: (command) => sent.push(command), close: () => undefined };
      },
    })
    .start({ gatePin: "/pin", priority: 1, onReport: (report) => heard.push(report), onExit: () => undefined });
  clock.advance(seconds(60));
  // It never ran: a reset would find the same.
  expect(watch.silence(clock.now())).toBeUndefined();
  started?.onReport({ kind: "hello", version: 1 });
  clock.advance(seconds(2));
  expect(watch.silence(clock.now())).toBe(2_000_000);
  link.send({ kind: "pet" });
  expect(watch.silence(clock.now())).toBe(2_000_000);
  link.send({ kind: "quit" });
  expect(watch.silence(clock.now())).toBeUndefined();
  expect([heard.length, sent.length]).toEqual([1, 2]);
});
