import { expect, test } from "vitest";
import { noTraffic, samplesMax, stepTraffic } from "./rates.ts";
import { box, pair, port } from "./shown.test-support.ts";

const later = (millis: number) => new Date(Date.parse("2026-01-01T00:00:00.000Z") + millis).toISOString();
const look = (receivedBytes: number, millis: number) =>
  pair(box("a", [port({ receivedBytes })], { at: later(millis) }));

test("a rate is the difference of two looks by the clock of the box", () => {
  const first = stepTraffic(noTraffic, look(1_000, 0), 5);
  const second = stepTraffic(first, look(3_000, 2_000), 9_999);
  expect(first.ports).toEqual({});
  expect(second.ports["a/eth0"]?.receivedBits).toBe(8_000);
  expect(second.samples).toEqual([{ atMillis: 9_999, boxes: { a: { received: 8_000, sent: 0 } } }]);
});

test("a counter that went back gives no rate", () => {
  const first = stepTraffic(noTraffic, look(9_000, 0), 0);
  expect(stepTraffic(first, look(10, 1_000), 0).ports).toEqual({});
});

test("two looks at the same moment keep the rate there was", () => {
  const second = stepTraffic(stepTraffic(noTraffic, look(0, 0), 0), look(1_000, 1_000), 0);
  expect(stepTraffic(second, look(1_000, 1_000), 0).ports["a/eth0"]?.receivedBits).toBe(8_000);
});

test("only the newest samples are kept", () => {
  let traffic = noTraffic;
  for (let i = 0; i < samplesMax + 20; i++) traffic = stepTraffic(traffic, look(i, i * 1_000), i);
  expect(traffic.samples).toHaveLength(samplesMax);
  expect(traffic.samples.at(-1)?.atMillis).toBe(samplesMax + 19);
});
