import { describe, expect, it } from "vitest";
import type { CandidateDiff, Committed, HistoryEntry } from "../runtime/control-configuration.ts";
import { renderChanged, renderCommitted, renderDiff, renderHistory } from "./render-configuration.ts";

const TIME = "2026-01-05T03:04:05.678Z";
const change = { kind: "set", path: "a.b", after: 3, text: "+ a.b: 3" } as const;
const committed: Committed = { revision: "ab".repeat(32), changed: true, warnings: [], remarks: [], confirmBy: null };
const entry: HistoryEntry = {
  id: "cd".repeat(32),
  parent: "ab".repeat(32),
  author: "alice",
  comment: "more weight",
  time: TIME,
  age: 0,
  whole: true,
};
const lines = (text: string) => text.split("\n");

describe("a change of the candidate", () => {
  it("is told with what comes next, or that there is none", () => {
    expect(lines(renderChanged({ changes: [change], remarks: ["bob edits, too."] }))).toEqual([
      "+ a.b: 3",
      "bob edits, too.",
      "Not in force yet: `futago commit` does that.",
      "",
    ]);
    expect(renderChanged({ changes: [], remarks: [] })).toBe("Nothing changes: it is so already.\n");
  });

  it("moves no cursor, whatever it holds", () => {
    expect(renderChanged({ changes: [{ ...change, text: "+ a: \u009b2J" }], remarks: [] })).toContain(
      "+ a: \ufffd2J\n",
    );
  });
});

describe("a candidate", () => {
  const diff: CandidateDiff = {
    base: "ef".repeat(32),
    authors: [{ author: "bob", time: TIME }],
    changes: [change],
    remarks: [],
    problems: [],
  };

  it("is told with its authors, its changes, and what keeps it from being committed", () => {
    expect(lines(renderDiff(diff))).toEqual([
      expect.stringMatching(/^Edited by bob \(last at 2026-01-05 .*\), begun from revision efefefefefefefef:$/),
      "  + a.b: 3",
      "",
    ]);
    const problems = [{ where: "services.www.pool", what: 'is "wbe"', mend: "mend it." }];
    expect(lines(renderDiff({ ...diff, base: "", changes: [], problems })).slice(1)).toEqual([
      "  nothing differs",
      "It cannot be committed like this:",
      '  services.www.pool: is "wbe"',
      "    mend it.",
      "",
    ]);
    expect(renderDiff({ ...diff, authors: [] })).toBe("Nothing is being edited.\n");
  });
});

describe("a commit", () => {
  it("is told with what is left to do", () => {
    expect(renderCommitted(committed)).toBe("Revision abababababababab is in force.\n");
    expect(renderCommitted({ ...committed, remarks: ["The peer is away."] })).toMatch(/force\.\nThe peer is away\.\n$/);
    expect(renderCommitted({ ...committed, changed: false })).toMatch(/^Nothing changed: revision abab/);
    expect(lines(renderCommitted({ ...committed, confirmBy: TIME }))).toEqual([
      expect.stringMatching(/^Revision abababababababab is in force, and is rolled back at 2026-01-05 .* confirmed:$/),
      "  futago confirm abababababababab",
      "",
    ]);
  });
});

describe("the history", () => {
  it.each<[Partial<HistoryEntry>, string]>([
    [{}, "in force"],
    [{ age: 1 }, ""],
    [{ confirmSeconds: 60 }, "in force, waits to be confirmed"],
    [{ age: 1, confirmSeconds: 60 }, "not confirmed"],
    [{ age: 1, confirmSeconds: 60, confirmedBy: "bob" }, "confirmed by bob"],
    [{ age: -1 }, "set aside"],
    [{ age: 7, whole: false }, "document not kept"],
  ])("says of %j %j", (change_, state) => {
    const row = lines(renderHistory([{ ...entry, ...change_ }], 20))[1];
    expect(row?.split(/ {2,}/).slice(-2)).toEqual(state === "" ? ["alice", "more weight"] : [state, "more weight"]);
  });

  it("says how to go on when there is more", () => {
    expect(renderHistory([entry], 1)).toMatch(/\nOlder ones: `futago history --before cdcdcdcdcdcdcdcd`\.\n$/);
    expect(renderHistory([{ ...entry, parent: undefined }], 1)).not.toContain("Older");
    expect(renderHistory([entry], 20)).not.toContain("Older");
    expect(renderHistory([], 20)).toBe("There is no revision.\n");
  });
});
