import { describe, expect, it, test } from "vitest";
import { after, instant, micros, millis, seconds } from "@futago/hal/units/time.ts";
import {
  NOW,
  later,
  TIMING,
  groupOrder,
  act,
  transition,
  note,
  box,
  heard,
  standby,
  active,
  type Row,
  run,
} from "./standing.test-support.ts";
import { nextTimeout, step } from "./step.ts";
import type { PairAction } from "./types.ts";
import { CONFIG, LONELY } from "./view.test-support.ts";

function check(row: Row): void {
  expect(run(row).actions).toEqual(row.actions);
}

describe("a box that boots", () => {
  const fresh = box("initialize", { more: { bootedAt: NOW } });
  const lonely = heard("initialize", undefined, LONELY);
  const rows: readonly Row[] = [
    {
      name: "tells pulse the times and that it holds nothing yet",
      state: fresh,
      input: { kind: "configured" },
      actions: [TIMING, groupOrder("initialize")],
    },
    {
      name: "waits for its peer",
      state: fresh,
      input: { kind: "report", report: lonely },
      now: later(2_999),
      actions: [],
    },
    {
      name: "may hold a role when the boot time is over, and takes the group that nobody has",
      state: { ...fresh, snapshot: lonely },
      input: { kind: "timeout" },
      now: later(3_000),
      actions: [groupOrder("standby"), transition("initialize", "standby", "the boot time is over")],
    },
    {
      name: "may hold a role when it has met its peer",
      state: fresh,
      input: { kind: "report", report: heard("initialize", "active") },
      actions: [groupOrder("standby"), transition("initialize", "standby", "the peer was met")],
    },
    {
      name: "has not met a peer whose times are unknown",
      state: fresh,
      input: { kind: "report", report: heard("initialize", undefined, { peerDead: micros(0) }) },
      actions: [],
    },
    {
      name: "waits for the first word of pulse, however long",
      state: fresh,
      input: { kind: "timeout" },
      now: later(60_000),
      actions: [],
    },
    {
      name: "listens for the whole boot time from that word on, and holds nothing when it comes late",
      state: fresh,
      input: { kind: "report", report: { ...lonely, at: later(5_900) } },
      now: later(5_900),
      actions: [],
    },
    {
      name: "goes from its boot into maintenance, if that was wished",
      state: { ...fresh, maintenance: true },
      input: { kind: "report", report: heard("initialize", "active") },
      actions: [transition("initialize", "maintenance", "maintenance was switched on")],
    },
    {
      name: "has nothing to say to pulse's greeting",
      state: fresh,
      input: { kind: "report", report: { kind: "hello", version: 1 } },
      actions: [],
    },
  ];
  test.each(rows)("$name", check);
});

