import { describe, expect, it, test } from "vitest";
import {
  NOW,
  later,
  TIMING,
  groupOrder,
  transition,
  note,
  box,
  heard,
  standby,
  active,
  executed,
  EVIDENCE,
  ANNOUNCE,
  SILENCE,
  type Row,
  run,
} from "./standing.test-support.ts";
import { step } from "./step.ts";
import type { PairGroupConfig, PairInput, PairState } from "./types.ts";
import { CONFIG, EDGE, peerIn, reportOf, SILENT, snapshotOf } from "./view.test-support.ts";

function check(row: Row): void {
  expect(run(row).actions).toEqual(row.actions);
}

describe("what pulse has done", () => {
  const rows: readonly Row[] = [
    {
      name: "a take-over after silence is a change of role, with its figures, and is announced",
      state: standby,
      input: executed("takeOver", "silence"),
      actions: [ANNOUNCE, transition("standby", "active", SILENCE, EVIDENCE)],
    },
    {
      name: "a take-over that was ordered says why it was",
      state: box("standby", { memory: { ordered: "no peer was heard within the boot time" } }),
      input: executed("takeOver", "order"),
      actions: [ANNOUNCE, transition("standby", "active", "no peer was heard within the boot time", EVIDENCE)],
    },
    {
      name: "the kernel's refusals are told",
      state: standby,
      input: executed("takeOver", "released", 2),
      actions: [
        note("plan-failed", "the kernel refused 2 of the plan's requests; the first with errno 2", {
          ...EVIDENCE,
          refusals: 2,
        }),
        ANNOUNCE,
        transition("standby", "active", "the peer let go", { ...EVIDENCE, refusals: 2 }),
      ],
    },
    {
      name: "a release is a change of role",
      state: box("active", { snapshot: heard("yielded", "active") }),
      input: executed("release", "handover"),
      actions: [transition("active", "standby", "planned hand-over", EVIDENCE)],
    },
    {
      name: "a release in maintenance ends there",
      state: box("active", { snapshot: heard("yielded", "active"), more: { maintenance: true } }),
      input: executed("release", "handover"),
      actions: [transition("active", "maintenance", "planned hand-over", EVIDENCE)],
    },
    {
      name: "a take-over of what it holds already is announced again and changes no role",
      state: active,
      input: executed("takeOver", "refused"),
      actions: [ANNOUNCE],
    },
    {
      name: "a group that is no more is nobody's business",
      state: standby,
      input: executed("release", "order"),
      config: { groups: [] },
      actions: [],
    },
    {
      name: "a lapse is told",
      state: active,
      input: { kind: "report", report: { kind: "lapsed", group: 3, at: NOW } },
      actions: [note("lease-lapsed", "", { atMicros: NOW })],
    },
    {
      name: "a lease that was granted anew is told with its reason",
      state: active,
      input: { kind: "report", report: { kind: "granted", group: 3, at: NOW, reason: "acknowledged" } },
      actions: [note("lease-granted", "the peer hears this box again", { atMicros: NOW })],
    },
    {
      name: "a yield is told",
      state: active,
      input: { kind: "report", report: { kind: "yielded", group: 3, at: NOW } },
      actions: [note("yielded", "", { atMicros: NOW })],
    },
    {
      name: "what it took back ends the offer",
      state: box("active", { memory: { offer: { since: NOW, why: "switchover", made: true } } }),
      input: { kind: "report", report: { kind: "resumed", group: 3, at: NOW, reason: "refused" } },
      actions: [
        note("resumed", "the peer did not take over what was offered", { atMicros: NOW }),
        note("offer-failed", "the peer did not take over what was offered"),
      ],
    },
    {
      name: "a first silence asks the witnesses",
      state: standby,
      input: { kind: "report", report: { kind: "silence", at: NOW } },
      actions: [{ kind: "askWitnesses" }],
    },
    {
      name: "its end leaves nothing held",
      state: active,
      input: { kind: "pulseEnded" },
      actions: [transition("active", "initialize", "pulse ended"), groupOrder("initialize")],
    },
    {
      name: "its new start is told everything, and begins with the boot",
      state: active,
      input: { kind: "pulseStarted" },
      actions: [transition("active", "initialize", "pulse was started again"), TIMING, groupOrder("initialize")],
    },
    {
      name: "its new start after its end is no change of role",
      state: box("initialize"),
      input: { kind: "pulseStarted" },
      actions: [TIMING, groupOrder("initialize")],
    },
    {
      name: "its new start leaves maintenance alone",
      state: box("maintenance"),
      input: { kind: "pulseStarted" },
      actions: [TIMING, groupOrder("fault")],
    },
  ];
  test.each(rows)("$name", check);
});

describe("what pulse has done and could not tell", () => {
  it("is seen in the next snapshot: it took over", () => {
    const told = step(CONFIG, standby, { kind: "report", report: heard("active", "standby") }, NOW);
    expect(told.actions).toEqual([ANNOUNCE, transition("standby", "active", "pulse holds the group")]);
  });

  it("is seen in the next snapshot: it let go", () => {
    const told = step(CONFIG, active, { kind: "report", report: heard("standby", "active") }, NOW);
    expect(told.actions).toEqual([transition("active", "standby", "pulse does not hold the group")]);
  });

  it("is not sought in a snapshot from before it told", () => {
    const ill = { ...active, fitness: { edge: { health: 1, sentence: "" } } };
    const released = step(CONFIG, ill, executed("release", "taken"), NOW);
    expect(released.actions.map((one) => one.kind)).toEqual(["transition"]);
  });
});

