import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { millis } from "@futago/hal/units/time.ts";
import type { PulseReport } from "@futago/hal/units/pulse.ts";
import { snapshotOf } from "../../standby/pair/view.test-support.ts";
import { pairOrders, PairMachine, pass, SLOTS, SYNC_PATH, WAN_PATH } from "./pair-machine.suite.ts";
import { PairedSentinel } from "./paired.ts";

let machine: PairMachine;
let sentinel: PairedSentinel;

beforeEach(async () => {
  vi.useFakeTimers();
  machine = await new PairMachine().ready();
  const beatKeys = { key: new Uint8Array(32), other: undefined };
  const { launcher } = machine.pulse;
  const options = { launcher, beatKeys, onStale: () => undefined, cpuTimes: () => undefined };
  sentinel = new PairedSentinel(machine.context, options, pairOrders(), SLOTS);
  machine.onLinks = () => sentinel.linksChanged();
});

afterEach(async () => {
  const stopped = sentinel.stop();
  await pass(3_000);
  await stopped;
  vi.useRealTimers();
});

/** pulse heard so many beats on the two paths since it told last. */
function hear(sync: number, wan: number): void {
  const [path] = snapshotOf(machine.now(), []).paths;
  const of = (id: number, beats: number) => ({ ...path!, id, beats, longestPause: millis(15) });
  const paths = [of(SYNC_PATH, sync), of(WAN_PATH, wan)];
  machine.pulse.say(machine.heard("standby", "active", { paths }));
}

const recordOf = (event: string) => machine.events.findLast((one) => one.event === event)?.record;

test("a role change and a lapse come with what was recorded before them, and nothing else does", async () => {
  hear(0, 0);
  await pass(500);
  hear(66, 60);
  machine.network.setCable(machine.eth0, false);
  await pass(75);
  machine.pulse.say(machine.executed("takeOver", "silence"));
  expect(recordOf("role")).toEqual({
    whole: expect.objectContaining({ endedMicros: 75_000, lastedMicros: 500_000, down: ["eth0"] }),
    cells: [
      expect.objectContaining({
        endedMicros: 75_000,
        paths: [
          { interface: "sync", beats: 66, longestPauseMicros: 15_000 },
          { interface: "wan", beats: 60, longestPauseMicros: 15_000 },
        ],
        down: [],
      }),
    ],
  });
  const lapsed: PulseReport = { kind: "lapsed", group: 3, at: machine.now() };
  machine.pulse.say(lapsed);
  machine.pulse.say({ ...lapsed, kind: "yielded" });
  expect(recordOf("lease-lapsed")?.whole.paths).toHaveLength(2);
  expect(recordOf("yielded")).toBeUndefined();
});
