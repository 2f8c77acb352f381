import { describe, expect, it } from "vitest";
import { after, seconds } from "@futago/hal/units/time.ts";
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
  FULL,
  judged,
  landed,
  revision,
} from "./protocol.test-support.ts";
import { ROLES_CHANGED } from "./refusals.ts";
import { nextTimeout, step } from "./step.ts";
import type { CommitAction, CommitConfig } from "./types.ts";

describe("who coordinates", () => {
  const others = summary("1", "0");

  it("is the active box: a standby forwards, and hears the answer or the break", () => {
    const standby = linked(B, false, box(others));
    const { state, actions } = run(B, standby, request(commit()));
    expect(actions).toEqual([{ kind: "send", message: { kind: "forward", request: 7, wish: commit() } }]);
    const outcome = { kind: "refused", refusal: FULL } as const;
    expect(refusalIn(run(B, state, heard({ kind: "answer", request: 7, outcome })).actions)).toEqual(FULL);
    expect(refusalIn(run(B, state, { kind: "linkDown" }).actions)?.what).toContain("broke before it answered");
    // Somebody else's number.
    expect(run(B, state, heard({ kind: "answer", request: 8, outcome })).actions).toEqual([]);
  });

  it("answers nobody over a new link what was asked over the former one: its numbers begin anew", () => {
    const start = linked(A, true, box(others));
    const asked = run(A, start, heard({ kind: "forward", request: 1, wish: commit() }));
    expect(kinds(asked.actions)).toEqual(["judge"]);
    const again = run(A, asked.state, { kind: "linkDown" }, { kind: "linkUp" });
    const refused = { kind: "judged", judged: { kind: "refused", refusal: FULL } } as const;
    expect(kinds(run(A, again.state, refused).actions)).toEqual([]);
    expect(kinds(run(A, asked.state, refused).actions)).toEqual(["send answer"]);
    const one = revision("2", "1");
    const troubled = { kind: "applied", id: one.id, trouble: "no such device" } as const;
    const prepared = run(A, asked.state, judged(one), heard({ kind: "prepared", id: one.id }));
    const undoing = run(A, prepared.state, heard({ kind: "stored", id: one.id }), landed(one), troubled);
    const undone = landed(summary("3", "2", { author: "futago" }));
    expect(kinds(run(A, undoing.state, undone).actions)).toContain("send answer");
    const over = run(A, undoing.state, { kind: "linkDown" }, { kind: "linkUp" }, undone);
    expect(kinds(over.actions)).not.toContain("send answer");
  });

  it("is asked for anew when the peer says that the roles moved, and here when they moved here", () => {
    const outcome = { kind: "refused", refusal: ROLES_CHANGED } as const;
    const moved = heard({ kind: "answer", request: 7, outcome });
    const asked = run(B, linked(B, false, box(others)), request(commit())).state;
    const active = run(B, asked, { kind: "role", active: true, peerAlive: true }).state;
    expect(kinds(run(B, active, moved).actions)).toEqual(["judge"]);
    // Never on and on between two boxes that each take the other for the active one.
    let last = run(B, asked, moved);
    for (let time = 1; time < 3; time++) {
      expect(kinds(last.actions)).toEqual(["send forward"]);
      last = run(B, last.state, moved);
    }
    expect(kinds(last.actions)).toEqual(["send forward"]);
    expect(refusalIn(run(B, last.state, moved).actions)).toEqual(ROLES_CHANGED);
  });

  it("is a when neither is active, and nobody forwards what was forwarded", () => {
    const neither = (config: CommitConfig) => {
      const start = run(config, box(others), { kind: "role", active: false, peerAlive: true }, { kind: "linkUp" });
      return run(config, start.state, heard({ kind: "standing", standing: standing("1") })).state;
    };
    expect(kinds(run(A, neither(A), request(commit())).actions)).toEqual(["judge"]);
    expect(kinds(run(B, neither(B), request(commit())).actions)).toEqual(["send forward"]);
    expect(kinds(run(B, neither(B), request(commit(), { origin: "peer" })).actions)).toEqual(["send answer"]);
  });

  it("is nobody on a standby whose link is down while the active one lives: refused after a patience", () => {
    const cut = run(B, box(others), { kind: "role", active: false, peerAlive: true }, request(commit()));
    expect(cut.actions).toEqual([]);
    const patience = nextTimeout(cut.state) ?? NOW;
    expect(patience).toBe(after(NOW, seconds(5)));
    const refused = step(B, cut.state, { kind: "timeout" }, patience);
    expect(refusalIn(refused.actions)).toMatchObject({ exitCode: 5 });
  });

  it("goes without the peer at once when that is dead, and after a patience when only the link is down", () => {
    const dead = run(A, box(others), { kind: "role", active: true, peerAlive: false }, request(commit()));
    expect(dead.state.work).toMatchObject({ kind: "judging", peer: "away" });
    const cut = run(A, box(others), { kind: "role", active: true, peerAlive: true }, request(commit()));
    expect(cut.state.work.kind).toBe("idle");
    const late = step(A, cut.state, { kind: "timeout" }, after(NOW, seconds(5)));
    expect(late.state.work).toMatchObject({ kind: "judging", peer: "away" });
  });

  it("waits for a peer that is catching up, and not for one that says it cannot", () => {
    const behind = run(A, box(others), { kind: "role", active: true, peerAlive: true }, { kind: "linkUp" }).state;
    const catching = run(A, behind, heard({ kind: "standing", standing: standing(undefined) }), request(commit()));
    expect(catching.state.work.kind).toBe("idle");
    const cannot = standing(undefined, { cannot: id("1") });
    const without = run(A, behind, heard({ kind: "standing", standing: cannot }), request(commit()));
    expect(without.state.work).toMatchObject({ kind: "judging", peer: "behind" });
  });
});

describe("whatever comes", () => {
  it("is bounded: so many changes wait, and no more", () => {
    let state = box();
    const actions: CommitAction[] = [];
    for (let i = 0; i < 100; i++) {
      const next = step(A, state, request(commit(), { id: i }), NOW);
      ({ state } = next);
      actions.push(...next.actions);
    }
    expect(state.waiting).toHaveLength(64);
    expect(actions.filter((action) => action.kind === "reply")).toHaveLength(35);
  });

  it("leaves room for people here: what the peer forwards has fewer places, and is refused by word", () => {
    let { state } = run(A, linked(A, true), request(commit()));
    const actions: CommitAction[] = [];
    for (let i = 0; i < 20; i++) {
      const next = step(A, state, heard({ kind: "forward", request: i, wish: commit() }), NOW);
      ({ state } = next);
      actions.push(...next.actions);
    }
    expect(state.waiting).toHaveLength(16);
    expect(actions).toHaveLength(4);
    expect(actions[0]).toMatchObject({
      message: { kind: "answer", request: 16, outcome: { refusal: { what: "too many changes wait for their turn" } } },
    });
    expect(run(A, state, request(commit())).state.waiting).toHaveLength(17);
  });
});
