/** Whether a group should change hands now, seen from one box; called whenever anything it depends on changed. */
import type { PulseGroupReport, PulseReason } from "@futago/hal/units/pulse.ts";
import { after, between, type Instant, seconds } from "@futago/hal/units/time.ts";
import { type Candidate, fitter, otherBox } from "./compare.ts";
import { heldDown } from "./flap-guard.ts";
import type { GroupMemory, OfferReason, PairAction, PairConfig, PairGroupConfig, PairState } from "./types.ts";

/** An offer that the peer has not taken after this long is withdrawn. */
const OFFER_LASTS = seconds(2);
/** And not made again for its own sake before this long. */
export const OFFER_AGAIN_AFTER = seconds(10);
/** A peer that is booting is waited for this long before its absence is used. */
const PEER_BOOT_PATIENCE = seconds(5);
/** A box that is so much less fit than its peer cannot serve; the flap guard does not keep the group there. */
const UNFIT_BY = 100;
/** A witness that answered this long ago still speaks for a box that starts alone. */
const WITNESS_FRESH = seconds(1);

export interface GroupSituation {
  readonly config: PairConfig;
  readonly state: PairState;
  readonly group: PairGroupConfig;
  readonly memory: GroupMemory;
  readonly report: PulseGroupReport;
  readonly now: Instant;
}

export function decideGroup(situation: GroupSituation, actions: PairAction[]): GroupMemory {
  const holds = situation.report.state === "active" || situation.report.state === "offering";
  // The group has just changed hands and the report is from before that; the next one is on its way.
  if (holds !== (situation.memory.state === "active")) return situation.memory;
  if (situation.config.spare) return decideSpare(situation, holds, actions);
  switch (situation.report.state) {
    case "active":
    case "offering":
      return decideHolder(situation, actions);
    case "yielded":
    case "initialize":
    case "fault":
      return situation.memory;
    case "standby":
    case "ready":
      return decideStandby(situation, actions);
  }
}

function self(situation: GroupSituation): Candidate {
  const { config, state, group } = situation;
  return { box: config.box, health: state.fitness[group.name]?.health ?? 255, preference: group.preference };
}

function act(
  situation: GroupSituation,
  what: "takeOver" | "release" | "offer" | "ready" | "keep",
  reason: PulseReason,
): PairAction {
  return { kind: "pulse", command: { kind: "act", group: situation.group.slot, act: what, reason } };
}

function peerLive(situation: GroupSituation): NonNullable<PulseGroupReport["peer"]> | undefined {
  return situation.state.snapshot?.peerAlive === true ? situation.report.peer : undefined;
}

function sameConfiguration(situation: GroupSituation): boolean {
  return situation.state.snapshot?.peerConfigId === situation.config.configId;
}

/** A person decided, with nobody to hand over to: the other box is activated by a person, too. */
function decideSpare(situation: GroupSituation, holds: boolean, actions: PairAction[]): GroupMemory {
  if (!holds) return situation.memory;
  actions.push(act(situation, "release", "order"));
  return { ...situation.memory, ordered: "this box is the spare of a cold pair" };
}

function decideHolder(situation: GroupSituation, actions: PairAction[]): GroupMemory {
  const { config, memory, report, state, now } = situation;
  const peer = peerLive(situation);
  if (report.state === "offering") return watchOffer(situation, peer, actions);
  if (peer?.state === "active" || peer?.state === "offering") {
    // pulse settles who lets go. A peer that does not hear us cannot: then it is we who do.
    const since = state.conflictSince ?? now;
    const deaf = state.snapshot?.peerHears !== true && between(since, now) > state.timing.dead;
    const bothSilent = report.lapsed && peer.lapsed && config.box === "b";
    if (!deaf && !bothSilent) return memory;
    actions.push(act(situation, "release", "order"));
    return { ...memory, ordered: "both boxes held the group and the peer does not hear this one" };
  }
  const why = wantsToGive(situation, peer);
  if (why === undefined) return memory;
  const refusal = cannotGive(situation, peer);
  if (refusal !== undefined) {
    // A person's order that cannot be carried out is answered; the box's own wish just waits.
    if (memory.offer === undefined && why !== "wish") return memory;
    actions.push(note(situation, "offer-failed", refusal));
    return { ...memory, offer: undefined, offerNotBefore: after(now, OFFER_AGAIN_AFTER) };
  }
  // pulse needs a moment to take the offer up; while it does, the order stands.
  if (memory.offer?.made === true) return watchOffer(situation, peer, actions);
  actions.push(act(situation, "offer", "handover"), note(situation, "offer", OFFER_SENTENCES[why]));
  return { ...memory, offer: { since: now, why, made: true } };
}

