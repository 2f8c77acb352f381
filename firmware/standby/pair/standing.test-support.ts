/** A box whose group stands in some state, what may happen to it, and the actions that may follow: for tests of step. */
import type { PulseGroupState, PulseReport, PulseSnapshot } from "@futago/hal/units/pulse.ts";
import { after, type Instant, instant, millis } from "@futago/hal/units/time.ts";
import { initialPair, step } from "./step.ts";
import type { GroupMemory, PairAction, PairConfig, PairGroupConfig, PairInput, PairState, PairStep } from "./types.ts";
import { CONFIG, EDGE, memoryOf, peerIn, reportOf, snapshotOf } from "./view.test-support.ts";

/** The box booted a minute ago. */
export const BOOT = instant(40_000_000);
export const NOW = instant(100_000_000);

export function later(milliseconds: number): Instant {
  return after(NOW, millis(milliseconds));
}

export const TIMING: PairAction = {
  kind: "pulse",
  command: { kind: "timing", dead: millis(75), lease: millis(45), beat: millis(15), wanted: millis(75) },
};

export function groupOrder(
  idle: "initialize" | "standby" | "fault",
  more: { health?: number; asks?: boolean } = {},
): PairAction {
  const standing = { health: 255, preference: 200, asks: false, ...more };
  return {
    kind: "pulse",
    command: { kind: "group", group: EDGE.slot, id: EDGE.id, idle, armed: idle === "standby", ...standing },
  };
}

export function act(
  what: "takeOver" | "ready" | "offer" | "keep",
  reason: "order" | "handover" | "refused",
): PairAction {
  return { kind: "pulse", command: { kind: "act", group: EDGE.slot, act: what, reason } };
}

export function transition(
  from: GroupMemory["state"],
  to: GroupMemory["state"],
  reason: string,
  evidence = {},
): PairAction {
  return { kind: "transition", group: "edge", slot: EDGE.slot, from, to, reason, evidence };
}

export type NoteEvent = Extract<PairAction, { kind: "note" }>["event"];

export function note(event: NoteEvent, reason: string, evidence: Record<string, number> = {}): PairAction {
  return { kind: "note", event, group: "edge", reason, evidence };
}

export const booted = initialPair(CONFIG, BOOT, false);

export interface Standing {
  readonly memory?: Partial<GroupMemory>;
  readonly snapshot?: PulseSnapshot | undefined;
  readonly more?: Partial<PairState>;
}

/** A box whose group stands like this. */
export function box(state: GroupMemory["state"], { memory, snapshot, more }: Standing = {}): PairState {
  return {
    ...booted,
    booting: state === "initialize",
    maintenance: state === "maintenance",
    groups: { edge: memoryOf(state, BOOT, memory) },
    snapshot,
    ...more,
  };
}

export function heard(
  own: PulseGroupState,
  peer: PulseGroupState | undefined,
  more: Partial<PulseSnapshot> = {},
  at = NOW,
): PulseSnapshot {
  return snapshotOf(at, [reportOf(own, peer === undefined ? undefined : peerIn(peer))], more);
}

export const standby = box("standby", { snapshot: heard("standby", "active") });
export const active = box("active", { snapshot: heard("active", "standby") });

export function executed(
  plan: "takeOver" | "release",
  reason: Extract<PulseReport, { kind: "executed" }>["reason"],
  errors = 0,
): PairInput {
  const times = { heardAt: later(-80), decidedAt: later(-2), doneAt: NOW };
  const report = {
    kind: "executed",
    group: EDGE.slot,
    plan,
    reason,
    ...times,
    errors,
    firstErrno: errors,
    paths: [],
  } as const;
  return { kind: "report", report };
}

export const EVIDENCE = { silentMicros: 78_000, planMicros: 2_000, refusals: 0 };
export const ANNOUNCE: PairAction = { kind: "announce", slot: EDGE.slot };
export const SILENCE = "the peer was silent on every path for the dead time";

export interface Row {
  readonly name: string;
  readonly state: PairState;
  readonly input: PairInput;
  readonly now?: Instant;
  readonly config?: Partial<PairConfig>;
  readonly group?: Partial<PairGroupConfig>;
  readonly actions: readonly PairAction[];
}

export function run(row: Row): PairStep {
  const config = { ...CONFIG, groups: [{ ...EDGE, ...row.group }], ...row.config };
  return step(config, row.state, row.input, row.now ?? NOW);
}