describe("orders and news", () => {
  const rows: readonly Row[] = [
    {
      name: "the same news twice is nothing to do",
      state: standby,
      input: { kind: "report", report: heard("standby", "active") },
      actions: [],
    },
    { name: "time alone is nothing to do", state: standby, input: { kind: "timeout" }, actions: [] },
    {
      name: "new orders are told to pulse whole",
      state: active,
      input: { kind: "configured" },
      actions: [TIMING, groupOrder("standby")],
    },
    {
      name: "another preference is told",
      state: active,
      input: { kind: "configured" },
      group: { preference: 7 },
      actions: [TIMING, { kind: "pulse", command: { ...pulseOrder(groupOrder("standby")), preference: 7 } }],
    },
    {
      name: "a new group begins like any other",
      state: { ...standby, groups: {} },
      input: { kind: "timeout" },
      actions: [groupOrder("standby"), transition("initialize", "standby", "the peer was met")],
    },
    {
      name: "fitness is told to the peer through pulse",
      state: standby,
      input: { kind: "fitness", fitness: { edge: { health: 155, sentence: "eth0 has no carrier" } } },
      actions: [groupOrder("standby", { health: 155 })],
    },
    {
      name: "a carrier that is lost moves the group",
      state: active,
      input: { kind: "fitness", fitness: { edge: { health: 155, sentence: "eth0 has no carrier" } } },
      actions: [groupOrder("standby", { health: 155 }), act("offer", "handover"), note("offer", "the peer is fitter")],
    },
    {
      name: "a switch-over at the active is an offer",
      state: active,
      input: { kind: "switchover", group: undefined },
      actions: [act("offer", "handover"), note("offer", "somebody ordered a switch-over")],
    },
    {
      name: "a switch-over at the standby asks the peer",
      state: standby,
      input: { kind: "switchover", group: "edge" },
      actions: [groupOrder("standby", { asks: true })],
    },
    {
      name: "a switch-over of another group is not this one's",
      state: active,
      input: { kind: "switchover", group: "other" },
      actions: [],
    },
    {
      name: "a wish ends after five seconds",
      state: box("standby", { memory: { wish: { until: NOW } }, snapshot: heard("standby", "active") }),
      input: { kind: "timeout" },
      now: instant(NOW + 1),
      actions: [groupOrder("standby")],
    },
    {
      name: "maintenance of a standby is a change of role, and it is not armed",
      state: standby,
      input: { kind: "maintenance", on: true },
      actions: [groupOrder("fault"), transition("standby", "maintenance", "maintenance was switched on")],
    },
    {
      name: "maintenance of an active is an offer first",
      state: active,
      input: { kind: "maintenance", on: true },
      actions: [groupOrder("fault"), act("offer", "handover"), note("offer", "this box goes into maintenance")],
    },
    {
      name: "the end of maintenance is a change of role",
      state: box("maintenance", { snapshot: heard("fault", "active") }),
      input: { kind: "maintenance", on: false },
      actions: [groupOrder("standby"), transition("maintenance", "standby", "maintenance was switched off")],
    },
    {
      name: "a witness's answer goes to pulse as the moment it was asked",
      state: standby,
      input: { kind: "witness", at: later(-20) },
      actions: [{ kind: "pulse", command: { kind: "witness", at: later(-20) } }],
    },
    {
      name: "connections that the peer lacks change nothing by themselves",
      state: standby,
      input: { kind: "connections", told: false },
      actions: [],
    },
    {
      name: "a peer that wants to wait longer is waited for",
      state: standby,
      input: { kind: "report", report: heard("standby", "active", { peerWanted: millis(150) }) },
      actions: [
        {
          kind: "pulse",
          command: { kind: "timing", dead: millis(150), lease: millis(45), beat: millis(15), wanted: millis(75) },
        },
        {
          kind: "note",
          event: "widened",
          group: undefined,
          reason: "the dead time is 150 ms now",
          evidence: { deadMicros: 150_000, leaseMicros: 45_000, latenessP999Micros: 0 },
        },
      ],
    },
  ];
  test.each(rows)("$name", check);
});

function pulseOrder(action: PairAction): Extract<Extract<PairAction, { kind: "pulse" }>["command"], { kind: "group" }> {
  if (action.kind !== "pulse" || action.command.kind !== "group") throw new Error("no order");
  return action.command;
}

test("a wish is passed on for five seconds", () => {
  const asked = step(CONFIG, standby, { kind: "switchover", group: undefined }, NOW).state;
  expect(asked.groups["edge"]?.wish).toEqual({ until: after(NOW, seconds(5)) });
});

describe("the next look", () => {
  it("is after a second at the latest", () => {
    expect(nextTimeout(CONFIG, standby, NOW)).toBe(later(1_000));
  });

  it("is at the end of the boot time, when that is sooner", () => {
    const boots = box("initialize", { more: { bootedAt: later(-2_900) } });
    expect(nextTimeout(CONFIG, boots, NOW)).toBe(later(100));
    expect(nextTimeout(CONFIG, boots, later(100))).toBe(later(1_100));
  });

  it("is a boot time after the first word of a pulse that was slow to start", () => {
    const fresh = box("initialize", { more: { bootedAt: NOW } });
    const lonely = heard("initialize", undefined, { ...LONELY, at: later(5_900) });
    const { state } = step(CONFIG, fresh, { kind: "report", report: lonely }, later(5_900));
    const again = step(CONFIG, state, { kind: "report", report: { ...lonely, at: later(6_800) } }, later(6_800)).state;
    expect(again).toMatchObject({ booting: true, bootedAt: later(5_900) });
    expect(nextTimeout(CONFIG, again, later(8_000))).toBe(later(8_900));
    expect(step(CONFIG, again, { kind: "timeout" }, later(8_900)).state.booting).toBe(false);
  });

  it("is a dead time after a conflict began", () => {
    expect(nextTimeout(CONFIG, { ...active, conflictSince: later(-10) }, NOW)).toBe(later(65));
  });
});
