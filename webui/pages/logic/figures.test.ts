import { expect, test } from "vitest";
import { ago, bitRate, duration, span } from "./figures.ts";

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

test("times are told in the largest unit, in either language", () => {
  const now = Date.parse("2026-01-02T03:00:00Z");
  expect(ago("en", "2026-01-02T00:00:00Z", now)).toBe("3 hours ago");
  expect(ago("ja", "2026-01-02T00:00:00Z", now)).toBe("3 時間前");
  expect(ago("en", "2026-01-02T03:00:09Z", now)).toBe("now");
  expect(span("en", 200_000)).toBe("2 days");
});
