import { instant, millis } from "@futago/hal/units/time.ts";
import { describe, expect, it } from "vitest";
import { snapshotOf } from "../../standby/pair/view.test-support.ts";
import { type CpuTimes, parseCpuTimes } from "./cpu-times.ts";
import { CELLS_FROZEN_MAX, Recorder } from "./recorder.ts";

const SYNC = 7;
const WATCHED = { paths: new Map([[SYNC, "sync"]]), devices: ["eth0", "eth1"] };
const UP = new Map([
  ["eth0", { carrier: true }],
  ["eth1", { carrier: true }],
]);
/** Milliseconds. */
const at = (moment: number) => instant(moment * 1_000);
const late = (...counts: readonly number[]) => Array.from({ length: 24 }, (_, i) => counts[i] ?? 0);

function recording(cpuTimes: () => CpuTimes | undefined = () => undefined) {
  const recorder = new Recorder(cpuTimes);
  recorder.watch(WATCHED);
  recorder.linksChanged(UP);
  const note = (moment: number, beats: number, pause: number, lateness = late(), id = SYNC) => {
    const [path] = snapshotOf(at(moment), []).paths;
    const paths = [{ ...path!, id, beats, longestPause: millis(pause) }];
    recorder.note(snapshotOf(at(moment), [], { paths, lateness }));
  };
  return { recorder, note };
}

const sync = (beats: number, pause: number) => [{ interface: "sync", beats, longestPauseMicros: pause * 1_000 }];

describe("the recorder", () => {
  it("knows nothing before the first snapshot", () => {
    expect(recording().recorder.freeze(at(1_000))).toBeUndefined();
  });

  it("tells from one snapshot to the next what was heard, and how long before the event that ended", () => {
    const { recorder, note } = recording();
    // It counts from a moment that nobody knows.
    note(1_000, 60, 99, late(0, 0, 0, 1));
    note(2_000, 133, 15, late(0, 0, 0, 1));
    note(2_400, 53, 31, late(0, 0, 0, 1));
    expect(recorder.freeze(at(2_456))).toEqual({
      whole: {
        endedMicros: 56_000,
        lastedMicros: 1_400_000,
        paths: sync(186, 31),
        latenessMicros: 0,
        stealPercent: null,
        down: [],
      },
      cells: [
        expect.objectContaining({ endedMicros: 456_000, lastedMicros: 1_000_000, paths: sync(133, 15) }),
        expect.objectContaining({ endedMicros: 56_000, lastedMicros: 400_000, paths: sync(53, 31) }),
      ],
    });
  });

  it("puts snapshots together until they are a tenth of a second", () => {
    const { recorder, note } = recording();
    note(1_000, 0, 0);
    note(1_100, 10, 15);
    for (let moment = 1_120; moment <= 1_220; moment += 20) note(moment, 2, moment === 1_140 ? 18 : 12);
    const cells = recorder.freeze(at(1_220))!.cells;
    expect(cells.map(({ lastedMicros, paths }) => [lastedMicros, paths])).toEqual([
      [100_000, sync(10, 15)],
      [100_000, sync(10, 18)],
      [20_000, sync(2, 12)],
    ]);
  });

  it("keeps a minute, and gives along the newest cells of the last ten seconds", () => {
    const { recorder, note } = recording();
    for (let moment = 0; moment <= 300_000; moment += 1_000) note(moment, 1, 10);
    const { whole, cells } = recorder.freeze(at(300_000))!;
    expect(whole).toMatchObject({ lastedMicros: 60_000_000, paths: sync(60, 10) });
    expect(cells).toHaveLength(11);
    expect(cells.map(({ endedMicros }) => endedMicros)).toEqual(
      Array.from({ length: 11 }, (_, i) => (10 - i) * 1_000_000),
    );
    for (let moment = 300_100; moment <= 309_000; moment += 100) note(moment, 1, 10);
    const many = recorder.freeze(at(309_000))!.cells;
    expect([many.length, many.at(-1)!.endedMicros]).toEqual([CELLS_FROZEN_MAX, 0]);
  });

  it("takes the lateness from the highest bucket that grew, and anew after a restart of pulse", () => {
    const { recorder, note } = recording();
    const lateness = () => recorder.freeze(at(9_000))!.cells.at(-1)!.latenessMicros;
    note(1_000, 0, 0, late(5, 3, 1));
    note(2_000, 0, 0, late(9, 3, 1));
    expect(lateness()).toBe(1);
    note(3_000, 0, 0, late(9, 4, 1));
    expect(lateness()).toBe(2);
    note(4_000, 0, 0, late(1, 1));
    expect(lateness()).toBe(2);
    note(5_000, 0, 0, late(1, 1));
    expect(lateness()).toBe(0);
    note(6_000, 0, 0, late(1, 1, 7));
    expect(lateness()).toBe(4);
    expect(recorder.freeze(at(9_000))!.whole.latenessMicros).toBe(4);
  });

  it("names a device whose carrier was away for a moment only, and one that is away when the role changes", () => {
    const { recorder, note } = recording();
    note(1_000, 0, 0);
    note(2_000, 0, 0);
    recorder.linksChanged(new Map([["eth1", { carrier: true }]]));
    recorder.linksChanged(UP);
    note(3_000, 0, 0);
    note(4_000, 0, 0);
    recorder.linksChanged(new Map([...UP, ["eth1", { carrier: false }]]));
    const { whole, cells } = recorder.freeze(at(4_100))!;
    expect(cells.map(({ down }) => down)).toEqual([[], ["eth0"], []]);
    expect(whole.down).toEqual(["eth0", "eth1"]);
    note(5_000, 0, 0);
    note(6_000, 0, 0);
    expect(
      recorder
        .freeze(at(6_000))!
        .cells.map(({ down }) => down)
        .slice(-2),
    ).toEqual([["eth1"], ["eth1"]]);
  });

  it("tells what others took of the processors' time, once it is enough to say so", () => {
    let times: CpuTimes = { stolen: 10, all: 1_000 };
    const { recorder, note } = recording(() => times);
    const cells = () => recorder.freeze(at(9_000))!.cells.map(({ stealPercent }) => stealPercent);
    note(1_000, 0, 0);
    expect(cells()).toEqual([null]);
    times = { stolen: 60, all: 1_200 };
    note(2_000, 0, 0);
    times = { stolen: 61, all: 1_205 };
    note(3_000, 0, 0);
    expect(cells()).toEqual([25, null]);
    times = { stolen: 61, all: 1_400 };
    note(4_000, 0, 0);
    // One of the 200 ticks since the second snapshot.
    expect(cells()).toEqual([25, null, 1]);
    expect(recorder.freeze(at(9_000))!.whole.stealPercent).toBe(25);
  });

  it("does not name a path that the configuration does not", () => {
    const { recorder, note } = recording();
    note(1_000, 5, 5, late(), 99);
    note(2_000, 5, 5, late(), 99);
    expect(recorder.freeze(at(1_000))!.whole.paths).toEqual([]);
  });
});

describe("the processors' time", () => {
  it("is the sum of the first eight figures, of which the eighth was stolen", () => {
    const stat = "cpu  100 1 20 300 4 0 6 50 7 8\ncpu0 50 0 10 150 2 0 3 25 3 4\nintr 12345\n";
    expect(parseCpuTimes(stat)).toEqual({ stolen: 50, all: 481 });
  });

  it.each(["", "cpu 1 2\n", "intr 5\n", "cpu  a b c d e f g h\n"])("is not known from %j", (text) => {
    expect(parseCpuTimes(text)).toBeUndefined();
  });
});
