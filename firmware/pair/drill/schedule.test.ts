import { describe, expect, it } from "vitest";
import { formatDrillTimes, parseDrillTimes } from "../../config/drill-times.ts";
import { ago, isDue } from "./schedule.ts";

const millis = (text: string) => Date.parse(text);
const sunday = parseDrillTimes("Sun 04:00")!;

describe("the times of drills", () => {
  it.each(["Sun 04:00", "Mon,Thu 23:30", "daily 00:00"])("are read and written: %s", (text) => {
    expect(formatDrillTimes(parseDrillTimes(text)!)).toBe(text);
  });

  it.each([
    "",
    "Sun",
    "04:00",
    "Sun 4:00",
    "Sun 24:00",
    "Sun 04:60",
    "sun 04:00",
    "Sun,Sun 04:00",
    "Sun, Mon 04:00",
    "Sun 04:00 ",
    "toString 04:00",
  ])("are not %j", (text) => {
    expect(parseDrillTimes(text)).toBeUndefined();
  });
});

describe("a drill is due", () => {
  // 2026-01-04 is a Sunday; Tokyo is nine hours ahead.
  it.each([
    ["UTC", "2026-01-04T04:00:00.000Z", true],
    ["UTC", "2026-01-04T04:00:59.999Z", true],
    ["UTC", "2026-01-04T04:01:00.000Z", false],
    ["UTC", "2026-01-03T04:00:00.000Z", false],
    ["Asia/Tokyo", "2026-01-03T19:00:00.000Z", true],
    ["Asia/Tokyo", "2026-01-04T04:00:00.000Z", false],
    ["UTC", "2026-01-04T16:00:00.000Z", false],
  ])("in %s at %s: %s", (zone, at, due) => {
    expect(isDue(sunday, zone, millis(at), undefined)).toBe(due);
  });

  it("at midnight, which some write as 24 o'clock", () => {
    expect(isDue(parseDrillTimes("Sun 00:00")!, "UTC", millis("2026-01-04T00:00:10.000Z"), undefined)).toBe(true);
  });

  it("once, also when the clock shows the hour twice", () => {
    // Berlin sets its clocks back from 03:00 to 02:00 on 2026-10-25: 02:30 is at 00:30 and at 01:30 UTC.
    const times = parseDrillTimes("Sun 02:30")!;
    const [first, second] = [millis("2026-10-25T00:30:00.000Z"), millis("2026-10-25T01:30:00.000Z")];
    expect(isDue(times, "Europe/Berlin", first, undefined)).toBe(true);
    expect(isDue(times, "Europe/Berlin", second, undefined)).toBe(true);
    expect(isDue(times, "Europe/Berlin", second, first)).toBe(false);
    expect(isDue(times, "Europe/Berlin", first + 15_000, first)).toBe(false);
  });

  it("again in the next week, and after a clock was set back", () => {
    const [now, next] = [millis("2026-01-04T04:00:00.000Z"), millis("2026-01-11T04:00:00.000Z")];
    expect(isDue(sunday, "UTC", next, now)).toBe(true);
    expect(isDue(sunday, "UTC", now, next)).toBe(true);
  });
});

it.each([
  [30_000, "just now"],
  [-5_000, "just now"],
  [60_000, "1 minute ago"],
  [119 * 60_000, "119 minutes ago"],
  [120 * 60_000, "2 hours ago"],
  [47 * 3_600_000, "47 hours ago"],
  [72 * 3_600_000, "3 days ago"],
])("%d ms is %s", (passed, words) => {
  expect(ago(1_000_000_000_000, 1_000_000_000_000 + passed)).toBe(words);
});
