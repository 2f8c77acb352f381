import { describe, expect, it } from "vitest";
import type { TimelineEvent } from "../runtime/control.ts";
import { renderWhy } from "./render-why.ts";

const event = (change: Partial<TimelineEvent>): TimelineEvent => ({
  at: "2026-01-05T03:04:05.678Z",
  event: "role",
  group: "edge",
  from: "standby",
  to: "active",
  reason: "the peer fell silent",
  evidence: {},
  box: "a",
  clock: null,
  ...change,
});
const behind = { offsetMillis: -12.4, exactMillis: 1.25 };

describe("show why", () => {
  it("says so when nothing has happened", () => {
    expect(renderWhy([])).toMatch(/^No role has changed/);
  });

  it("names the box, the change, the reason, and what was measured in words", () => {
    const evidence = { atMicros: 5, silentMicros: 75_123, "gapMicros sync": 75_400, "gapMicros lan": 75_600 };
    const lines = renderWhy([event({ evidence })]).split("\n");
    expect(lines[0]).toMatch(/:05\.678 {2}a {2}role edge: standby → active$/);
    expect(lines.slice(1)).toEqual([
      "      the peer fell silent",
      "      silent 75.1 ms, last beat on sync 75.4 ms before, on lan 75.6 ms before",
      "",
    ]);
    const others = { refusals: 0, "carrier eth0": "up" };
    expect(renderWhy([event({ evidence: others })])).toContain("\n      refusals 0, carrier eth0 up\n");
  });

  it("says in a few words what was recorded before it", () => {
    const time = { endedMicros: 0, lastedMicros: 59_600_000, latenessMicros: 2_048, stealPercent: 3, down: [] };
    const paths = [
      { interface: "sync", beats: 7_980, longestPauseMicros: 19_240 },
      { interface: "lan", beats: 7_978, longestPauseMicros: 19_310 },
      { interface: "wan", beats: 0, longestPauseMicros: 0 },
    ];
    const linesOf = (change: object) =>
      renderWhy([event({ record: { whole: { ...time, paths, ...change }, cells: [] } })])
        .split("\n")
        .slice(2, -1);
    expect(linesOf({})).toEqual([
      "      the 60 s before: sync 7980 beats, at most 19.2 ms apart",
      "      lan 7978, 19.3 ms; wan no beat; own lateness below 2.0 ms; carrier up",
      "      steal at most 3 %",
    ]);
    expect(linesOf({ paths: [], lastedMicros: 400_000, down: ["eth0", "eth1"], stealPercent: null })).toEqual([
      "      the 0.4 s before: own lateness below 2.0 ms",
      "      carrier was down on eth0, eth1",
    ]);
    // No timer fired, or none later than 64 µs.
    expect(linesOf({ paths: [], latenessMicros: 0, stealPercent: null })).toEqual([
      "      the 60 s before: carrier up",
    ]);
    expect(linesOf({ paths: [], latenessMicros: 64 })[0]).toContain("own lateness below 0.1 ms;");
  });

  it("says nothing of a time that was too short, and of a pause that began before it where that ended", () => {
    const time = { endedMicros: 0, lastedMicros: 59_600_000, latenessMicros: 2_048, stealPercent: null, down: [] };
    const paths = ["sync", "lan"].map((name) => ({ interface: name, beats: 70, longestPauseMicros: 81_960_000 }));
    const text = (lastedMicros: number) =>
      renderWhy([event({ record: { whole: { ...time, paths, lastedMicros }, cells: [] } })]);
    expect(text(59_600_000)).toMatch(
      /the 60 s before: sync 70 beats, the first after 82.0 s\n +lan 70, the first after 82.0 s;/,
    );
    expect(text(300)).not.toContain("before");
  });

  it("breaks long evidence between its parts", () => {
    const evidence = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`carrier eth${i}`, "no such device"]));
    const lines = renderWhy([event({ evidence })])
      .trimEnd()
      .split("\n");
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(78);
  });

  it("says by whose clock the times are, and how exactly the other one's is known", () => {
    const text = renderWhy([event({}), event({ box: "b", clock: behind })]);
    expect(text).toMatch(/^The times are by box a's clock; box b's is 12 ms behind it, known to 1\.3 ms\.\n\n/);
    const same = renderWhy([event({ box: "b", clock: { offsetMillis: 0.4, exactMillis: 1 } })]);
    expect(same).toMatch(/^The times are by this box's clock; box b's agrees with it, known to 1\.0 ms\.\n/);
  });

  it("leaves the letter away on a box alone, and takes out what a terminal would obey", () => {
    const text = renderWhy([event({ box: "alone", reason: "x\u001b[2J", evidence: { unfit: "\u0007" } })]);
    expect(text.split("\n")[0]).toMatch(/:05\.678 {2}role edge/);
    // oxlint-disable-next-line no-control-regex -- they are what is looked for.
    expect(text).not.toMatch(/[\u001b\u0007]/);
  });
});
