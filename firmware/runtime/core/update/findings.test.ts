import { describe, expect, it } from "vitest";
import { findingsOf, type Sights } from "./findings.ts";

const well: Sights = {
  machine: { verity: "good", failedUnits: [] },
  dataTrouble: undefined,
  storeTroubles: [],
  networkTroubles: [],
  missingDevices: [],
  deadPorts: [],
  sentinelIsThere: true,
  peer: { isHeard: true, isLinked: true, hasCaughtUp: true },
  pagesTrouble: undefined,
};

describe("nothing is wrong with a box", () => {
  it("when all is well", () => expect(findingsOf(well)).toEqual([]));
  it("that is alone", () => expect(findingsOf({ ...well, peer: undefined })).toEqual([]));
});

it.each<[string, Partial<Sights>, string, string]>([
  ["a root that reads otherwise", { machine: { verity: "corrupt", failedUnits: [] } }, "verity", "corrupt"],
  ["a root that nobody checks", { machine: { verity: "unknown", failedUnits: [] } }, "verity", "unknown"],
  ["a failed unit", { machine: { verity: "good", failedUnits: ["x.service"] } }, "units", "x.service has failed"],
  ["an updater that is away", { machine: undefined }, "updater", "the updater does not answer"],
  ["a full disk", { dataTrouble: "the disk is full (ENOSPC)" }, "data", "the disk is full"],
  ["a store that was damaged", { storeTroubles: ["it was made anew"] }, "store", "it was made anew"],
  ["what the kernel refused", { networkTroubles: ["no such route"] }, "configuration", "no such route"],
  ["a port that is gone", { missingDevices: ["p1"] }, "ports", "there is no port p1"],
  ["a port without a link", { deadPorts: ["p1"] }, "ports", "port p1 had a link before the update"],
  ["no sentinel", { sentinelIsThere: false }, "configuration", "the sentinel does not run"],
  ["a silent peer", { peer: { isHeard: false, isLinked: true, hasCaughtUp: true } }, "peer", "not heard"],
  ["no link", { peer: { isHeard: true, isLinked: false, hasCaughtUp: true } }, "peer", "does not stand"],
  ["connections to come", { peer: { isHeard: true, isLinked: true, hasCaughtUp: false } }, "flows", "do not hold"],
  ["pages that do not answer", { pagesTrouble: "it is silent" }, "pages", "it is silent"],
])("%s is found", (_, changes, subject, sentence) => {
  expect(findingsOf({ ...well, ...changes })).toEqual([
    { subject, sentence: expect.stringContaining(sentence) as string },
  ]);
});
