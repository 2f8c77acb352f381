import { describe, expect, it } from "vitest";
import { judgeSurvival } from "./judge.ts";
import { SURVIVAL_WORDS } from "./reasons.ts";
import type { BoxFacts, SurvivalFacts } from "./types.ts";

const NOW = Date.parse("2026-01-31T00:00:00.000Z");
const REVISION = "ab".repeat(32);

function box(role: string, more: Partial<BoxFacts> = {}): BoxFacts {
  return {
    role,
    revision: REVISION,
    groups: [{ name: "edge", state: role, down: [] }],
    alarms: [],
    told: true,
    ...more,
  };
}

/** Box a is active, b stands by, and all is well. */
const whole: SurvivalFacts = {
  pairing: "paired",
  box: "a",
  own: box("active"),
  peer: { alive: true, role: "standby" },
  paths: [
    { interface: "sync", device: "eth2", alive: true },
    { interface: "lan", device: "eth1", alive: true },
  ],
  linked: true,
  told: box("standby"),
  cold: false,
  unshared: [],
  drill: { at: Date.parse("2026-01-20T00:00:00.000Z"), passed: true },
  clockOffsetMillis: 12,
  now: NOW,
};

const standbyAlarm = (word: string): Partial<SurvivalFacts> => ({ told: box("standby", { alarms: [word] }) });
const standbyGroup = (state: string, down: readonly string[] = []) =>
  box("standby", { groups: [{ name: "edge", state, down }] });

type Row = readonly [
  name: string,
  facts: Partial<SurvivalFacts>,
  survives: "yes" | "no" | "partly",
  reasons: readonly string[],
];

const ROWS: readonly Row[] = [
  ["all is well", {}, "yes", []],
  [
    "seen from the standby box",
    { box: "b", own: box("standby"), told: box("active"), peer: { alive: true, role: "active" } },
    "yes",
    [],
  ],
  ["no configuration", { own: box("standby", { revision: "" }) }, "no", ["noConfiguration"]],
  ["a box alone", { pairing: "alone", peer: undefined }, "no", ["alone"]],
  ["a box that gave its peer up", { pairing: "left" }, "no", ["gaveUpPeer"]],
  ["paired, and configured as a box alone", { peer: undefined }, "no", ["notPairedByConfiguration"]],
  ["its own sentinel away", { own: box("unknown") }, "no", ["sentinelAway a"]],
  ["the peer's sentinel away", { told: box("unknown", { groups: [] }) }, "no", ["sentinelAway b"]],
  [
    "the peer dead, and nothing else is said of it",
    { peer: { alive: false, role: "unknown" }, linked: false, told: undefined },
    "no",
    ["peerLost b"],
  ],
  ["the peer hears nothing", standbyAlarm("one-way"), "no", ["oneWay"]],
  ["this box hears nothing", { own: box("active", { alarms: ["one-way"] }) }, "no", ["oneWay"]],
  ["two actives", { told: box("active") }, "no", ["twoActives edge"]],
  ["the peer in maintenance", { told: box("maintenance") }, "no", ["maintenance b"]],
  [
    "this box in maintenance",
    { own: box("maintenance"), told: box("active"), peer: { alive: true, role: "active" } },
    "no",
    ["maintenance a"],
  ],
  ["the peer in fault", { told: box("fault") }, "no", ["fault b"]],
  ["a cold spare, never drilled", { told: box("spare"), cold: true, drill: undefined }, "no", ["coldSpare b"]],
  ["nobody serves", { own: box("standby") }, "no", ["nobodyServes edge"]],
  [
    "nobody serves, as far as heartbeats tell",
    { own: box("standby"), told: undefined },
    "no",
    ["nobodyServes edge", "coreAway b"],
  ],
  [
    "the peer took over a moment ago, and its core's link is a cable behind",
    { own: box("standby"), told: box("standby"), peer: { alive: true, role: "active" } },
    "yes",
    [],
  ],
  ["the peer waits for its boot time", { told: standbyGroup("initialize") }, "no", ["notReady b edge initialize"]],
  [
    "the same by heartbeats alone",
    { told: undefined, linked: false, peer: { alive: true, role: "initialize" } },
    "no",
    ["notReady b edge initialize", "coreAway b"],
  ],
  ["the standby box without a carrier", { told: standbyGroup("standby", ["wan"]) }, "no", ["noCarrier b wan edge"]],
  [
    "the active box without a carrier is about to hand over",
    { own: box("active", { groups: [{ name: "edge", state: "active", down: ["wan"] }] }) },
    "yes",
    [],
  ],
  ["the peer's core away", { linked: false, told: undefined }, "partly", ["coreAway b"]],
  ["the standby box unfit", standbyAlarm("unfit"), "partly", ["unfit b"]],
  ["an unfit active box", { own: box("active", { alarms: ["unfit"] }) }, "yes", []],
  ["the standby lacks a device", standbyAlarm("missing-device"), "partly", ["missingDevice b"]],
  [
    "the kernel of this box refused",
    { own: box("active", { alarms: ["network-refused"] }) },
    "partly",
    ["networkRefused a"],
  ],
  ["other revisions", { told: box("standby", { revision: "cd".repeat(32) }) }, "partly", ["revisionsDiffer b"]],
  ["a revision refused", standbyAlarm("revision-refused"), "partly", ["revisionRefused b"]],
  ["an unconfirmed commit", { own: box("active", { alarms: ["unconfirmed"] }) }, "partly", ["unconfirmed"]],
  ["a commit that cannot be rolled back", standbyAlarm("not-rolled-back"), "partly", ["notRolledBack b"]],
  ["connections that the peer lacks", { own: box("active", { told: false }) }, "partly", ["flowsNotWhole a"]],
  ["a service on nftables", { unshared: ["www"] }, "partly", ["unsharedConnections www"]],
  ["one path configured", { paths: whole.paths.slice(0, 1) }, "partly", ["onePath sync"]],
  ["one path left", { paths: [whole.paths[0]!, { ...whole.paths[1]!, alive: false }] }, "partly", ["onePath sync"]],
  [
    "both paths over one port",
    { paths: [{ interface: "x", device: "eth1.10", alive: true }, whole.paths[1]!] },
    "partly",
    ["oneDevice eth1"],
  ],
  [
    "one of three paths silent",
    { paths: [...whole.paths, { interface: "wan", device: "eth0", alive: false }] },
    "yes",
    ["pathSilent wan"],
  ],
  ["an address conflict", standbyAlarm("address-conflict"), "partly", ["addressConflict"]],
  ["a stranger's VRID", { own: box("active", { alarms: ["vrid-conflict"] }) }, "partly", ["stranger"]],
  ["a widened dead time", { own: box("active", { alarms: ["widened"] }) }, "partly", ["widened"]],
  ["the flap guard", standbyAlarm("held-down"), "yes", ["heldDown"]],
  ["clocks apart", { clockOffsetMillis: -3_600_400 }, "yes", ["clocksDiffer 3600"]],
  ["a failed drill", { drill: { at: NOW, passed: false } }, "yes", ["drillFailed"]],
  ["an old drill", { drill: { at: Date.parse("2025-12-31T00:00:00.000Z"), passed: true } }, "yes", ["drillOld 31"]],
  ["no drill ever", { drill: undefined }, "yes", ["neverDrilled"]],
];

