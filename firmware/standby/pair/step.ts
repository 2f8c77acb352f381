/**
 * The election of a pair, one box's half: who holds each failover group, when it is offered to the other box, and how
 * long silence lasts. pulse carries the decisions out and reports; what must happen within a beat is armed beforehand.
 * Reads no clock and touches nothing.
 *
 * @see docs/standby.md
 */
import type { PulseCommand, PulseGroupReport, PulseReport, PulseSnapshot } from "@futago/hal/units/pulse.ts";
import { after, earliest, type Instant, instant, micros, seconds } from "@futago/hal/units/time.ts";
import { decideGroup, OFFER_AGAIN_AFTER } from "./decide.ts";
import { HEALTH_MAX } from "./fitness.ts";
import { countChange } from "./flap-guard.ts";
import { idleReason, idleRole } from "./idle.ts";
import { initialTiming, sameTiming, stepTiming } from "./timing.ts";
import {
  type GroupMemory,
  type PairAction,
  type PairConfig,
  type PairGroupConfig,
  type PairInput,
  type PairState,
  type PairStep,
  PULSE_REASON_SENTENCES,
  type RoleState,
} from "./types.ts";

const WISH_LASTS = seconds(5);
/** To have its connections told to a peer that is back, a box waits this long before it hands over unasked. */
const TELL_PATIENCE = seconds(10);
/** The step is called at least this often, so that waits end without an input. */
const REVIEW_EVERY = seconds(1);

export function initialPair(config: PairConfig, now: Instant, maintenance: boolean): PairState {
  return {
    bootedAt: now,
    booting: true,
    maintenance,
    snapshot: undefined,
    fitness: {},
    groups: {},
    timing: initialTiming(config.deadTime),
    conflictSince: undefined,
    witnessAt: instant(0),
    untoldUntil: undefined,
  };
}

function newGroup(now: Instant): GroupMemory {
  return {
    state: "initialize",
    since: now,
    reason: "waits for the peer or the end of the boot time",
    offer: undefined,
    offerNotBefore: instant(0),
    wish: undefined,
    changes: [],
    heldDownUntil: instant(0),
    holdDownMicros: micros(0),
    ordered: undefined,
  };
}

/** When step must be called with a timeout, at the latest. */
export function nextTimeout(config: PairConfig, state: PairState, now: Instant): Instant {
  const boot = state.booting ? after(state.bootedAt, config.bootWait) : undefined;
  const conflict = state.conflictSince === undefined ? undefined : after(state.conflictSince, state.timing.dead);
  const due = [boot, conflict].filter((at) => at !== undefined && at > now);
  return due.reduce(earliest, after(now, REVIEW_EVERY)) ?? now;
}

export function step(config: PairConfig, state: PairState, input: PairInput, now: Instant): PairStep {
  const actions: PairAction[] = [];
  const taken = takeInput(config, withGroups(config, state, now), input, now, actions);
  const timing = stepTiming(config, taken.timing, taken.snapshot, now);
  const fresh = input.kind === "configured" || input.kind === "pulseStarted";
  if (fresh || !sameTiming(timing, state.timing)) actions.push(...tellTiming(state, timing));
  const timed = { ...taken, timing };
  const booted = leaveBoot(config, timed, now);
  let next = booted;
  for (const group of config.groups) next = reviewGroup(config, next, state, group, fresh, now, actions);
  next = watchConflict(config, next, now, actions);
  return { state: next, actions };
}

function withGroups(config: PairConfig, state: PairState, now: Instant): PairState {
  const groups: Record<string, GroupMemory> = {};
  for (const group of config.groups) groups[group.name] = state.groups[group.name] ?? newGroup(now);
  return { ...state, groups };
}

function takeInput(
  config: PairConfig,
  state: PairState,
  input: PairInput,
  now: Instant,
  actions: PairAction[],
): PairState {
  switch (input.kind) {
    case "configured":
    case "timeout":
      return state;
    case "pulseEnded":
      return beginAnew(config, state, "pulse ended", now, actions);
    case "pulseStarted":
      return beginAnew(config, state, "pulse was started again", now, actions);
    case "witness":
      actions.push({ kind: "pulse", command: { kind: "witness", at: input.at } });
      return { ...state, witnessAt: input.at };
    case "fitness":
      return { ...state, fitness: input.fitness };
    case "connections":
      return { ...state, untoldUntil: input.told ? undefined : (state.untoldUntil ?? after(now, TELL_PATIENCE)) };
    case "maintenance":
      return { ...state, maintenance: input.on };
    case "switchover":
      return askSwitchover(config, state, input.group, now);
    case "report":
      return stillUntold(takeReport(config, state, input.report, actions), now);
  }
}

