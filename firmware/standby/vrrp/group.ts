/**
 * A failover group on a box alone: RFC 9568's machine once per virtual router, coupled so that all move together.
 *
 * - Backup to Active: when the Active_Down_Timers of *all* its virtual routers have passed. One silent link is no
 *   proof that the Active Router is gone, and taking half of a group is what a group must never do.
 * - Active to Backup: when a better router is heard on *one* link; Priority 0 goes out on the others.
 * - A tie is settled on the first virtual router of the group on which the rival is heard: settled one by one, two
 *   boxes whose addresses sort differently on two links would each lose one and both give up, for ever.
 * - Worse health or a lost link, while Active, puts the role on *offer*: Priority 0 is sent and everybody's
 *   Skew_Time runs, ours among them and half a step ahead of an equal, while the VIPs go on answering. So the role
 *   moves to a better router even under Preempt_Mode False, without a gap, and stays when there is none.
 *
 * It sends nothing and reads no clock.
 *
 * @see RFC 9568 §6.4
 */
import { between, type Instant } from "@futago/hal/units/time.ts";
import {
  advertise,
  backupRouters,
  idle,
  keepRole,
  moveTo,
  offerRole,
  release,
  replaceRouter,
  seconds,
  silence,
  stay,
  takeOver,
  yieldRole,
} from "./group-moves.ts";
import { shiftSkew, stepBackupAdvertisement, tieIsSettledHere, withRival } from "./group-rivals.ts";
import {
  effectivePriority,
  isLinked,
  machineConfig,
  nextTimeout,
  shortestInterval,
  type ActiveGroup,
  type GroupAction,
  type GroupConfig,
  type GroupInput,
  type GroupState,
  type GroupStep,
} from "./group-state.ts";
import { enterActive, enterBackup, PRIORITY_OWNER, PRIORITY_RELEASE, senderWins } from "./machine.ts";

export function step(config: GroupConfig, state: GroupState, input: GroupInput, now: Instant): GroupStep {
  switch (input.kind) {
    case "startup":
      return state.kind === "initialize" ? begin(config, state, now, "started") : stay(state);
    case "shutdown":
      return shutdown(state, now);
    case "timeout":
      return stepTimeout(config, state, input.drained, now);
    case "advertisement":
      return stepAdvertisement(config, state, input, now);
    case "priorityChanged":
      return changePriority(config, state, input.priority, input.sentence, now);
    case "linkLost":
      return loseLink(config, state, input, now);
    case "linkBack":
      return regainLink(config, state, input, now);
    case "sendFailed":
      // With the lease unrenewed, the next advertisement that does leave counts as a fresh start and announces.
      return stay(state.kind === "active" ? { ...state, leaseUntil: now } : state);
    case "handOver":
      return state.kind === "active" ? offerRole(config, state, true, input.sentence, now) : stay(state);
  }
}

/** From Initialize or fault into the election. */
function begin(config: GroupConfig, state: GroupState, now: Instant, reason: string): GroupStep {
  if (!state.routers.some(isLinked)) return moveTo(state, "fault", state.routers, "no virtual router has a link", now);
  if (effectivePriority(state) === PRIORITY_OWNER) return takeOver(config, state, now, "this box owns the addresses");
  return moveTo(state, "backup", backupRouters(config, state, now), reason, now);
}

function shutdown(state: GroupState, now: Instant): GroupStep {
  if (state.kind === "initialize") return stay(state);
  const routers = state.routers.map(idle);
  const actions = state.kind === "active" ? release(state, undefined) : [];
  return moveTo(state, "initialize", routers, "shut down", now, actions);
}

function stepTimeout(config: GroupConfig, state: GroupState, drained: boolean, now: Instant): GroupStep {
  const deadline = nextTimeout(state);
  if (deadline === undefined || now < deadline) return stay(state);
  if (state.kind === "backup") {
    if (!drained) return { state, actions: [{ kind: "drainSockets" }] };
    return takeOver(config, state, now, silenceSentence(state, now));
  }
  return state.kind === "active" ? stepActiveTimeout(config, state, deadline, drained, now) : stay(state);
}

function stepActiveTimeout(
  config: GroupConfig,
  state: ActiveGroup,
  deadline: Instant,
  drained: boolean,
  now: Instant,
): GroupStep {
  const interval = shortestInterval(config, state);
  const late = between(deadline, now);
  if (!drained && (state.offer !== undefined || late > interval / 2)) {
    return { state, actions: [{ kind: "drainSockets" }] };
  }
  // Three intervals without our advertisement entitle others to the role; the last left one interval before the deadline.
  if (late >= 2 * interval && effectivePriority(state) !== PRIORITY_OWNER) {
    const reason = `this box stood still for ${seconds(late)}; another may have taken over`;
    return moveTo(state, "backup", backupRouters(config, state, now), reason, now, silence(state));
  }
  if (state.offer !== undefined) return keepRole(config, state, "nobody better took the role", now);
  if (state.reofferAt !== undefined && state.reofferAt <= now) {
    return offerRole(config, state, false, "still below its configured priority", now);
  }
  return advertise(config, state, (router) => router.machine.kind === "active" && router.machine.adverAt <= now, now);
}

