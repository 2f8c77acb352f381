import { describe, expect, test } from "vitest";
import { box, groupOrder, heard, type Row, run, standby, TIMING, transition } from "./standing.test-support.ts";
import type { PairAction } from "./types.ts";
import { CONFIG, EDGE, LONELY } from "./view.test-support.ts";

const SPARE = { ...CONFIG, spare: true };
const RELEASE: PairAction = {
  kind: "pulse",
  command: { kind: "act", group: EDGE.slot, act: "release", reason: "order" },
};
const spare = (more: Parameters<typeof heard>[2] = {}) => box("spare", { snapshot: heard("fault", undefined, more) });

describe("the spare of a cold pair", () => {
  const rows: readonly Row[] = [
    {
      name: "is it from its first moment",
      state: box("initialize"),
      input: { kind: "pulseStarted" },
      config: SPARE,
      actions: [transition("initialize", "spare", "this box is the spare of a cold pair"), TIMING, groupOrder("fault")],
    },
    {
      name: "is not armed when it was a standby",
      state: standby,
      input: { kind: "configured" },
      config: SPARE,
      actions: [TIMING, groupOrder("fault"), transition("standby", "spare", "this box is the spare of a cold pair")],
    },
    {
      name: "lets go of what it holds, with nobody there to take it",
      state: box("active", { snapshot: heard("active", undefined, LONELY) }),
      input: { kind: "configured" },
      config: SPARE,
      actions: [TIMING, groupOrder("fault"), RELEASE],
    },
    {
      name: "lets go of what it was offering",
      state: box("active", { snapshot: heard("offering", "standby") }),
      input: { kind: "configured" },
      config: SPARE,
      actions: [TIMING, groupOrder("fault"), RELEASE],
    },
    {
      name: "takes nothing from a peer that was never met",
      state: spare(LONELY),
      input: { kind: "timeout" },
      config: SPARE,
      actions: [],
    },
    {
      name: "takes nothing, and no offer, while pulse still has it as a standby",
      state: box("spare", { snapshot: heard("standby", "offering") }),
      input: { kind: "timeout" },
      config: SPARE,
      actions: [],
    },
    {
      name: "is armed when a person activates it",
      state: box("spare", { snapshot: heard("fault", "fault") }),
      input: { kind: "configured" },
      actions: [TIMING, groupOrder("standby"), transition("spare", "standby", "this box is the spare no longer")],
    },
  ];
  test.each(rows)("$name", (row) => {
    expect(run(row).actions).toEqual(row.actions);
  });
});
