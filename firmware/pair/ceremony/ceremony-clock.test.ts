import { describe, expect, it } from "vitest";
import { failed, meet, type PaperBox, sayYes } from "./ceremony.suite.ts";

describe("the clock of the box that joins", () => {
  const after = (one: PaperBox) => {
    const { ending } = one;
    if (ending?.kind !== "paired") throw new Error("not paired");
    return [ending.clockAheadMillis, ending.clockWithinMillis, ending.clock];
  };

  it("is set by the inviter's, and both know how wrong it was", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    sayYes(cable, inviter, joiner);
    // It was four seconds ahead.
    expect([after(inviter), after(joiner)]).toEqual([
      [4_000, 1, "set"],
      [-4_000, 1, "set"],
    ]);
    expect(joiner.clock).toBe(inviter.clock);
  });

  it.each(["kept", "refused"] as const)("is told as it is when it was %s", (verdict) => {
    const { inviter, joiner, cable, begin } = meet();
    joiner.clockVerdict = verdict;
    begin();
    sayYes(cable, joiner, inviter);
    expect([after(inviter), after(joiner)]).toEqual([
      [4_000, 1, verdict],
      [-4_000, 1, verdict],
    ]);
    expect(joiner.clock).toBe(inviter.clock + 4_000);
  });

  it("is not touched before both have said yes", () => {
    const { inviter, joiner, cable, begin } = meet();
    begin();
    sayYes(cable, joiner);
    expect(joiner.said).not.toContain("clock");
    joiner.hear(1, { kind: "clock", sealed: "00".repeat(29) });
    cable.run();
    expect([joiner.ending, joiner.clock]).toEqual([failed("bad-message", "here"), 1_700_000_004_000]);
    expect(inviter.kept).toEqual([]);
  });

  it("is measured by a question: how long the answer took is halved, and told", () => {
    const { inviter, joiner, cable, begin } = meet();
    cable.alter = (_, message) => {
      if (message.kind === "clock") joiner.wait(1_000);
      return message;
    };
    begin();
    sayYes(cable, inviter, joiner);
    // Two seconds on the way, in which the joiner's clock went on; the inviter's stands in this test.
    expect(after(joiner)).toEqual([-5_000, 1_001, "set"]);
  });

  it.each<[string, "inviter" | "joiner"]>([
    ["the question", "joiner"],
    ["the answer", "inviter"],
  ])("is nobody's to say who changes %s on the way", (_, side) => {
    const { inviter, joiner, cable, begin } = meet();
    cable.alter = (from, message) =>
      from === side && message.kind === "clock" ? { ...message, sealed: "00".repeat(29) } : message;
    begin();
    sayYes(cable, inviter, joiner);
    expect([inviter.kept, joiner.kept, joiner.clock]).toEqual([[], [], 1_700_000_004_000]);
    expect(joiner.ending).toMatchObject({ kind: "failed", refusal: "bad-message" });
  });

  it("is asked for once", () => {
    const { inviter, joiner, cable, begin } = meet();
    cable.alter = (_, message) =>
      message.kind === "kept" ? joiner.sent.find(({ kind }) => kind === "clock") : message;
    begin();
    sayYes(cable, inviter, joiner);
    expect(inviter.ending).toEqual(failed("bad-message", "here"));
    expect(joiner.undone).toBe(1);
  });
});