/** A peer that is not there cannot be told; when it is back, it gets the whole time. */
function stillUntold(state: PairState, now: Instant): PairState {
  if (state.untoldUntil === undefined || state.snapshot?.peerAlive === true) return state;
  return { ...state, untoldUntil: after(now, TELL_PATIENCE) };
}

function tellTiming(before: PairState, timing: PairState["timing"]): PairAction[] {
  const { dead, lease, beat, wanted } = timing;
  const told: PairAction[] = [{ kind: "pulse", command: { kind: "timing", dead, lease, beat, wanted } }];
  if (dead === before.timing.dead) return told;
  const event = dead > before.timing.dead ? "widened" : "narrowed";
  const reason = `the dead time is ${dead / 1_000} ms now`;
  const evidence = { deadMicros: dead, leaseMicros: lease, latenessP999Micros: timing.latenessP999 };
  return [...told, { kind: "note", event, group: undefined, reason, evidence }];
}

/** A booted box may hold a role once it has met its peer, or has waited for it long enough. */
function leaveBoot(config: PairConfig, state: PairState, now: Instant): PairState {
  if (!state.booting || state.snapshot === undefined) return state;
  const met = state.snapshot.peerAlive && state.snapshot.peerDead > 0;
  return met || now >= after(state.bootedAt, config.bootWait) ? { ...state, booting: false } : state;
}

/** Without the memory of a pulse there is nothing to hold a role by. */
function beginAnew(
  config: PairConfig,
  state: PairState,
  reason: string,
  now: Instant,
  actions: PairAction[],
): PairState {
  let next: PairState = { ...state, snapshot: undefined, booting: true, bootedAt: now };
  for (const group of config.groups) {
    const memory = next.groups[group.name] ?? newGroup(now);
    const idle = { ...memory, offer: undefined, wish: undefined, ordered: undefined };
    const role = idleRole(config, next);
    const why = role === "spare" ? idleReason(config, next, idle) : reason;
    next = putGroup(next, group.name, enter(idle, group, role, why, now, {}, actions));
  }
  return next;
}

function askSwitchover(config: PairConfig, state: PairState, name: string | undefined, now: Instant): PairState {
  const groups = { ...state.groups };
  for (const group of config.groups) {
    const memory = groups[group.name];
    if (memory === undefined || (name !== undefined && name !== group.name)) continue;
    groups[group.name] =
      memory.state === "active"
        ? { ...memory, offer: memory.offer ?? { since: now, why: "switchover", made: false } }
        : { ...memory, wish: { until: after(now, WISH_LASTS) } };
  }
  return { ...state, groups };
}

function groupBySlot(config: PairConfig, slot: number): PairGroupConfig | undefined {
  return config.groups.find((group) => group.slot === slot);
}

function takeReport(config: PairConfig, state: PairState, report: PulseReport, actions: PairAction[]): PairState {
  switch (report.kind) {
    case "hello":
      return state;
    case "snapshot":
      if (state.snapshot?.peerAlive === false && state.snapshot.peerKnown && report.peerAlive)
        actions.push(...healed(config, state, state.snapshot, report));
      return adopt(config, { ...beginListening(state, report), snapshot: report }, report, actions);
    case "silence":
      actions.push({ kind: "askWitnesses" });
      return state;
    case "executed":
      return takeExecuted(config, state, report, actions);
    case "lapsed":
    case "granted":
    case "resumed":
    case "yielded": {
      const event = (
        { lapsed: "lease-lapsed", granted: "lease-granted", resumed: "resumed", yielded: "yielded" } as const
      )[report.kind];
      const reason = "reason" in report ? PULSE_REASON_SENTENCES[report.reason] : "";
      const group = groupBySlot(config, report.group)?.name;
      actions.push({ kind: "note", event, group, reason, evidence: { atMicros: report.at } });
      return report.kind === "resumed" ? withdrawOffer(state, group, report.at, reason, actions) : state;
    }
  }
}

