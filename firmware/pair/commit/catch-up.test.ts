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

  it("are told apart by what was confirmed under the roll-back, however much was confirmed since", () => {
    const confirmed = { id: id("9"), by: "bob" };
    const start = { ...box(summary("2", "1", { author: "futago" })), active: false, confirmed };
    const theirs = standing("3", { automatic: true, active: true, parent: id("7") });
    const linking = run(A, start, { kind: "linkUp" }, heard({ kind: "standing", standing: theirs }));
    expect(linking.actions).toEqual([{ kind: "relate", mine: id("2"), theirs: id("3"), undone: id("7") }]);
    const kin = heard({ kind: "kin", mine: id("3"), yours: id("2"), kinship: "unknown" });
    const related = { kind: "related", mine: id("2"), theirs: id("3"), kinship: "unknown" } as const;
    expect(kinds(run(A, linking.state, related, kin).actions)).toEqual(["send fetch"]);
    const known = run(A, linking.state, { ...related, confirmed: { id: id("7"), by: "alice" } });
    expect(known.actions[1]).toMatchObject({ message: { standing: { confirmed: { id: id("7"), by: "alice" } } } });
    expect(run(A, known.state, kin).actions).toEqual([]);
    const byHand = run(
      A,
      start,
      { kind: "linkUp" },
      heard({ kind: "standing", standing: standing("3", { parent: id("7") }) }),
    );
    expect(byHand.actions).toMatchObject([{ kind: "relate", undone: undefined }]);
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

  describe("whose newer one comes slowly", () => {
    const start = run(B, box(mine), { kind: "linkUp" }, heard({ kind: "standing", standing: standing("3") })).state;
    const related = run(B, start, { kind: "related", mine: id("2"), theirs: id("3"), kinship: "unknown" }).state;
    const fetching = run(B, related, heard({ kind: "kin", mine: id("3"), yours: id("2"), kinship: "ancestor" })).state;
    const at = (wait: number) => after(NOW, seconds(wait));
    const PART = 128 << 10;

    it("wait for each part of it as long as for the first", () => {
      expect(nextTimeout(fetching)).toBe(at(30));
      const first = step(B, fetching, { kind: "arriving", length: 20 * PART }, at(29)).state;
      expect(nextTimeout(first)).toBe(at(59));
      expect(step(B, first, { kind: "timeout" }, at(30)).state.work.kind).toBe("fetching");
      const second = step(B, first, { kind: "arriving", length: 20 * PART }, at(50)).state;
      expect(nextTimeout(second)).toBe(at(80));
      const late = step(B, second, { kind: "timeout" }, at(80));
      expect(late.state).toMatchObject({ work: { kind: "idle" }, cannot: { id: id("3") } });
      const passage = { kind: "revision", revision: revision("3", "2"), parent: undefined, lineage: [] } as const;
      expect(kinds(step(B, second, heard(passage), at(79)).actions)).toEqual(["check"]);
    });

    it("do not wait for ever for what trickles", () => {
      // 128 Ki units in four seconds are as slow as it may be.
      let trickling = fetching;
      for (let now = 25; now <= 50; now += 25)
        trickling = step(B, trickling, { kind: "arriving", length: PART }, at(now)).state;
      expect(nextTimeout(trickling)).toBe(at(30 + 8));
      // What else it says meanwhile is no longer than the longest message.
      const flooded = step(B, fetching, { kind: "arriving", length: 1e12 }, at(1e6)).state;
      expect(nextTimeout(flooded)).toBe(at(30 + 4_096));
    });

    it("care for nothing that arrives when they ask for nothing", () => {
      expect(step(B, box(mine), { kind: "arriving", length: PART }, NOW)).toEqual({ state: box(mine), actions: [] });
    });
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
