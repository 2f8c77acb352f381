import { describe, expect, it } from "vitest";
import { after, instant, millis, seconds } from "@futago/hal/units/time.ts";
import {
  NOW,
  A,
  B,
  id,
  summary,
  commit,
  request,
  heard,
  standing,
  box,
  run,
  linked,
  kinds,
  refusalIn,
  doneIn,
  judged,
  landed,
  revision,
  notLanded,
  FULL,
} from "./protocol.test-support.ts";
import { initialCommit, nextTimeout, step } from "./step.ts";
import type { Wish } from "./types.ts";

describe("a revision that must be confirmed", () => {
  const deadline = after(NOW, seconds(60));
  const undoing = { kind: "undoing", told: undefined } as const;
  const trial = box(summary("1", "0", { confirmSeconds: 60 }), deadline);
  const confirm = (more: Partial<Extract<Wish, { kind: "confirm" }>> = {}) =>
    request({ kind: "confirm", revision: undefined, author: "alice", force: false, ...more });

  it("is undone at its deadline, not before, and at once after a boot", () => {
    expect(nextTimeout(trial)).toBe(deadline);
    const early = instant(deadline - millis(1));
    expect(step(A, trial, { kind: "timeout" }, early).actions).toEqual([]);
    expect(kinds(step(A, trial, { kind: "timeout" }, deadline).actions)).toEqual(["undo"]);
    const booted = initialCommit(trial.head, instant(0), undefined);
    expect(kinds(step(A, booted, { kind: "timeout" }, NOW).actions)).toEqual(["undo"]);
  });

  it("is confirmed on both before that is said", () => {
    const start = linked(A, true, trial);
    const asked = run(A, start, confirm());
    expect(kinds(asked.actions)).toEqual(["confirm", "send confirm"]);
    const here = run(A, asked.state, { kind: "confirmed", id: id("1"), by: "alice", refusal: undefined });
    expect(kinds(here.actions)).toEqual(["send standing"]);
    const done = run(A, here.state, heard({ kind: "confirmed", id: id("1") }));
    expect(doneIn(done.actions)).toMatchObject({ revision: id("1"), peer: "inForce" });
    expect(done.state).toMatchObject({ deadline: undefined, confirmed: { id: id("1"), by: "alice" } });
  });

  it("is confirmed by the one who committed it, under its own id", () => {
    const start = linked(A, true, trial);
    expect(refusalIn(run(A, start, confirm({ author: "bob" })).actions)?.what).toContain("committed by alice");
    expect(kinds(run(A, start, confirm({ author: "bob", force: true })).actions)).toContain("confirm");
    expect(refusalIn(run(A, start, confirm({ revision: id("0") })).actions)?.what).toContain("does not wait");
    expect(refusalIn(run(A, linked(A, true), confirm()).actions)).toMatchObject({ exitCode: 1 });
  });

  it("is confirmed here when the other box knows that it was", () => {
    const start = linked(B, false, trial);
    const known = standing("1", { active: true, confirmed: { id: id("1"), by: "alice" } });
    expect(run(B, start, heard({ kind: "standing", standing: known })).actions).toEqual([
      { kind: "confirm", id: id("1"), by: "alice" },
    ]);
  });

  it("is not confirmed here while another head is on its way to the disk", () => {
    const adopting = { ...linked(B, false, trial), work: { kind: "adopting" } } as const;
    expect(run(B, adopting, heard({ kind: "confirm", id: id("1"), by: "alice" })).actions).toEqual([]);
    const known = standing("1", { active: true, confirmed: { id: id("1"), by: "alice" } });
    expect(run(B, adopting, heard({ kind: "standing", standing: known })).actions).toEqual([]);
  });

  it("is written to the disk once, however often the other box says that it was confirmed", () => {
    const told = heard({ kind: "confirm", id: id("1"), by: "alice" });
    const known = standing("1", { active: true, confirmed: { id: id("1"), by: "alice" } });
    const first = run(B, linked(B, false, trial), told);
    expect(kinds(first.actions)).toEqual(["confirm"]);
    const again = run(B, first.state, told, heard({ kind: "standing", standing: known }));
    expect(run(B, first.state, told).actions).toEqual([]);
    expect(again.actions).toEqual([]);
    const refused = { kind: "confirmed", id: id("1"), by: "alice", refusal: FULL } as const;
    expect(kinds(run(B, first.state, refused, told).actions)).toEqual(["confirm"]);
    const written = run(B, first.state, { ...refused, refusal: undefined });
    expect(kinds(written.actions)).toEqual(["send confirmed", "send standing"]);
    expect(kinds(run(B, written.state, told).actions)).toEqual(["send confirmed"]);
  });

  it("is brought back when it was rolled back although somebody had confirmed it", () => {
    const undone = box(summary("2", "1", { author: "futago" }));
    const start = linked(A, true, undone);
    const known = standing("2", { automatic: true, confirmed: { id: id("1"), by: "alice" } });
    const { actions } = run(A, start, heard({ kind: "standing", standing: known }));
    expect(actions).toMatchObject([
      { kind: "judge", wish: { source: { kind: "revision", id: id("1") }, author: "alice" }, parent: id("2") },
    ]);
    // A person who rolled it back over there knew what they did.
    const byHand = standing("2", { confirmed: { id: id("1"), by: "alice" } });
    expect(run(A, start, heard({ kind: "standing", standing: byHand })).actions).toEqual([]);
  });

  it("is brought back after a while, when that was refused, and others have their turn meanwhile", () => {
    const undone = box(summary("2", "1", { author: "futago" }));
    const start = linked(A, true, undone);
    const known = standing("2", { automatic: true, confirmed: { id: id("1"), by: "alice" } });
    const judging = run(A, start, heard({ kind: "standing", standing: known })).state;
    const refused = { kind: "judged", judged: { kind: "refused", refusal: FULL } } as const;
    const waits = run(A, judging, refused);
    expect(kinds(waits.actions)).toEqual(["reply"]);
    expect(kinds(run(A, waits.state, request(commit())).actions)).toEqual(["judge"]);
    const again = nextTimeout(waits.state) ?? NOW;
    expect(again).toBe(after(NOW, seconds(10)));
    expect(kinds(step(A, waits.state, { kind: "timeout" }, again).actions)).toEqual(["judge"]);
  });

  it("is brought back by that rule alone: what the link's end interrupts takes no place among the changes that wait", () => {
    const start = linked(A, false, box(summary("2", "1", { author: "futago" })));
    const known = standing("2", { automatic: true, confirmed: { id: id("1"), by: "alice" } });
    const preparing = run(A, start, heard({ kind: "standing", standing: known }), judged(revision("3", "2")));
    expect(kinds(preparing.actions)).toContain("send prepare");
    const { state } = run(A, preparing.state, { kind: "linkDown" });
    expect([state.waiting, state.work.kind]).toEqual([[], "idle"]);
  });

  it("is tried again ever later while it cannot be rolled back, and makes way for another meanwhile", () => {
    let state = step(A, trial, { kind: "timeout" }, deadline).state;
    const waits: number[] = [];
    for (let now = deadline, i = 0; i < 6; i++) {
      ({ state } = step(A, state, notLanded, now));
      expect(state.barred).toEqual({ tries: i + 1, refusal: FULL });
      const again = nextTimeout(state) ?? now;
      waits.push((again - now) / seconds(1));
      now = again;
      const early = step(A, state, { kind: "timeout" }, instant(now - 1));
      expect(early.actions).toEqual([]);
      const next = step(A, state, { kind: "timeout" }, now);
      expect(kinds(next.actions)).toEqual(["undo"]);
      if (i < 5) ({ state } = next);
    }
    expect(waits).toEqual([5, 10, 20, 40, 60, 60]);
    const other = run(A, { ...state, active: true }, request(commit()));
    expect(kinds(other.actions)).toEqual(["judge"]);
    expect(refusalIn(run(A, { ...trial, active: true }, request(commit())).actions)).toMatchObject({ exitCode: 6 });
    const kept = run(A, state, { kind: "confirmed", id: id("1"), by: "alice", refusal: undefined });
    expect(kept.state).toMatchObject({ barred: undefined, deadline: undefined });
    const undone = step(A, { ...state, work: undoing }, landed(summary("2", "1", { author: "futago" })), deadline);
    expect(undone.state).toMatchObject({ barred: undefined, deadline: undefined });
  });

  it("is told from one that did not work and that the disk does not let be rolled back", () => {
    const stuck = box(summary("1", "0"), deadline);
    expect(step(A, stuck, { kind: "timeout" }, deadline).actions).toMatchObject([
      { kind: "undo", comment: "rolled back: it did not work" },
    ]);
    const alone = { ...stuck, active: true };
    expect(refusalIn(run(A, linked(A, true, stuck), confirm()).actions)?.what).toContain("no revision waits");
    expect(kinds(run(A, alone, request(commit())).actions)).toEqual(["judge"]);
  });
});
