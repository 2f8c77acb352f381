import { describe, expect, it } from "vitest";
import type { DrillResult, DrillsShown, LastDrill } from "../runtime/control-drill.ts";
import { renderDrill, renderDrillReport } from "./render-drill.ts";
import { provenSentence } from "./render-status.ts";

const vip = {
  group: "edge",
  address: "10.1.0.1",
  from: "a",
  silenceMicros: 180,
  sent: 795,
  lost: 0,
  pauseMicros: 2_532,
} as const;
const result: DrillResult = {
  id: "0123456789abcdef",
  how: "planned",
  at: "2026-01-05T03:04:05.678Z",
  by: "alice",
  revision: "0123456789abcdef".repeat(4),
  tookMillis: 1_363,
  vips: [vip, { ...vip, address: "10.2.0.1", silenceMicros: null, lost: 12 }],
  connections: { before: 40, after: 39 },
  allowed: { silenceMicros: 100_000, lost: 0 },
  worse: [],
  back: "stayed",
  boxes: { a: { hostname: "edge-a", version: "1.2.3" }, b: { hostname: "", version: "1.2.3" } },
};
const shown: DrillsShown = { running: null, results: [result], trouble: null, schedule: null };

describe("a drill", () => {
  it("is a verdict, a table of the addresses, the connections and what was allowed", () => {
    expect(renderDrill(result).split("\n")).toEqual([
      "PASSED: box b took over from box a, and no probe was lost.",
      "",
      "ADDRESS   GROUP  MOVED   SILENT  PROBES  LOST  PROBE GAP",
      "10.1.0.1  edge   a to b  0.2 ms     795     0     2.5 ms",
      "10.2.0.1  edge   a to b       ?     795    12     2.5 ms",
      "",
      "Allowed: 0 probes lost, 100.0 ms of silence.",
      "Connections through the balancer: 40 before, 39 after.",
      "The roles stayed with the box that took over.",
    ]);
  });

  it("says first who took over from whom, and after a death how soon", () => {
    const first = (change: Partial<DrillResult>) => renderDrill({ ...result, ...change }).split("\n")[0];
    const killed = [vip, { ...vip, silenceMicros: 74_800 }];
    expect(first({ how: "killed", vips: killed })).toBe(
      "PASSED: box a's processes were killed; box b took over, 74.8 ms without an answer.",
    );
    expect(first({ vips: [vip, { ...vip, from: "b" }] })).toBe(
      "PASSED: each box took over from the other, and no probe was lost.",
    );
    expect(renderDrill({ ...result, connections: { before: 0, after: 0 } })).toContain("No connection went through");
  });

  it("that was worse says in what", () => {
    const worse = renderDrill({ ...result, worse: ["10.1.0.1 was silent\u001b"], back: "failed" });
    expect(worse).toMatch(/^WORSE THAN ALLOWED:\n {2}10\.1\.0\.1 was silent\ufffd\n/);
    expect(worse).toContain("AND COULD NOT.");
  });
});

describe("the report", () => {
  it("says who, when, how, and which boxes, before the figures, and lists those before", () => {
    const older = { ...result, how: "killed", worse: ["x"], by: "schedule" } as const;
    const page = renderDrillReport({ ...shown, results: [result, older], schedule: "Sun 04:00 (UTC)" });
    for (const part of ["by alice", "took 1.4 s", "handed over as planned", "edge-a, Futago 1.2.3", "-, Futago 1.2.3"])
      expect(page).toContain(part);
    expect(page).toMatch(/killed {3}schedule +0\.2 ms +12 {2}WORSE\n/);
    expect(page).toContain("Scheduled: Sun 04:00 (UTC).\n");
    // By which clock, for whoever reads it elsewhere.
    expect(page).toMatch(/^ {2}when {6}2026-01-0\d \d\d:\d\d:05 UTC([+-]\d\d:\d\d)?, took/m);
    const killed = renderDrillReport({ ...shown, results: [older] });
    expect(killed).toContain("ordered   by the schedule\n");
    for (const line of [...page.split("\n"), ...killed.split("\n")]) expect(line.length).toBeLessThan(80);
  });

  it("says so when there was none, and what is going on", () => {
    expect(renderDrillReport({ ...shown, results: [] })).toMatch(/^No drill was made yet\.\nNo drill is scheduled/);
    const busy = { ...shown, running: { id: result.id, phase: "watching who answers" }, trouble: "no answer" };
    expect(renderDrillReport(busy)).toContain("A drill is under way: watching who answers.\nThe newest attempt came");
  });

  it("lists the newest only", () => {
    const page = renderDrillReport({ ...shown, results: Array.from({ length: 15 }, () => result) });
    expect(page).toContain("and 3 older ones");
  });
});

describe("the line of the status", () => {
  const last: LastDrill = {
    at: "2026-01-05T03:00:00.000Z",
    how: "planned",
    passed: true,
    lost: 0,
    silenceMicros: 200,
    sentence: "",
    provenAt: "2026-01-05T03:00:00.000Z",
    provenLost: 0,
  };
  const now = Date.parse("2026-01-08T04:00:00.000Z");

  it("says when fail-over was last proven", () => {
    expect(provenSentence(null, now)).toBe("");
    expect(provenSentence(last, now)).toBe("Last proven fail-over: 3 days ago, 0 lost.");
  });

  it("says that the newest drill was worse, and whether one before it was not", () => {
    const failed = { ...last, at: "2026-01-08T02:00:00.000Z", passed: false };
    expect(provenSentence(failed, now)).toBe(
      "Last proven fail-over: 3 days ago, 0 lost. The newest drill, 2 hours ago, was WORSE THAN ALLOWED.",
    );
    expect(provenSentence({ ...failed, provenAt: null, provenLost: null }, now)).toMatch(
      /^No fail-over has been proven/,
    );
  });
});
