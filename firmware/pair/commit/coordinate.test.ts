import { describe, expect, it } from "vitest";
import { after, seconds } from "@futago/hal/units/time.ts";
import {
  NOW,
  A,
  id,
  summary,
  revision,
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
  notLanded,
} from "./protocol.test-support.ts";
import { initialCommit, nextTimeout, step } from "./step.ts";
import type { Landed } from "./types.ts";

describe("a box that coordinates", () => {
  const start = linked(A, true);
  const next = revision("2", "1");

  it("prepares on the peer, has it stored there, stores it here, applies on both, and answers last", () => {
    const asked = run(A, start, request(commit()));
    expect(kinds(asked.actions)).toEqual(["judge"]);
    const prepared = run(A, asked.state, judged(next));
    expect(kinds(prepared.actions)).toEqual(["send prepare"]);
    const stored = run(A, prepared.state, heard({ kind: "prepared", id: next.id }));
    expect(kinds(stored.actions)).toEqual(["send store"]);
    const here = run(A, stored.state, heard({ kind: "stored", id: next.id }));
    expect(kinds(here.actions)).toEqual(["land"]);
    const applying = run(A, here.state, landed(next));
    expect(kinds(applying.actions)).toEqual(["apply", "send apply", "send standing"]);
    const theirs = heard({ kind: "standing", standing: standing("2") });
    const half = run(A, applying.state, theirs, { kind: "applied", id: next.id, trouble: undefined });
    expect(kinds(half.actions)).toEqual([]);
    const done = run(A, half.state, heard({ kind: "applied", id: next.id, trouble: undefined }));
    expect(doneIn(done.actions)).toMatchObject({ revision: next.id, changed: true, peer: "inForce" });
    expect(done.state).toMatchObject({ inForce: next.id, work: { kind: "idle" } });
  });

  it("lets the peer begin to judge a large document at the same time", () => {
    const source = (length: number) => ({ kind: "given", document: "x".repeat(length) }) as const;
    const large = run(A, start, request(commit({ source: source(64 << 10) })));
    expect(kinds(large.actions)).toEqual(["judge", "send consider"]);
    expect(kinds(run(A, start, request(commit({ source: source(1_000) }))).actions)).toEqual(["judge"]);
    const alone = run(A, box(), { kind: "role", active: true, peerAlive: false });
    expect(kinds(run(A, alone.state, request(commit({ source: source(64 << 10) }))).actions)).toEqual(["judge"]);
    expect(run(A, start, heard({ kind: "consider", document: "{}" })).actions).toEqual([
      { kind: "consider", document: "{}" },
    ]);
  });

  it("keeps what somebody commits again after its disk had refused it, although it was to be rolled back", () => {
    const stored = run(A, start, request(commit()), judged(next), heard({ kind: "prepared", id: next.id }));
    // The link breaks with the word to store it: the other box may have it.
    const refused = run(A, stored.state, { kind: "linkDown" }, notLanded);
    expect(refusalIn(refused.actions)?.mend).toContain("rolls it back");
    const alone = run(A, refused.state, { kind: "role", active: true, peerAlive: false }).state;
    const again = run(A, alone, request(commit()), judged(next), landed(next));
    const done = run(A, again.state, { kind: "applied", id: next.id, trouble: undefined });
    expect(kinds(done.actions)).toEqual(["reply"]);
    expect(done.state).toMatchObject({ head: { id: next.id }, work: { kind: "idle" } });
  });

  it("changes nothing when the document, the peer or its disk refuses", () => {
    const asked = run(A, start, request(commit())).state;
    const invalid = run(A, asked, {
      kind: "judged",
      judged: { kind: "refused", refusal: { exitCode: 3, what: "bad" } },
    });
    expect(refusalIn(invalid.actions)).toEqual({ exitCode: 3, what: "bad" });
    const preparing = run(A, asked, judged(next)).state;
    const refuse = (cause: "refused" | "busy" | "behind") =>
      run(
        A,
        preparing,
        heard({
          kind: "notStored",
          id: next.id,
          cause,
          refusal: { exitCode: 3, what: "no eth9", where: "interfaces.sync" },
        }),
      );
    expect(refusalIn(refuse("refused").actions)).toMatchObject({
      exitCode: 3,
      what: "no eth9",
      where: "box b: interfaces.sync",
    });
    expect(refusalIn(refuse("busy").actions)).toMatchObject({ exitCode: 6 });
    expect(refusalIn(refuse("behind").actions)).toMatchObject({ exitCode: 6 });
    for (const { state } of [invalid, refuse("refused")]) expect(state.head).toEqual(start.head);
  });

  it("goes alone when the peer goes away, and stores what the peer may have stored", () => {
    const preparing = run(A, start, request(commit()), judged(next)).state;
    expect(kinds(run(A, preparing, { kind: "linkDown" }).actions)).toEqual(["land"]);
    const storing = run(A, preparing, heard({ kind: "prepared", id: next.id })).state;
    for (const input of [{ kind: "linkDown" }, { kind: "timeout" }] as const) {
      const late = step(A, storing, input, after(NOW, seconds(60)));
      expect(kinds(late.actions)).toEqual(["land"]);
      const { state } = run(A, late.state, landed(next));
      const done = run(A, state, { kind: "applied", id: next.id, trouble: undefined });
      expect(doneIn(done.actions)).toMatchObject({ changed: true, peer: "late" });
    }
  });

  it("begins anew when the link breaks before anything was stored while neither box serves, and says so after three times", () => {
    const sameHere = heard({ kind: "standing", standing: standing("1") });
    const idle = run(A, linked(A, false), sameHere).state;
    const asked = run(A, idle, request(commit()));
    let { state, actions } = run(A, asked.state, judged(next));
    for (let time = 0; time < 3; time++) {
      expect(kinds(actions)).toContain("send prepare");
      const broke = run(A, state, { kind: "linkDown" });
      expect(kinds(broke.actions)).toEqual([]);
      expect(broke.state.waiting).toHaveLength(1);
      ({ state, actions } = run(A, broke.state, { kind: "linkUp" }, sameHere, judged(next)));
    }
    const last = run(A, state, { kind: "linkDown" });
    expect(refusalIn(last.actions)).toMatchObject({ exitCode: 6, reason: "rolesChanged" });
    expect(last.state).toMatchObject({ head: idle.head, waiting: [], work: { kind: "idle" } });
  });

  it("says that nothing was changed when the peer that has it only prepared says nothing", () => {
    const preparing = run(A, start, request(commit()), judged(next)).state;
    const late = step(A, preparing, { kind: "timeout" }, after(NOW, seconds(60)));
    expect(refusalIn(late.actions)).toMatchObject({
      exitCode: 1,
      what: expect.stringContaining("did not answer in time"),
    });
    expect(kinds(late.actions)).toContain("send forget");
  });

  it("tells the peer to take it back, and takes it back itself should it return, when its own disk refuses", () => {
    const inputs = [request(commit()), judged(next), heard({ kind: "prepared", id: next.id })];
    const landing = run(A, start, ...inputs, heard({ kind: "stored", id: next.id })).state;
    const failed = run(A, landing, notLanded);
    expect(kinds(failed.actions)).toEqual(["reply", "send withdraw"]);
    expect(refusalIn(failed.actions)?.mend).toContain("rolls it back as soon as it hears of this");
    // The peer comes with it all the same: it is adopted, for it is a descendant, and undone at once.
    const theirs = run(A, failed.state, heard({ kind: "standing", standing: standing("2") })).state;
    const related = run(A, theirs, { kind: "related", mine: id("1"), theirs: id("2"), kinship: "unknown" }).state;
    const fetching = run(A, related, heard({ kind: "kin", mine: id("2"), yours: id("1"), kinship: "ancestor" }));
    expect(kinds(fetching.actions)).toEqual(["send fetch"]);
    const passage = { kind: "revision", revision: next, parent: revision("1", "0"), lineage: [] } as const;
    const adopting = run(A, fetching.state, heard(passage), { kind: "checked", id: next.id, refusal: undefined });
    expect(kinds(adopting.actions)).toEqual(["adopt"]);
    expect(kinds(run(A, adopting.state, landed(next)).actions)).toContain("undo");
  });

  describe("that was told by its disk to take one back which the peer has", () => {
    const inputs = [request(commit()), judged(next), heard({ kind: "prepared", id: next.id })];
    const withdrawn = run(A, start, ...inputs, heard({ kind: "stored", id: next.id }), notLanded).state;
    const alone = run(A, withdrawn, { kind: "linkDown" }, { kind: "role", active: true, peerAlive: false }).state;
    const again = (one = next) => run(A, alone, request(commit()), judged(one));

    it("takes the same for confirmed when it is committed again without the peer, which may have rolled it back", () => {
      expect(again().actions).toMatchObject([{ kind: "land", revision: { id: next.id, confirmedBy: "alice" } }]);
      const done = run(A, again().state, landed({ ...next, confirmedBy: "alice" }));
      expect(done.state).toMatchObject({ confirmed: { id: next.id, by: "alice" }, withdrawn: undefined });
      // The roll-back of the peer is newer, and is rolled back itself.
      const inForce = run(A, done.state, { kind: "applied", id: next.id, trouble: undefined }).state;
      const undone = { ...inForce, head: summary("3", "2", { author: "futago" }), inForce: id("3") };
      expect(run(A, undone, { kind: "timeout" }).actions).toMatchObject([
        { kind: "judge", wish: { source: { kind: "revision", id: next.id } } },
      ]);
    });

    it("does not take it for confirmed where somebody must confirm it, or the peer takes part", () => {
      const trial = revision("2", "1", { confirmSeconds: 60 });
      expect(again(trial).actions).toEqual([{ kind: "land", revision: trial }]);
      const together = run(A, withdrawn, request(commit()), judged(next));
      expect(together.actions).toEqual([{ kind: "send", message: { kind: "prepare", revision: next } }]);
      const left = run(A, together.state, { kind: "linkDown" });
      expect(left.actions).toMatchObject([{ kind: "land", revision: { id: next.id, confirmedBy: "alice" } }]);
    });

    it("remembers that as long as it comes to nothing", () => {
      const full = run(A, again().state, notLanded).state;
      expect(full).toMatchObject({ work: { kind: "idle" }, withdrawn: next.id });
      const refusal = { exitCode: 1, what: "no" };
      const together = run(A, withdrawn, request(commit()), judged(next)).state;
      for (const cause of ["refused", "busy", "behind"] as const) {
        const { state } = run(A, together, heard({ kind: "notStored", id: next.id, cause, refusal }));
        expect(state.withdrawn).toBe(next.id);
      }
      expect(step(A, together, { kind: "timeout" }, after(NOW, seconds(60))).state.withdrawn).toBe(next.id);
    });

    it("remembers it, too, while its own head cannot be rolled back", () => {
      const undoing = { ...alone, work: { kind: "undoing", told: undefined } } as const;
      expect(run(A, undoing, notLanded).state.withdrawn).toBe(next.id);
      expect(run(A, { ...undoing, withdrawn: id("1") }, notLanded).state.withdrawn).toBeUndefined();
    });
  });

  it.each([["here"], ["there"]] as const)("rolls back on both what could not be put into force %s", (where) => {
    const inputs = [request(commit()), judged(next), heard({ kind: "prepared", id: next.id })];
    const applying = run(A, start, ...inputs, heard({ kind: "stored", id: next.id }), landed(next)).state;
    const applied = { kind: "applied", id: next.id, trouble: "no such device" } as const;
    const troubled = run(A, applying, where === "here" ? applied : heard(applied));
    expect(kinds(troubled.actions)).toEqual(["undo", "send withdraw"]);
    const undone = run(A, troubled.state, landed(summary("3", "2", { author: "futago" })));
    const refusal = refusalIn(undone.actions);
    expect(refusal).toMatchObject({ exitCode: 1, where: where === "here" ? "box a" : "box b" });
    expect(refusal?.what).toContain("was rolled back: no such device");
    const barred = run(A, troubled.state, notLanded);
    expect(refusalIn(barred.actions)?.what).toContain("the roll-back cannot be kept: the disk is full");
    expect(barred.state.deadline).toBeGreaterThan(NOW);
  });

  it.each<[string, Landed]>([
    ["is the first of all", { ok: true, head: next }],
    [
      "comes after that of a box alone",
      { ok: false, refusal: { exitCode: 6, what: "that of a box alone" }, noWayBack: true },
    ],
  ])("leaves on both what could not be put into force and %s", (_, undone) => {
    const first = undone.ok;
    const one = first ? revision("2", undefined) : next;
    const from = linked(A, true, first ? box(undefined) : box());
    const inputs = [request(commit()), judged(one), heard({ kind: "prepared", id: one.id })];
    const applying = run(A, from, ...inputs, heard({ kind: "stored", id: one.id }), landed(one)).state;
    const theirs = heard({ kind: "standing", standing: standing("2") });
    const troubled = run(A, applying, theirs, { kind: "applied", id: one.id, trouble: "no such device" });
    const told = first ? troubled : run(A, troubled.state, { kind: "landed", landed: undone });
    expect(kinds(told.actions)).toEqual(["reply"]);
    expect(refusalIn(told.actions)?.what).toContain("is committed and could not be put into force: no such device");
    expect(told.state).toMatchObject({ head: { id: one.id }, deadline: undefined, barred: undefined });
    expect(nextTimeout(told.state)).toBeUndefined();
  });

  it("leaves what it was told to take back where there is no way back", () => {
    const withdrawn = run(A, start, heard({ kind: "withdraw", id: id("1") }));
    expect(kinds(withdrawn.actions)).toEqual(["undo"]);
    const refusal = { exitCode: 6, what: "that of a box alone" };
    const stays = run(A, withdrawn.state, { kind: "landed", landed: { ok: false, refusal, noWayBack: true } });
    expect(stays).toMatchObject({ actions: [], state: { work: { kind: "idle" }, withdrawn: undefined } });
  });

  it("refuses what was made from another head, and a change on top of one that waits for its confirmation", () => {
    expect(refusalIn(run(A, start, request(commit({ base: id("0") }))).actions)).toMatchObject({ exitCode: 6 });
    const waiting = linked(A, true, box(summary("1", "0", { confirmSeconds: 60 }), after(NOW, seconds(60))));
    expect(refusalIn(run(A, waiting, request(commit())).actions)?.what).toContain("waits for its confirmation");
    const back = run(A, waiting, request(commit({ source: { kind: "revision", id: id("0") } })));
    expect(kinds(back.actions)).toEqual(["judge"]);
    const first = run(
      A,
      linked(A, true, initialCommit(undefined, undefined, undefined)),
      request(commit({ confirmSeconds: 60 })),
    );
    expect(refusalIn(first.actions)?.what).toContain("there is none to go back to");
  });
});
