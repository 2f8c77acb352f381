import { describe, expect, it, test } from "vitest";
import { parseIfname } from "@futago/hal/units/address.ts";
import { type Instant, instant } from "@futago/hal/units/time.ts";
import {
  causesFor,
  type FitnessState,
  fitnessOf,
  initialFitness,
  nextTimeout,
  noteCarrier,
  noteCauses,
} from "./fitness.ts";

const ETH0 = parseIfname("eth0")!;
const ETH1 = parseIfname("eth1")!;
const edge = { name: "edge", devices: [ETH0, ETH1] };

function at(second: number): Instant {
  return instant(second * 1_000_000);
}

/** Both carriers up since ever. */
const well = noteCarrier(noteCarrier(initialFitness, ETH0, true, at(10)), ETH1, true, at(10));

function healthOf(state: FitnessState, second: number): [number, string] {
  const { health, sentence } = fitnessOf(state, [edge], at(second))["edge"]!;
  return [health, sentence];
}

describe("fitness", () => {
  const flapped = noteCarrier(noteCarrier(well, ETH0, false, at(20)), ETH0, true, at(30));
  const gone: FitnessState = { ...well, coreGoneSince: at(20) };
  const check = { group: "edge", weight: 50, sentence: "check http 127.0.0.1:80 failed" };
  const rows: readonly [string, FitnessState, second: number, [number, string]][] = [
    ["is whole when nothing is wrong, from the first word on", well, 10, [255, ""]],
    ["loses 100 at once for a carrier", noteCarrier(well, ETH0, false, at(20)), 20, [155, "eth0 has no carrier"]],
    [
      "loses 100 for a device that is not there",
      noteCarrier(well, ETH1, undefined, at(20)),
      20,
      [155, "eth1 does not exist"],
    ],
    [
      "loses 100 for a device never heard of",
      noteCarrier(initialFitness, ETH0, true, at(1)),
      5,
      [155, "eth1 does not exist"],
    ],
    ["waits two seconds for a carrier that came back", flapped, 31.9, [155, "the carrier of eth0 has just come back"]],
    ["is whole again when the carrier has stayed", flapped, 32, [255, ""]],
    ["bears the absence of core for ten seconds", gone, 29.9, [255, ""]],
    ["loses 60 when core stays away", gone, 30, [195, "core is not running"]],
    ["loses what core says", noteCauses(well, [check], at(20)), 20, [205, check.sentence]],
    [
      "loses nothing for another group's check",
      noteCauses(well, [{ ...check, group: "other" }], at(20)),
      20,
      [255, ""],
    ],
    [
      "adds up and names the heaviest",
      noteCauses(noteCarrier(well, ETH0, false, at(20)), [check], at(20)),
      20,
      [105, "eth0 has no carrier"],
    ],
    [
      "never falls below 1",
      noteCauses(
        noteCarrier(noteCarrier(well, ETH0, false, at(20)), ETH1, false, at(20)),
        [{ ...check, weight: 254 }],
        at(20),
      ),
      20,
      [1, check.sentence],
    ],
  ];
  test.each(rows)("%s", (_, state, second, expected) => {
    expect(healthOf(state, second)).toEqual(expected);
  });

  it("tells since when each cause has lasted", () => {
    const state = noteCauses(noteCarrier(well, ETH0, false, at(20)), [check], at(21));
    const again = noteCauses(noteCarrier(state, ETH0, false, at(40)), [{ ...check }], at(40));
    expect(causesFor(again, edge, at(41)).map((cause) => cause.since)).toEqual([at(20), at(21)]);
    const another = noteCauses(again, [{ ...check, sentence: "timed out" }], at(50));
    expect(causesFor(another, edge, at(51)).map((cause) => cause.since)).toEqual([at(20), at(50)]);
  });
});

describe("the next look at the fitness", () => {
  const up = noteCarrier(noteCarrier(well, ETH0, false, at(20)), ETH0, true, at(30));
  const rows: readonly [string, FitnessState, second: number, Instant | undefined][] = [
    ["is not needed while nothing waits", well, 20, undefined],
    ["is not needed for a carrier that is away", noteCarrier(well, ETH0, false, at(20)), 20, undefined],
    ["is due when a carrier has settled", up, 30, at(32)],
    ["is over when it has", up, 32, undefined],
    ["is due when core has been away for ten seconds", { ...well, coreGoneSince: at(20) }, 20, at(30)],
    ["is the earlier of both", { ...up, coreGoneSince: at(21) }, 30, at(31)],
  ];
  test.each(rows)("%s", (_, state, second, expected) => {
    expect(nextTimeout(state, at(second))).toBe(expected);
  });
});
