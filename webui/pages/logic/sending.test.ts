import { expect, test } from "vitest";
import { broken, bytesPerSecond, progressed, secondsToSend, type Sending, unfitBundle } from "./sending.ts";

const head = new TextEncoder().encode("hsqs");
const begun: Sending = { kind: "sending", name: "n", sent: 0, length: 10_000_000, sinceMillis: 5_000, atMillis: 5_000 };

test.each([
  ["a bundle", 140_000_000, head, undefined],
  ["nothing", 0, new Uint8Array(), "emptyFile"],
  ["a picture", 4_000, new TextEncoder().encode("\u0089PNG"), "notABundle"],
  ["a file of two bytes", 2, head.slice(0, 2), "notABundle"],
  ["the largest that the box takes", 536_870_912, head, undefined],
  ["a disk image", 536_870_913, head, "tooLarge"],
])("%s is judged before it is sent", (_, length, bytes, unfit) => {
  expect(unfitBundle(length, bytes)).toBe(unfit);
});

test("how fast it goes and how long it takes are told once there is something to tell from", () => {
  const early = progressed(begun, 500_000, 6_000) as Sending;
  expect([bytesPerSecond(early), secondsToSend(early)]).toEqual([undefined, undefined]);
  const later = progressed(early, 2_000_000, 9_000) as Sending;
  expect([bytesPerSecond(later), secondsToSend(later)]).toEqual([500_000, 16]);
});

test("once all is sent its answer is awaited", () => {
  expect(progressed(begun, 10_000_000, 9_000)).toEqual({ kind: "checking", name: "n" });
});

test("a line that breaks while it is sent is told from one that breaks before the answer", () => {
  expect(broken(progressed(begun, 2_000_000, 9_000))).toEqual({ kind: "cutOff", sent: 2_000_000, length: 10_000_000 });
  expect(broken(progressed(begun, 10_000_000, 9_000))).toEqual({ kind: "cutAfter" });
});
