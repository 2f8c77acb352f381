import { expect, test } from "vitest";
import { parseIpAddress, parseMac } from "@futago/hal/units/address.ts";
import { instant, type Instant } from "@futago/hal/units/time.ts";
import {
  forgetStrangers,
  nextTimeout,
  noStrangers,
  observeStranger,
  STRANGERS_MAX,
  strangerSentence,
  type StrangerAdvertisement,
} from "./stranger.ts";

const at = (value: number): Instant => instant(value * 1_000_000);
const HEARD: StrangerAdvertisement = {
  interface: "wan",
  vrid: 10,
  mac: parseMac("00:00:5e:00:01:0a")!,
  source: parseIpAddress("10.1.0.77")!,
  priority: 150,
};

test("a stranger's advertisements are counted and told with MAC, place and remedy", () => {
  let state = noStrangers;
  for (let second = 1; second <= 3; second++) state = observeStranger(state, HEARD, at(second));
  expect(state).toMatchObject({ counted: 3, strangers: [{ count: 3, firstAt: 1e6, lastAt: 3e6 }] });
  expect(strangerSentence(state.strangers[0]!)).toBe(
    "10.1.0.77 (00:00:5e:00:01:0a) advertises VRID 10 on wan with priority 150 and is not of this pair, 3 times so far; give it or this virtual router another VRID",
  );
});

test("two strangers with one Virtual Router MAC are two", () => {
  const other = { ...HEARD, source: parseIpAddress("10.1.0.78")! };
  const state = observeStranger(observeStranger(noStrangers, HEARD, at(1)), other, at(1));
  expect(state.strangers).toHaveLength(2);
});

test("forged senders fill no memory", () => {
  let state = noStrangers;
  for (let i = 0; i < 255; i++)
    state = observeStranger(state, { ...HEARD, source: parseIpAddress(`10.1.1.${i}`)! }, at(1));
  expect([state.strangers.length, state.counted]).toEqual([STRANGERS_MAX, 255]);
});

test("one that was silent for a minute is forgotten", () => {
  const state = observeStranger(noStrangers, HEARD, at(1));
  expect(nextTimeout(state)).toBe(61_000_000);
  expect(forgetStrangers(state, at(60))).toBe(state);
  expect(forgetStrangers(state, at(61)).strangers).toEqual([]);
  expect(nextTimeout(noStrangers)).toBeUndefined();
});
