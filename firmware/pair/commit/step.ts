/**
 * The commit protocol of one box, whole: which input means what in which state, and what is done when nothing is under
 * way. The rules are in `begin.ts` (whose turn it is), `coordinate.ts` (this box commits), `follow.ts` (the peer does), `catch-up.ts` (the heads differ)
 * and `trial.ts` (a commit that must be confirmed). Pure; one machine serves a box alone, too.
 */
import { earliest, type Instant } from "@futago/hal/units/time.ts";
import { begin, onRequest, redo } from "./begin.ts";
import {
  cannotTake,
  catchUp,
  onAdopted,
  onArriving,
  onExamined,
  onRelated,
  onRevision,
  onStanding,
  onTheirKin,
  standingOf,
} from "./catch-up.ts";
import {
  onApplied,
  onJudged,
  onLanded,
  onNotStored,
  onPeerLost,
  onPrepared,
  onStored,
  onUndone,
} from "./coordinate.ts";
import {
  dropPrepared,
  onApply,
  onChecked,
  onFollowed,
  onForget,
  onPrepare,
  onPutIntoForce,
  onStore,
  onWithdraw,
  takeOffered,
} from "./follow.ts";
import { anew, askerGone, become, give, late } from "./parts.ts";
import { CONNECTION_BROKE, refused, ROLES_CHANGED } from "./refusals.ts";
import { confirmFor, onConfirmedHere, onConfirmedThere } from "./trial.ts";
import {
  type CommitConfig,
  type CommitInput,
  type CommitMessage,
  type CommitState,
  type CommitStep,
  type Confirmation,
  type Landed,
  type RevisionId,
  type RevisionSummary,
  type Work,
} from "./types.ts";

/**
 * A box that starts. `deadline` is when an unconfirmed head is rolled back: the past, after a boot. `confirmed` is the
 * newest revision of the lineage that needed a confirmation and got one.
 */
export function initialCommit(
  head: RevisionSummary | undefined,
  deadline: Instant | undefined,
  confirmed: Confirmation | undefined,
  withdrawn?: RevisionId,
): CommitState {
  return {
    head,
    inForce: undefined,
    trouble: undefined,
    active: false,
    peerAlive: false,
    link: undefined,
    work: { kind: "idle" },
    waiting: [],
    patience: undefined,
    forwarded: [],
    offered: undefined,
    deadline,
    barred: undefined,
    withdrawn,
    confirmed,
    noting: undefined,
    redoAfter: undefined,
    cannot: undefined,
  };
}

export function step(config: CommitConfig, state: CommitState, input: CommitInput, now: Instant): CommitStep {
  let current = react(config, state, input, now);
  // What is said of this box is said before what is done next, which may be of another head.
  current = saying(current);
  for (let next = idleStep(config, current.state, now); next !== undefined; next = idleStep(config, current.state, now))
    current = saying(give(next.state, ...current.actions, ...next.actions));
  return current;
}

export function nextTimeout(state: CommitState): Instant | undefined {
  const { work } = state;
  if (work.kind !== "idle") return untilOf(work);
  // What was asked for and cannot be taken waits for nothing while the link is down.
  const again = state.link === undefined ? undefined : state.cannot?.until;
  return [state.patience, again, state.redoAfter].reduce(earliest, state.deadline);
}

/** When what is under way waits no longer for the peer. What this box itself does is always waited for. */
function untilOf(work: Work): Instant | undefined {
  if (!("until" in work)) return undefined;
  return "there" in work && work.there ? undefined : work.until;
}

function saying(current: CommitStep): CommitStep {
  const { state, actions } = current;
  const { link } = state;
  if (link === undefined) return current;
  const standing = standingOf(state);
  const { said } = link;
  const same =
    said?.head === standing.head &&
    said?.active === standing.active &&
    said.confirmed?.id === standing.confirmed?.id &&
    said.cannot === standing.cannot;
  if (same) return current;
  const next = { ...state, link: { ...link, said: standing } };
  return give(next, ...actions, { kind: "send", message: { kind: "standing", standing } });
}