const OFFER_SENTENCES: Readonly<Record<OfferReason, string>> = {
  switchover: "somebody ordered a switch-over",
  wish: "the peer asks for it",
  maintenance: "this box goes into maintenance",
  health: "the peer is fitter",
  preempt: "the peer is preferred and fit",
};

function note(situation: GroupSituation, event: "offer" | "offer-failed", reason: string): PairAction {
  return { kind: "note", event, group: situation.group.name, reason, evidence: {} };
}

/** Why this box would rather hand the group over, or undefined. */
function wantsToGive(situation: GroupSituation, peer: PulseGroupReport["peer"]): OfferReason | undefined {
  const { memory, state, group, now } = situation;
  if (memory.offer !== undefined) return memory.offer.why;
  if (peer?.asks === true && now >= memory.offerNotBefore) return "wish";
  if (state.maintenance) return now >= memory.offerNotBefore ? "maintenance" : undefined;
  if (peer === undefined || now < memory.offerNotBefore) return undefined;
  const me = self(situation);
  if (peer.health - me.health >= UNFIT_BY) return "health";
  if (heldDown(memory, now)) return undefined;
  if (state.untoldUntil !== undefined && now < state.untoldUntil) return undefined;
  if (peer.health > me.health) return "health";
  return group.preempt && peer.health === me.health && peer.preference > me.preference ? "preempt" : undefined;
}

/** Why it cannot be done now; undefined when it can. */
function cannotGive(situation: GroupSituation, peer: PulseGroupReport["peer"]): string | undefined {
  if (peer === undefined) return "the peer is not there";
  if (situation.state.snapshot?.peerHears !== true) return "the peer does not hear this box";
  if (!sameConfiguration(situation))
    return "the peer runs another revision; apply the same configuration to both boxes first";
  if (peer.state === "standby" || peer.state === "ready") return undefined;
  return peer.state === "fault" ? "the peer is in maintenance or at fault" : "the peer is still starting";
}

function watchOffer(situation: GroupSituation, peer: PulseGroupReport["peer"], actions: PairAction[]): GroupMemory {
  const { memory, now } = situation;
  const since = memory.offer?.since ?? now;
  if (peer !== undefined && between(since, now) < OFFER_LASTS) return memory;
  const reason = peer === undefined ? "the peer went silent" : "the peer did not take it";
  actions.push(act(situation, "keep", "refused"), note(situation, "offer-failed", reason));
  return { ...memory, offer: undefined, offerNotBefore: after(now, OFFER_AGAIN_AFTER) };
}

function decideStandby(situation: GroupSituation, actions: PairAction[]): GroupMemory {
  const { config, memory, report, now } = situation;
  const peer = peerLive(situation);
  if (peer === undefined) return decideWithoutPeer(situation, actions);
  if (peer.state === "offering") {
    if (report.state === "standby" && sameConfiguration(situation)) actions.push(act(situation, "ready", "handover"));
    return memory;
  }
  if (peer.state === "active" || peer.state === "yielded" || report.state === "ready") return memory;
  // Nobody holds the group.
  if (peer.state === "initialize" && between(memory.since, now) < PEER_BOOT_PATIENCE) return memory;
  const rival = { box: otherBox(config.box), health: peer.health, preference: peer.preference };
  const winner = peer.state === "standby" || peer.state === "ready" ? fitter(self(situation), rival) : config.box;
  if (winner !== config.box) return memory;
  actions.push(act(situation, "ready", "order"));
  const theirs = peer.state === "fault" ? "takes no role" : `is ${peer.state}`;
  return { ...memory, ordered: `nobody held the group; the peer ${theirs} and this box is chosen` };
}

/** A peer that was met is replaced by pulse after its dead time; one never met, here, after the boot time. */
function decideWithoutPeer(situation: GroupSituation, actions: PairAction[]): GroupMemory {
  const { config, state, report, memory, now } = situation;
  const snapshot = state.snapshot;
  const absent = snapshot !== undefined && !snapshot.peerKnown;
  // The peer is there and serves another configuration without this group.
  const settled = between(memory.since, now) > PEER_BOOT_PATIENCE;
  const unknownToPeer = snapshot?.peerAlive === true && report.peer === undefined && settled;
  if (!absent && !unknownToPeer) return memory;
  if (config.safety && absent && between(state.witnessAt, now) > WITNESS_FRESH) return memory;
  actions.push(act(situation, "takeOver", "order"));
  const ordered = absent ? "no peer was heard within the boot time" : "the peer's configuration has no such group";
  return { ...memory, ordered };
}