const words = (facts: SurvivalFacts) =>
  judgeSurvival(facts).reasons.map(({ reason, parameters }) => [reason, ...Object.values(parameters)].join(" "));

describe("whether the pair would survive", () => {
  it.each(ROWS)("%s", (_, facts, survives, reasons) => {
    expect(judgeSurvival({ ...whole, ...facts }).survives).toBe(survives);
    expect(words({ ...whole, ...facts })).toEqual(reasons);
  });

  it("has a row for every reason", () => {
    const told = new Set(ROWS.flatMap(([, , , reasons]) => reasons.map((one) => one.split(" ")[0])));
    expect(SURVIVAL_WORDS.filter((word) => !told.has(word))).toEqual([]);
  });

  it("says the gravest first, and what it says holds its values", () => {
    const { survives, reasons } = judgeSurvival({
      ...whole,
      drill: undefined,
      told: box("standby", { alarms: ["widened"], groups: [{ name: "edge", state: "standby", down: ["wan"] }] }),
    });
    expect(survives).toBe("no");
    expect(reasons.map(({ reason, weight }) => `${reason} ${weight}`)).toEqual([
      "noCarrier no",
      "widened partly",
      "neverDrilled remark",
    ]);
    expect(reasons[0]?.sentence).toBe(
      "Box b has no carrier on wan: what it takes over there answers nobody. Look at that cable.",
    );
  });

  it("is asked of each group: a pair whose groups are apart is whole, one that nobody holds is not", () => {
    const groups = (one: string, other: string) =>
      box("active", {
        groups: [
          { name: "one", state: one, down: [] },
          { name: "other", state: other, down: [] },
        ],
      });
    const apart = { ...whole, own: groups("active", "standby"), peer: { alive: true, role: "active" } };
    expect(judgeSurvival({ ...apart, told: groups("standby", "active") }).survives).toBe("yes");
    expect(words({ ...apart, told: groups("standby", "standby") })).toEqual(["nobodyServes other"]);
  });
});