function react(config: CommitConfig, state: CommitState, input: CommitInput, now: Instant): CommitStep {
  const { work } = state;
  switch (input.kind) {
    case "linkUp":
      return onLinkUp(state);
    case "linkDown":
      return onLinkDown(state);
    case "message":
      return onMessage(config, state, input.message, now);
    case "arriving":
      return onArriving(state, input.length, now);
    case "role":
      return onRole(state, input.active, input.peerAlive);
    case "request":
      return onRequest(state, input.request);
    case "timeout":
      return onTimeout(state, now);
    case "judged":
      return work.kind === "judging" ? onJudged(state, work, input.judged, now) : give(state);
    case "checked":
      return onCheckedAny(state, input.id, input.refusal, now);
    case "landed":
      return onLandedAny(state, input.landed, now);
    case "applied":
      return onAppliedHere(config, { ...state, inForce: input.id, trouble: input.trouble }, input.id, input.trouble);
    case "related":
      return onRelated(state, input);
    case "confirmed":
      return onConfirmedHere(state, input);
  }
}

function onLinkUp(state: CommitState): CommitStep {
  const link = { theirs: undefined, kin: undefined, theirKin: undefined, said: undefined };
  return give({ ...state, link, cannot: undefined });
}

function onLinkDown(state: CommitState): CommitStep {
  const waiting = state.waiting.filter(({ origin }) => origin === "here");
  const broke = { ...state, link: undefined, waiting, patience: undefined, forwarded: [] };
  const replies = state.forwarded.map(({ id }) => ({
    kind: "reply" as const,
    request: id,
    outcome: refused(CONNECTION_BROKE),
  }));
  const kept = dropPrepared(broke).state;
  const work = askerGone(kept.work);
  const dropped = { ...kept, work };
  const ends = work.kind === "fetching" || (work.kind === "examining" && work.loses);
  const lost = ends ? become(dropped, { kind: "idle" }) : onPeerLost(dropped, work, "away");
  return give(lost.state, ...replies, ...lost.actions);
}

function onRole(state: CommitState, active: boolean, peerAlive: boolean): CommitStep {
  const takesOver = active && !state.active;
  const next = { ...state, active, peerAlive };
  // What is merely prepared is the former active's, which may have told nobody that it is committed.
  return takesOver && next.work.kind !== "holding" ? dropPrepared(next) : give(next);
}

function onTimeout(state: CommitState, now: Instant): CommitStep {
  const { work, cannot, redoAfter } = state;
  if (work.kind === "idle" && redoAfter !== undefined && redoAfter <= now)
    return give({ ...state, redoAfter: undefined });
  if (work.kind === "idle" && cannot !== undefined && cannot.until <= now) return give({ ...state, cannot: undefined });
  const until = untilOf(work);
  if (until === undefined || until > now) return give(state);
  if (work.kind === "fetching") return cannotTake(state, work.id, undefined, now);
  const dropped = dropPrepared(state);
  return dropped.state === state ? onPeerLost(state, work, "late") : dropped;
}

function onMessage(config: CommitConfig, state: CommitState, message: CommitMessage, now: Instant): CommitStep {
  const { work } = state;
  const coordinated = "revision" in work && "request" in work ? work : undefined;
  switch (message.kind) {
    case "standing":
      return onStanding(state, message.standing);
    case "kin":
      return onTheirKin(state, { mine: message.yours, theirs: message.mine, kinship: message.kinship });
    case "fetch":
      return give(state, { kind: "serve", id: message.id, have: message.have });
    case "revision":
      return onRevision(state, message);
    case "keep":
      return give(state, { kind: "keep", revision: message.revision });
    case "want":
      return give(state, ...message.ids.map((id) => ({ kind: "handOver", id }) as const));
    case "consider":
      return give(state, { kind: "consider", document: message.document });
    case "prepare":
      return onPrepare(state, message.revision);
    case "store":
      return onStore(state, message.id);
    case "forget":
      return onForget(state, message.id);
    case "apply":
      return onApply(state, message.id);
    case "withdraw":
      return onWithdraw(state, message.id);
    case "confirm":
      return confirmFor(state, message.id, message.by);
    case "confirmed":
      return onConfirmedThere(state, message.id);
    case "forward":
      return onRequest(state, { id: message.request, origin: "peer", wish: message.wish });
    case "answer":
      return onAnswer(state, message);
    case "prepared":
    case "stored":
    case "notStored":
    case "applied":
      return coordinated?.revision.id === message.id ? onParticipant(config, state, message, now) : give(state);
  }
}

