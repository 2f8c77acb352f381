import { describe, expect, it } from "vitest";
import { after, seconds } from "@futago/hal/units/time.ts";
import {
  NOW,
  B,
  commit,
  request,
  id,
  revision,
  heard,
  standing,
  run,
  linked,
  kinds,
  landed,
} from "./protocol.test-support.ts";
import { step } from "./step.ts";
import type { CommitInput } from "./types.ts";

describe("a box that follows", () => {
  const start = linked(B, false);
  const next = revision("2", "1");
  const prepared = run(B, start, heard({ kind: "prepare", revision: next }), {
    kind: "checked",
    id: next.id,
    refusal: undefined,
  });

  it("checks, stores when told, applies when told, and says each", () => {
    expect(kinds(prepared.actions)).toEqual(["send prepared"]);
    const storing = run(B, prepared.state, heard({ kind: "store", id: next.id }));
    expect(kinds(storing.actions)).toEqual(["land"]);
    const holding = run(B, storing.state, landed(next));
    expect(kinds(holding.actions)).toEqual(["send stored", "send standing"]);
    const applying = run(B, holding.state, heard({ kind: "apply", id: next.id }));
    expect(kinds(applying.actions)).toEqual(["apply"]);
    const theirs = heard({ kind: "standing", standing: standing("2", { active: true }) });
    const told = run(B, applying.state, theirs, { kind: "applied", id: next.id, trouble: "no" });
    expect(told.actions).toEqual([{ kind: "send", message: { kind: "applied", id: next.id, trouble: "no" } }]);
  });

  it.each<[string, readonly CommitInput[]]>([
    ["the link breaks", [{ kind: "linkDown" }, { kind: "linkUp" }]],
    ["it takes over", [{ kind: "role", active: true, peerAlive: true }]],
    ["the active box thinks better of it", [heard({ kind: "forget", id: next.id })]],
  ])("forgets what is merely prepared when %s", (_, inputs) => {
    const { state } = run(B, prepared.state, ...inputs);
    expect(state.work.kind).not.toBe("prepared");
    const late = run(B, state, heard({ kind: "store", id: next.id }));
    expect(kinds(late.actions)).toEqual(["send notStored"]);
    expect(late.state.head).toEqual(start.head);
  });

  it("forgets it, too, when nothing comes", () => {
    const { state } = step(B, prepared.state, { kind: "timeout" }, after(NOW, seconds(60)));
    expect(state.work.kind).toBe("idle");
  });

  it("puts into force by itself what is on its disk when nobody tells it to", () => {
    const holding = run(B, prepared.state, heard({ kind: "store", id: next.id }), landed(next)).state;
    expect(kinds(run(B, holding, { kind: "linkDown" }).actions)).toEqual(["apply"]);
    expect(kinds(step(B, holding, { kind: "timeout" }, after(NOW, seconds(60))).actions)).toEqual(["apply"]);
  });

  it("says what its kernel refused, also when it is told to apply only afterwards", () => {
    const holding = run(B, prepared.state, heard({ kind: "store", id: next.id }), landed(next)).state;
    const late = step(B, holding, { kind: "timeout" }, after(NOW, seconds(60))).state;
    const known = run(B, late, heard({ kind: "standing", standing: standing("2") }));
    const own = run(B, known.state, { kind: "applied", id: next.id, trouble: "no such device" });
    expect(own.actions).toEqual([]);
    expect(run(B, own.state, heard({ kind: "apply", id: next.id })).actions).toEqual([
      { kind: "send", message: { kind: "applied", id: next.id, trouble: "no such device" } },
    ]);
  });

  it("does not take the end of an earlier work on the kernel for that of this one", () => {
    const holding = run(B, prepared.state, heard({ kind: "store", id: next.id }), landed(next)).state;
    const applying = run(B, holding, heard({ kind: "apply", id: next.id })).state;
    expect(run(B, applying, { kind: "applied", id: id("1"), trouble: undefined }).actions).toEqual([]);
  });

  it("keeps what it is told to store after it was told to take the same back", () => {
    const withdrawn = run(B, start, heard({ kind: "withdraw", id: next.id })).state;
    const checked = { kind: "checked", id: next.id, refusal: undefined } as const;
    const taken = run(B, withdrawn, heard({ kind: "prepare", revision: next }), checked).state;
    const holding = run(B, taken, heard({ kind: "store", id: next.id }), landed(next), { kind: "linkDown" });
    expect(kinds(holding.actions)).toEqual(["apply"]);
  });

  it("takes back what the active box could not store", () => {
    const holding = run(B, prepared.state, heard({ kind: "store", id: next.id }), landed(next)).state;
    expect(kinds(run(B, holding, heard({ kind: "withdraw", id: next.id })).actions)).toEqual(["undo"]);
    expect(run(B, holding, heard({ kind: "withdraw", id: id("1") })).actions).toEqual([]);
  });

  it("takes nothing that is no child of its head, and nothing in the middle of something else", () => {
    const strange = run(B, start, heard({ kind: "prepare", revision: revision("9", "8") }));
    expect(strange.actions).toMatchObject([{ message: { kind: "notStored", cause: "behind" } }]);
    const busy = run(B, { ...start, active: true }, request(commit())).state;
    expect(run(B, busy, heard({ kind: "prepare", revision: next })).actions).toMatchObject([
      { message: { kind: "notStored", cause: "busy" } },
    ]);
  });

  it("takes up what it was offered in the middle of something that ends soon, unless it is forgotten meanwhile", () => {
    const related = { kind: "related", mine: id("1"), theirs: id("0"), kinship: "ancestor" } as const;
    const offered = run(B, { ...start, work: { kind: "relating" } }, heard({ kind: "prepare", revision: next }));
    expect(offered.actions).toEqual([]);
    expect(kinds(run(B, offered.state, related).actions)).toEqual(["send kin", "check"]);
    const forgotten = run(B, offered.state, heard({ kind: "forget", id: next.id }));
    expect(kinds(run(B, forgotten.state, related).actions)).toEqual(["send kin"]);
    expect(run(B, offered.state, { kind: "linkDown" }).state.offered).toBeUndefined();
  });
});