test("a peer that is heard again is told of, and what this box holds is announced again", () => {
  const silent = { ...active, snapshot: heard("active", "active", { ...SILENT, heardAt: later(-400) }) };
  const again = step(CONFIG, silent, { kind: "report", report: heard("active", "standby") }, NOW);
  expect(again.actions).toEqual([
    {
      kind: "note",
      event: "peer-back",
      group: undefined,
      reason: "the peer is heard again",
      evidence: { silentMicros: 400_000 },
    },
    ANNOUNCE,
  ]);
});

describe("both boxes hold the group", () => {
  const both = heard("active", "active");

  it("is told when it begins and, with how long it lasted, when it ends", () => {
    const begun = step(CONFIG, active, { kind: "report", report: both }, NOW);
    expect(begun.actions).toEqual([note("conflict", "both boxes hold the group; one lets go now")]);
    expect(begun.state.conflictSince).toBe(NOW);
    const goes = step(CONFIG, begun.state, { kind: "report", report: both }, later(10));
    expect(goes.actions).toEqual([]);
    const ended = step(CONFIG, goes.state, { kind: "report", report: heard("active", "standby") }, later(30));
    expect(ended.actions).toEqual([
      {
        kind: "note",
        event: "conflict-over",
        group: undefined,
        reason: "one box holds each group",
        evidence: { lastedMicros: 30_000 },
      },
    ]);
    expect(ended.state.conflictSince).toBeUndefined();
  });

  it("is no conflict with a peer that is not heard", () => {
    const alone = heard("active", "active", SILENT);
    expect(step(CONFIG, active, { kind: "report", report: alone }, NOW).state.conflictSince).toBeUndefined();
  });
});

describe("the flap guard counts", () => {
  interface Count {
    readonly name: string;
    readonly state: PairState;
    readonly input: PairInput;
    readonly group?: Partial<PairGroupConfig>;
    readonly counted: boolean;
  }
  const yielding = (health: number, preference = 100) =>
    snapshotOf(NOW, [reportOf("ready", peerIn("yielded", { health, preference }))]);
  const gives = (why: "switchover" | "maintenance" | "health" | "preempt" | "wish") =>
    box("active", { memory: { offer: { since: NOW, why, made: true } }, snapshot: heard("yielded", "active") });
  const rows: readonly Count[] = [
    { name: "a take-over after silence", state: standby, input: executed("takeOver", "silence"), counted: true },
    {
      name: "a take-over from a peer that let go",
      state: standby,
      input: executed("takeOver", "released"),
      counted: true,
    },
    { name: "a take-over of what nobody held", state: standby, input: executed("takeOver", "order"), counted: true },
    {
      name: "a hand-over from a less fit peer",
      state: box("standby", { snapshot: yielding(254) }),
      input: executed("takeOver", "handover"),
      counted: true,
    },
    {
      name: "a hand-over from a less preferred peer with preempt",
      state: box("standby", { snapshot: yielding(255) }),
      input: executed("takeOver", "handover"),
      group: { preempt: true },
      counted: true,
    },
    {
      name: "no hand-over from an equal peer: a person ordered it there",
      state: box("standby", { snapshot: yielding(255) }),
      input: executed("takeOver", "handover"),
      counted: false,
    },
    {
      name: "no hand-over that was asked for here",
      state: box("standby", { memory: { wish: { until: later(1_000) } }, snapshot: yielding(254) }),
      input: executed("takeOver", "handover"),
      counted: false,
    },
    {
      name: "a hand-over to a fitter peer",
      state: gives("health"),
      input: executed("release", "handover"),
      counted: true,
    },
    {
      name: "a hand-over to a preferred peer",
      state: gives("preempt"),
      input: executed("release", "handover"),
      counted: true,
    },
    { name: "no switch-over", state: gives("switchover"), input: executed("release", "handover"), counted: false },
    {
      name: "no hand-over that the peer asked for",
      state: gives("wish"),
      input: executed("release", "handover"),
      counted: false,
    },
    { name: "no maintenance", state: gives("maintenance"), input: executed("release", "handover"), counted: false },
    { name: "no end of a conflict", state: active, input: executed("release", "taken"), counted: false },
    { name: "nothing taken over that it holds", state: active, input: executed("takeOver", "refused"), counted: false },
  ];
  test.each(rows)("$name", ({ state, input, group, counted }) => {
    const stepped = step({ ...CONFIG, groups: [{ ...EDGE, ...group }] }, state, input, NOW).state;
    expect(stepped.groups["edge"]?.changes).toEqual(counted ? [NOW] : []);
  });

  it("to three within a minute, and says so", () => {
    const twice = box("standby", { memory: { changes: [later(-50_000), later(-20_000)] } });
    expect(step(CONFIG, twice, executed("takeOver", "silence"), NOW).actions).toEqual([
      ANNOUNCE,
      note("held-down", "three moves within a minute: moves for preference or fitness wait", { seconds: 60 }),
      transition("standby", "active", SILENCE, EVIDENCE),
    ]);
  });
});
