import { describe, expect, it } from "vitest";
import { allowedOf, type DrillStanding, drillRefusal, drillSentence, worseThan } from "./judge.ts";
import type { DrillResult, DrillVip } from "./types.ts";

const group = (name: string, state: string) => ({ name, state });
const ready: DrillStanding = {
  isPaired: true,
  linked: true,
  peerAlive: true,
  peerRole: "standby",
  role: "active",
  groups: [group("edge", "active"), group("inner", "active")],
  told: true,
  alarms: [{ kind: "widened", sentence: "runs late" }],
  busy: false,
};

describe("a drill may be made", () => {
  it("by either box of a whole pair, the certificate of a backend or a widened heartbeat notwithstanding", () => {
    expect(drillRefusal(ready, "planned")).toBeUndefined();
    const idle = ready.groups.map(({ name }) => group(name, "standby"));
    expect(drillRefusal({ ...ready, role: "standby", peerRole: "active", groups: idle }, "killed")).toBeUndefined();
  });

  it.each<[string, Partial<DrillStanding>, number, RegExp]>([
    ["by a box alone", { isPaired: false }, 5, /has no peer/],
    ["during another one", { busy: true }, 6, /under way already/],
    ["without a peer", { peerAlive: false }, 5, /the peer is not there/],
    ["without the link between the cores", { linked: false }, 5, /the peer is not there/],
    ["without a group", { groups: [] }, 6, /no failover group/],
    ["in maintenance", { role: "maintenance" }, 6, /this box is in maintenance/],
    ["by a spare", { role: "spare" }, 6, /is the spare/],
    ["with a spare", { peerRole: "spare" }, 6, /is the spare/],
    ["with a peer in maintenance", { peerRole: "maintenance" }, 5, /the peer is in maintenance/],
    [
      "under an alarm of the pair",
      { alarms: [{ kind: "path-lost", sentence: "look at sync" }] },
      6,
      /path-lost: look at/,
    ],
    ["over an unconfirmed commit", { alarms: [{ kind: "unconfirmed", sentence: "by alice" }] }, 6, /unconfirmed/],
    ["while a group is held by nobody", { groups: [group("edge", "standby")] }, 5, /not every group is held/],
    ["before the peer knows the connections", { told: false }, 6, /all connections/],
  ])("but not %s", (_name, change, exitCode, what) => {
    const refusal = drillRefusal({ ...ready, ...change }, "planned");
    expect(refusal).toMatchObject({ exitCode, what: expect.stringMatching(what) });
  });

  it("by a death only where one box holds everything", () => {
    const spread = { ...ready, peerRole: "active", groups: [group("edge", "active"), group("inner", "standby")] };
    expect(drillRefusal(spread, "planned")).toBeUndefined();
    expect(drillRefusal(spread, "killed")).toMatchObject({
      exitCode: 6,
      what: expect.stringContaining("one box only"),
    });
  });
});

const vip = (change: Partial<DrillVip>): DrillVip => ({
  group: "edge",
  address: "10.1.0.1",
  from: "a",
  silenceMicros: 200,
  sent: 800,
  lost: 0,
  pauseMicros: 1_000,
  ...change,
});

describe("what is allowed", () => {
  it("is to lose nothing when planned, and the dead time and 50 ms after a death", () => {
    expect(allowedOf("planned", 75_000)).toEqual({ silenceMicros: 100_000, lost: 0 });
    expect(allowedOf("killed", 75_000)).toEqual({ silenceMicros: 125_000, lost: null });
  });

  it.each<[string, "planned" | "killed", Partial<DrillVip>, readonly string[]]>([
    ["nothing lost", "planned", {}, []],
    ["at the limit", "planned", { silenceMicros: 100_000 }, []],
    ["one lost", "planned", { lost: 1 }, ["10.1.0.1 did not answer 1 of 800 probes, and 0 are allowed"]],
    ["too long", "planned", { silenceMicros: 100_001 }, ["10.1.0.1 was silent for 100.0 ms, and 100.0 ms are allowed"]],
    ["never seen", "planned", { silenceMicros: null }, ["10.1.0.1 was not seen to change hands"]],
    ["a death", "killed", { silenceMicros: 125_000, lost: 90 }, []],
    [
      "a slow death",
      "killed",
      { silenceMicros: 126_000 },
      ["10.1.0.1 was silent for 126.0 ms, and 125.0 ms are allowed"],
    ],
  ])("judges %s", (_name, how, change, sentences) => {
    expect(worseThan(allowedOf(how, 75_000), [vip(change)])).toEqual(sentences);
  });

  it("is not proven by a drill that probed nothing", () => {
    expect(worseThan(allowedOf("planned", 75_000), [])).toEqual([
      "no virtual address could be probed, so nothing is proven",
    ]);
  });
});

it("says in one line what came of a drill", () => {
  const result = { how: "planned", vips: [vip({}), vip({ lost: 1, silenceMicros: 900 })], worse: [], back: "stayed" };
  const said = (change: object) => drillSentence({ ...result, ...change } as unknown as DrillResult);
  expect(said({})).toBe("planned hand-over: 1 probe lost, silent for 0.9 ms at most");
  expect(said({ how: "killed", back: "ordered" })).toBe(
    "death of the active box's processes: 1 probe lost, silent for 0.9 ms at most; the roles are as before",
  );
  expect(said({ worse: ["10.1.0.1 x", "y"], back: "failed" })).toBe(
    "planned hand-over: worse than allowed: 10.1.0.1 x; the roles could not go back",
  );
});
