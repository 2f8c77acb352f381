import { describe, expect, it } from "vitest";
import { after, seconds } from "@futago/hal/units/time.ts";
import { relationOf, standingOf } from "./catch-up.ts";
import { NOW, A, B, id, summary, revision, heard, standing, box, run, kinds } from "./protocol.test-support.ts";
import { nextTimeout, step } from "./step.ts";
import type { Standing } from "./types.ts";

describe("two heads that differ", () => {
  const mine = summary("2", "1");
  const unknown = (kinship: "ancestor" | "unknown", theirKinship: "ancestor" | "unknown") => ({
    kin: { mine: id("2"), theirs: id("3"), kinship },
    theirKin: { mine: id("2"), theirs: id("3"), kinship: theirKinship },
  });
  const relation = (
    kinships: ReturnType<typeof unknown>,
    my: Partial<Standing> = {},
    their: Partial<Standing> = {},
    config = A,
  ) => {
    const state = box(mine);
    const said = { ...standingOf(state), ...my };
    return relationOf(config, state, { theirs: standing("3", their), said, ...kinships });
  };

  it("are ordered by lineage, whichever box is active", () => {
    expect(relation(unknown("ancestor", "unknown"), {}, { active: true })).toBe("ahead");
    expect(relation(unknown("unknown", "ancestor"), { active: true })).toBe("behind");
  });

  it.each<[string, Partial<Standing>, Partial<Standing>, "winsOver" | "losesTo"]>([
    ["the active box's", { active: true }, {}, "winsOver"],
    ["the active box's", {}, { active: true }, "losesTo"],
    ["a's where both are", { active: true }, { active: true }, "winsOver"],
    ["a person's over a box's", { automatic: true, active: true }, {}, "losesTo"],
    ["a person's over a box's", {}, { automatic: true, active: true }, "winsOver"],
    [
      "the other one over a roll-back of what was confirmed",
      { automatic: true, active: true, parent: id("7") },
      { automatic: true, confirmed: { id: id("7"), by: "bob" } },
      "losesTo",
    ],
    [
      "the other one over a roll-back of what was confirmed",
      { automatic: true, confirmed: { id: id("7"), by: "bob" } },
      { automatic: true, active: true, parent: id("7") },
      "winsOver",
    ],
  ])("conflict when neither descends from the other: %s wins", (_, my, their, expected) => {
    expect(relation(unknown("unknown", "unknown"), my, their)).toBe(expected);
  });

  it("conflict for b as for a, seen from the other side", () => {
    expect(relation(unknown("unknown", "unknown"), {}, {}, B)).toBe("losesTo");
  });

  it("leave the loser's stored on both, and told", () => {
    const start = run(B, box(mine), { kind: "role", active: false, peerAlive: true }, { kind: "linkUp" }).state;
    const theirs = run(B, start, heard({ kind: "standing", standing: standing("3", { active: true }) }));
    expect(kinds(theirs.actions)).toEqual(["relate"]);
    const related = run(B, theirs.state, { kind: "related", mine: id("2"), theirs: id("3"), kinship: "unknown" }).state;
    const fetching = run(B, related, heard({ kind: "kin", mine: id("3"), yours: id("2"), kinship: "unknown" }));
    expect(kinds(fetching.actions)).toEqual(["send fetch"]);
    const passage = { kind: "revision", revision: revision("3", "1"), parent: undefined, lineage: [] } as const;
    const adopting = run(B, fetching.state, heard(passage), { kind: "checked", id: id("3"), refusal: undefined });
    expect(adopting.actions).toMatchObject([
      { kind: "adopt", revision: { id: id("3") } },
      { kind: "handOver", id: id("2") },
      { kind: "lost", sibling: id("2"), winner: id("3") },
    ]);
    // It moves on while it is fetched: nothing is waited for that does not come.
    const moved = run(B, fetching.state, heard({ kind: "standing", standing: standing("4", { active: true }) }));
    expect(kinds(moved.actions)).toEqual(["relate"]);
  });

  it("stay apart, told and tried again, when one cannot be taken", () => {
    const start = run(B, box(mine), { kind: "linkUp" }, heard({ kind: "standing", standing: standing("3") })).state;
    const related = run(B, start, { kind: "related", mine: id("2"), theirs: id("3"), kinship: "unknown" }).state;
    const { state } = run(B, related, heard({ kind: "kin", mine: id("3"), yours: id("2"), kinship: "ancestor" }));
    const passage = { kind: "revision", revision: revision("3", "2"), parent: undefined, lineage: [] } as const;
    const refusal = { exitCode: 3, what: "no eth9" };
    const refused = run(B, state, heard(passage), { kind: "checked", id: id("3"), refusal });
    expect(kinds(refused.actions)).toEqual(["cannotTake", "send standing"]);
    const again = nextTimeout(refused.state) ?? NOW;
    expect(again).toBe(after(NOW, seconds(10)));
    expect(kinds(step(B, refused.state, { kind: "timeout" }, again).actions)).toContain("send fetch");
  });
});