function onAnswer(state: CommitState, { request, outcome }: Extract<CommitMessage, { kind: "answer" }>): CommitStep {
  const asked = state.forwarded.find(({ id }) => id === request);
  if (asked === undefined) return give(state);
  const next = { ...state, forwarded: state.forwarded.filter((one) => one !== asked) };
  const moved = outcome.kind === "refused" && outcome.refusal.reason === ROLES_CHANGED.reason;
  return (moved ? anew(next, asked) : undefined) ?? give(next, { kind: "reply", request, outcome });
}

/** The peer's word on the revision that this box coordinates. */
function onParticipant(
  config: CommitConfig,
  state: CommitState,
  message: Extract<CommitMessage, { kind: "prepared" | "stored" | "notStored" | "applied" }>,
  now: Instant,
): CommitStep {
  const { work } = state;
  if (message.kind === "prepared" && work.kind === "preparing") return onPrepared(state, work, now);
  if (message.kind === "stored" && work.kind === "storing") return onStored(state, work);
  if (message.kind === "applied" && work.kind === "applying")
    return onApplied(state, work, "there", message.trouble, `box ${config.box === "a" ? "b" : "a"}`);
  if (message.kind === "notStored" && (work.kind === "preparing" || work.kind === "storing"))
    return onNotStored(config, state, work, message.cause, message.refusal);
  return give(state);
}

function onCheckedAny(
  state: CommitState,
  id: string,
  refusal: Parameters<typeof onChecked>[2],
  now: Instant,
): CommitStep {
  const { work } = state;
  if (work.kind === "checking" && work.revision.id === id) return onChecked(state, work, refusal, now);
  if (work.kind === "examining" && work.passage.revision.id === id) return onExamined(state, work, refusal, now);
  return give(state);
}

function onLandedAny(state: CommitState, landed: Landed, now: Instant): CommitStep {
  const { work } = state;
  if (work.kind === "landing") return onLanded(state, work, landed, now);
  if (work.kind === "following") return onFollowed(state, work, landed, now);
  if (work.kind === "adopting") return onAdopted(state, landed, now);
  if (work.kind === "undoing") return onUndone(state, work, landed, now);
  return give(state);
}

function onAppliedHere(config: CommitConfig, state: CommitState, id: string, trouble: string | undefined): CommitStep {
  const { work } = state;
  if (work.kind === "applying" && work.revision.id === id)
    return onApplied(state, work, "here", trouble, config.box === undefined ? "" : `box ${config.box}`);
  return work.kind === "puttingIntoForce" && work.id === id ? onPutIntoForce(state, work, trouble) : give(state);
}

/** The next thing to do when nothing is under way; undefined when there is nothing. */
function idleStep(config: CommitConfig, state: CommitState, now: Instant): CommitStep | undefined {
  if (state.work.kind !== "idle") return undefined;
  const { head, inForce, deadline, withdrawn, waiting } = state;
  if (head !== undefined && withdrawn === head.id) return undo(state, "rolled back: the other box could not take it");
  if (head !== undefined && deadline !== undefined && deadline <= now) return undo(state, late(head));
  if (head !== undefined && head.id !== inForce)
    return become(state, { kind: "puttingIntoForce", id: head.id, tell: false }, { kind: "apply", id: head.id });
  return (
    takeOffered(state) ??
    catchUp(config, state, now) ??
    redo(config, state, now) ??
    (waiting.length > 0 ? begin(config, state, now) : undefined)
  );
}

function undo(state: CommitState, comment: string): CommitStep | undefined {
  const { head } = state;
  if (head?.parent === undefined)
    return give({ ...state, withdrawn: undefined, deadline: undefined, barred: undefined });
  return become(state, { kind: "undoing", told: undefined }, { kind: "undo", id: head.id, comment });
}
