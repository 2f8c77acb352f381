import { expect, test } from "vitest";
import { ago, bitRate, clock, duration, moment, span } from "./figures.ts";

test.each([
  [0, "0 bit/s"],
  [999, "999 bit/s"],
  [1_234, "1.2 kbit/s"],
  [123_456_000, "123 Mbit/s"],
  [2_500_000_000, "2.5 Gbit/s"],
  [34_200_000, "34 Mbit/s"],
])("%d bits a second are %s", (bits, text) => expect(bitRate("en", bits)).toBe(text));

test.each([
  [212, "0.21 ms"],
  [45_600, "45.6 ms"],
  [840_000, "840 ms"],
  [1_240_000, "1.2 s"],
])("%d microseconds are %s", (micros, text) => expect(duration("en", micros)).toBe(text));

test("the clock has 24 hours, in either language, and no day where that is today's", () => {
  const evening = new Date(2026, 0, 2, 23, 4, 5);
  const at = evening.toISOString();
  expect(clock("en", at, evening.getTime())).toBe("23:04:05");
  expect(clock("ja", at, evening.getTime())).toBe("23:04:05");
  expect(clock("en", new Date(2026, 0, 1, 0, 4, 5).toISOString(), evening.getTime())).toBe("Jan 1, 2026, 00:04:05");
  expect(moment("en", at)).toBe("Jan 2, 2026, 23:04:05");
});

test("times are told in the largest unit, in either language", () => {
  const now = Date.parse("2026-01-02T03:00:00Z");
  expect(ago("en", "2026-01-02T00:00:00Z", now)).toBe("3 hours ago");
  expect(ago("ja", "2026-01-02T00:00:00Z", now)).toBe("3 時間前");
  expect(ago("en", "2026-01-02T03:00:09Z", now)).toBe("now");
  expect(span("en", 200_000)).toBe("2 days");
});