/** The boot time is for hearing the peer: a pulse that was slow to start has listened for none of it yet. */
function beginListening(state: PairState, first: PulseSnapshot): PairState {
  return state.booting && state.snapshot === undefined && first.at > state.bootedAt
    ? { ...state, bootedAt: first.at }
    : state;
}

/** While the boxes did not hear each other both may have told the neighbours that an address is theirs. */
function healed(config: PairConfig, state: PairState, before: PulseSnapshot, report: PulseSnapshot): PairAction[] {
  const held = config.groups.filter(({ name }) => state.groups[name]?.state === "active");
  const reason = "the peer is heard again";
  const evidence = { silentMicros: report.at - before.heardAt };
  return [
    { kind: "note", event: "peer-back", group: undefined, reason, evidence },
    ...held.map(({ slot }): PairAction => ({ kind: "announce", slot })),
  ];
}

/** What pulse has done it tells before the next snapshot. Where the two differ, the telling was lost. */
function adopt(config: PairConfig, state: PairState, snapshot: PulseSnapshot, actions: PairAction[]): PairState {
  let next = state;
  for (const group of config.groups) {
    const memory = next.groups[group.name];
    const report = reportOf(snapshot, group);
    if (memory === undefined || report === undefined) continue;
    const holds = report.state === "active" || report.state === "offering" || report.state === "yielded";
    if (holds === (memory.state === "active")) continue;
    if (holds) actions.push({ kind: "announce", slot: group.slot });
    const reason = holds ? "pulse holds the group" : "pulse does not hold the group";
    const entered = enter(memory, group, holds ? "active" : idleRole(config, next), reason, snapshot.at, {}, actions);
    next = putGroup(next, group.name, { ...entered, ordered: undefined });
  }
  return next;
}

function withdrawOffer(
  state: PairState,
  name: string | undefined,
  now: Instant,
  reason: string,
  actions: PairAction[],
): PairState {
  const memory = name === undefined ? undefined : state.groups[name];
  if (name === undefined || memory?.offer === undefined) return state;
  actions.push({ kind: "note", event: "offer-failed", group: name, reason, evidence: {} });
  return putGroup(state, name, { ...memory, offer: undefined, offerNotBefore: after(now, OFFER_AGAIN_AFTER) });
}

type Executed = Extract<PulseReport, { kind: "executed" }>;

function executedEvidence(report: Executed, memory: GroupMemory): Record<string, number> {
  return {
    ...(report.reason === "taken" ? { heldMicros: report.doneAt - memory.since } : {}),
    silentMicros: report.decidedAt - report.heardAt,
    planMicros: report.doneAt - report.decidedAt,
    refusals: report.errors,
  };
}

function takeExecuted(config: PairConfig, state: PairState, report: Executed, actions: PairAction[]): PairState {
  const group = groupBySlot(config, report.group);
  const memory = group === undefined ? undefined : state.groups[group.name];
  if (group === undefined || memory === undefined) return state;
  const evidence = executedEvidence(report, memory);
  if (report.errors > 0) {
    const reason = `the kernel refused ${report.errors} of the plan's requests; the first with errno ${report.firstErrno}`;
    actions.push({ kind: "note", event: "plan-failed", group: group.name, reason, evidence });
  }
  if (report.plan === "takeOver") actions.push({ kind: "announce", slot: group.slot });
  const counted = nobodyOrdered(state, group, memory, report) ? countChange(memory, report.doneAt) : memory;
  if (counted.heldDownUntil > memory.heldDownUntil) {
    const reason = "three moves within a minute: moves for preference or fitness wait";
    const holdSeconds = Math.round((counted.heldDownUntil - report.doneAt) / 1_000_000);
    actions.push({ kind: "note", event: "held-down", group: group.name, reason, evidence: { seconds: holdSeconds } });
  }
  const to: RoleState = report.plan === "takeOver" ? "active" : idleRole(config, state);
  const reason = (report.reason === "order" ? memory.ordered : undefined) ?? PULSE_REASON_SENTENCES[report.reason];
  const entered = enter(counted, group, to, reason, report.doneAt, evidence, actions);
  return putGroup(state, group.name, { ...entered, ordered: undefined, wish: undefined });
}