function stepAdvertisement(
  config: GroupConfig,
  before: GroupState,
  input: Extract<GroupInput, { kind: "advertisement" }>,
  now: Instant,
): GroupStep {
  const { id, heard } = input;
  const index = before.routers.findIndex((router) => router.id === id);
  const router = before.routers[index];
  if (router === undefined || !isLinked(router) || heard.source === router.primaryAddress) return stay(before);
  const mine = machineConfig(config, router, effectivePriority(before));
  const state = withRival(before, index, mine, heard, now);
  if (state.kind === "backup") return stay(stepBackupAdvertisement(config, state, index, heard, now));
  if (state.kind !== "active") return stay(state);
  if (heard.priority === PRIORITY_RELEASE) {
    // Another active router gives up; whoever hears it must hear us at once. An offer runs on: it speaks for itself.
    return state.offer === undefined ? advertise(config, state, (other) => other.id === id, now) : stay(state);
  }
  const sender = `${heard.source} on ${id} with priority ${heard.priority}`;
  if (state.offer?.handOver === true) return yieldRole(config, state, id, heard, `handed over to ${sender}`, now);
  if (senderWins(mine, heard)) {
    const settled = heard.priority > mine.priority || tieIsSettledHere(config, state, index, now);
    return settled
      ? yieldRole(config, state, id, heard, `yields to ${sender}, its own is ${mine.priority}`, now)
      : stay(state);
  }
  if (state.offer !== undefined) return keepRole(config, state, `outbids ${sender}`, now);
  return { state, actions: [{ kind: "sendAdvertisement", id, priority: mine.priority }] };
}

function changePriority(
  config: GroupConfig,
  state: GroupState,
  priority: number,
  sentence: string,
  now: Instant,
): GroupStep {
  const was = effectivePriority(state);
  const next: GroupState = { ...state, priority };
  return afterPriority(config, next, was, sentence, now);
}

/** What a change of the effective Priority from `was` brings about. */
function afterPriority(config: GroupConfig, state: GroupState, was: number, sentence: string, now: Instant): GroupStep {
  const is = effectivePriority(state);
  if (state.kind === "backup") {
    if (is === PRIORITY_OWNER) return takeOver(config, state, now, "this box owns the addresses");
    return stay(shiftSkew(state, was, is, now));
  }
  if (state.kind !== "active") return stay(state);
  const reason = `priority ${was} to ${is}: ${sentence}`;
  if (is < was) return offerRole(config, state, false, reason, now);
  const settled: ActiveGroup = is < config.priority ? state : { ...state, reofferAt: undefined };
  const offering = state.offer !== undefined && !state.offer.handOver && is > was;
  return offering ? keepRole(config, settled, reason, now) : stay(settled);
}

function loseLink(
  config: GroupConfig,
  state: GroupState,
  input: Extract<GroupInput, { kind: "linkLost" }>,
  now: Instant,
): GroupStep {
  const lost = state.routers.find((router) => router.id === input.id);
  if (lost === undefined || !isLinked(lost)) return stay(state);
  const was = effectivePriority(state);
  const routers = state.routers.map((router) =>
    router === lost ? { ...idle(router), primaryAddress: undefined } : router,
  );
  const removal: readonly GroupAction[] =
    lost.machine.kind === "active" ? [{ kind: "removeAddresses", id: lost.id }] : [];
  if (state.kind === "initialize" || state.kind === "fault") return stay({ ...state, routers });
  if (!routers.some(isLinked)) {
    const silent: readonly GroupAction[] = state.kind === "active" ? [{ kind: "dropLease" }, ...removal] : [];
    return moveTo(state, "fault", routers, input.sentence, now, silent);
  }
  if (state.kind === "backup") return afterPriority(config, { ...state, routers }, was, input.sentence, now);
  const offered = offerRole(config, { ...state, routers }, false, input.sentence, now);
  return { state: offered.state, actions: [...removal, ...offered.actions] };
}

function regainLink(
  config: GroupConfig,
  state: GroupState,
  input: Extract<GroupInput, { kind: "linkBack" }>,
  now: Instant,
): GroupStep {
  const back = state.routers.find((router) => router.id === input.id);
  if (back === undefined || back.primaryAddress === input.primaryAddress) return stay(state);
  const was = effectivePriority(state);
  const linked = { ...back, primaryAddress: input.primaryAddress };
  const routers = state.routers.map((router) => (router === back ? linked : router));
  const next: GroupState = { ...state, routers };
  if (isLinked(back) || state.kind === "initialize") return stay(next);
  if (state.kind === "fault") return begin(config, next, now, `link of ${back.id} is back`);
  if (next.kind === "backup") {
    // With the Priority as it was: afterPriority moves every timer to the new one.
    const mine = machineConfig(config, linked, was);
    const machine = enterBackup(mine, mine.advertisementInterval, now);
    return afterPriority(config, replaceRouter(next, { ...linked, machine }), was, "link is back", now);
  }
  // The group is active, so this virtual router is ours too; a better router there will make the whole group yield.
  const joined = enterActive(machineConfig(config, linked, effectivePriority(next)), now);
  const settled = afterPriority(
    config,
    replaceRouter(next, { ...linked, machine: joined.state }),
    was,
    "link is back",
    now,
  );
  const actions = joined.actions.flatMap((action): readonly GroupAction[] =>
    action.kind === "drainSocket" ? [] : [{ ...action, id: back.id }],
  );
  return { state: settled.state, actions: [...actions, ...settled.actions] };
}

function silenceSentence(state: GroupState, now: Instant): string {
  const last = state.routers.flatMap((router) =>
    router.rival === undefined ? [] : [{ id: router.id, ...router.rival }],
  );
  const newest = last.toSorted((a, b) => b.at - a.at)[0];
  if (newest === undefined) return `no other router was heard for ${seconds(between(state.since, now))}`;
  const what = newest.priority === PRIORITY_RELEASE ? "gave the role up" : "was last heard";
  return `${newest.source} on ${newest.id} ${what} ${seconds(between(newest.at, now))} ago`;
}