/** Whether the pair itself moved the group, and no person: such moves can go to and fro for ever. */
function nobodyOrdered(state: PairState, group: PairGroupConfig, memory: GroupMemory, report: Executed): boolean {
  const handover = report.reason === "handover";
  if (report.plan === "release") return handover && (memory.offer?.why === "health" || memory.offer?.why === "preempt");
  if (memory.state === "active") return false;
  if (!handover) return true;
  // Why the peer offered it, it does not say. It had a reason of its own when this box is the better one.
  const peer = reportOf(state.snapshot, group)?.peer;
  if (memory.wish !== undefined || peer === undefined) return false;
  const health = state.fitness[group.name]?.health ?? HEALTH_MAX;
  if (health !== peer.health) return health > peer.health;
  return group.preempt && group.preference > peer.preference;
}

function enter(
  memory: GroupMemory,
  group: PairGroupConfig,
  to: RoleState,
  reason: string,
  at: Instant,
  evidence: Readonly<Record<string, number | string>>,
  actions: PairAction[],
): GroupMemory {
  if (memory.state === to) return memory;
  actions.push({ kind: "transition", group: group.name, slot: group.slot, from: memory.state, to, reason, evidence });
  return { ...memory, state: to, since: at, reason, offer: undefined };
}

function putGroup(state: PairState, name: string, memory: GroupMemory): PairState {
  return { ...state, groups: { ...state.groups, [name]: memory } };
}

function reportOf(snapshot: PulseSnapshot | undefined, group: PairGroupConfig): PulseGroupReport | undefined {
  return snapshot?.groups.find((entry) => entry.group === group.slot && entry.id === group.id);
}

/** Tells pulse how the group stands, then decides whether it should change hands. */
function reviewGroup(
  config: PairConfig,
  state: PairState,
  before: PairState,
  group: PairGroupConfig,
  fresh: boolean,
  now: Instant,
  actions: PairAction[],
): PairState {
  const memory = withoutOldWish(state.groups[group.name] ?? newGroup(now), now);
  const known = reportOf(state.snapshot, group);
  const order = groupOrder(config, putGroup(state, group.name, memory), group);
  const told = fresh || before.groups[group.name] === undefined ? undefined : groupOrder(config, before, group);
  if (told === undefined || JSON.stringify(told) !== JSON.stringify(order))
    actions.push({ kind: "pulse", command: order });
  let next = memory;
  if (next.state !== "active" && next.state !== idleRole(config, state)) {
    next = enter(next, group, idleRole(config, state), idleReason(config, state, next), now, {}, actions);
  }
  if (known !== undefined) next = decideGroup({ config, state, group, memory: next, report: known, now }, actions);
  return putGroup(state, group.name, next);
}

/** Before pulse is told, so that the peer stops hearing of a wish that has run out. */
function withoutOldWish(memory: GroupMemory, now: Instant): GroupMemory {
  return memory.wish !== undefined && now > memory.wish.until ? { ...memory, wish: undefined } : memory;
}

function groupOrder(
  config: PairConfig,
  state: PairState,
  group: PairGroupConfig,
): Extract<PulseCommand, { kind: "group" }> {
  const role = idleRole(config, state);
  const idle = role === "maintenance" || role === "spare" ? "fault" : role === "initialize" ? "initialize" : "standby";
  return {
    kind: "group",
    group: group.slot,
    id: group.id,
    idle,
    armed: idle === "standby",
    health: state.fitness[group.name]?.health ?? HEALTH_MAX,
    preference: group.preference,
    asks: state.groups[group.name]?.wish !== undefined,
  };
}

function watchConflict(config: PairConfig, state: PairState, now: Instant, actions: PairAction[]): PairState {
  const both = config.groups.find((group) => {
    const report = reportOf(state.snapshot, group);
    return (
      state.snapshot?.peerAlive === true &&
      report?.state === "active" &&
      (report.peer?.state === "active" || report.peer?.state === "offering")
    );
  });
  if (both !== undefined && state.conflictSince === undefined) {
    const reason = "both boxes hold the group; one lets go now";
    actions.push({ kind: "note", event: "conflict", group: both.name, reason, evidence: {} });
    return { ...state, conflictSince: now };
  }
  if (both === undefined && state.conflictSince !== undefined) {
    const evidence = { lastedMicros: now - state.conflictSince };
    actions.push({
      kind: "note",
      event: "conflict-over",
      group: undefined,
      reason: "one box holds each group",
      evidence,
    });
    return { ...state, conflictSince: undefined };
  }
  return state;
}
