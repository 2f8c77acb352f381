/**
 * The box that coordinates a commit: judged here, kept here and prepared on the peer, durable as the head there, then
 * here, put into force on both, answered. Without a peer it commits alone and says so. What does not work on either box
 * is rolled back on both. It does not decide whether this box may coordinate, nor bring a box that was away up to date.
 */
import { after, type Instant, micros, seconds } from "@futago/hal/units/time.ts";
import { anew, become, done, give, isUnconfirmed, unless, wantedAgain, withHead } from "./parts.ts";
import { CHANGED_MEANWHILE, NOTHING_TO_GO_BACK_TO, onPeer, PEER_BUSY, PEER_SILENT } from "./refusals.ts";
import { heldByPeer, notInForce, notRolledBack, ROLES_CHANGED, rolledBack, waitsForConfirmation } from "./refusals.ts";
import type {
  CommitAction,
  CommitConfig,
  CommitRefusal,
  CommitState,
  CommitStep,
  Coordinated,
  Judged,
  Landed,
  NotStored,
  Outcome,
  PeerShare,
  Request,
  Revision,
  RevisionId,
  Wish,
  Work,
} from "./types.ts";

/** A large document is judged for some seconds. */
export const PREPARE_WITHIN = seconds(15);
export const STORE_WITHIN = seconds(5);
export const APPLY_WITHIN = seconds(15);
/** UTF-16 units; what is smaller is judged in a few milliseconds. */
const LARGE_LENGTH = 64 << 10;
/** When the disk or a document refused it; each time it is doubled. */
const UNDO_AGAIN = seconds(5);
const UNDO_AGAIN_MAX = seconds(60);

type Commit = Extract<Wish, { readonly kind: "commit" }>;
type In<Kind extends Work["kind"]> = Extract<Work, { readonly kind: Kind }>;

/** `peer`: "inForce" when it takes part. */
export function beginCommit(state: CommitState, request: Request, wish: Commit, peer: PeerShare): CommitStep {
  const { head } = state;
  if (wish.confirmSeconds !== undefined && head === undefined) return unless(state, request, NOTHING_TO_GO_BACK_TO);
  if (wish.base !== undefined && wish.base !== head?.id) return unless(state, request, CHANGED_MEANWHILE);
  // To go back is always possible, and where the box cannot, to go on.
  const waits = head !== undefined && isUnconfirmed(head) && state.deadline !== undefined && state.barred === undefined;
  if (waits && wish.source.kind === "given") return unless(state, request, waitsForConfirmation(head));
  return become(
    state,
    { kind: "judging", request, peer },
    { kind: "judge", wish, parent: head?.id },
    ...hint(wish, peer),
  );
}

/** Judging takes a second where a document is large: the peer begins at the same time. */
function hint({ source }: Commit, peer: PeerShare): readonly CommitAction[] {
  if (peer !== "inForce" || source.kind !== "given") return [];
  const { document } = source;
  if (typeof document !== "string" || document.length < LARGE_LENGTH) return [];
  return [{ kind: "send", message: { kind: "consider", document } }];
}

export function onJudged(state: CommitState, work: In<"judging">, judged: Judged, now: Instant): CommitStep {
  const { request, peer } = work;
  switch (judged.kind) {
    case "refused":
      return unless(state, request, judged.refusal);
    case "unchanged":
      return done(state, request, {
        kind: "done",
        revision: state.head?.id ?? "",
        changed: false,
        peer,
        warnings: judged.warnings,
        confirmSeconds: undefined,
      });
    case "revision": {
      const { revision, warnings } = judged;
      const again = state.withdrawn === revision.id;
      const coordinated = { request, revision, warnings, peer, again };
      const wanted = wantedAgain(state, revision.id);
      if (peer !== "inForce") return land(wanted, coordinated);
      const until = after(now, PREPARE_WITHIN);
      const next: Work = { kind: "preparing", until, ...coordinated };
      return become(wanted, next, { kind: "send", message: { kind: "prepare", revision } });
    }
  }
}

/** The peer may have rolled the same back already, when it was told to: by a confirmation it is brought back after that. */
function insisted({ revision, peer, again }: Coordinated): Revision {
  const insists = again && peer !== "inForce" && revision.confirmSeconds === undefined;
  return insists ? { ...revision, confirmedBy: revision.author } : revision;
}

export function onPrepared(state: CommitState, work: In<"preparing">, now: Instant): CommitStep {
  const next: Work = { ...work, kind: "storing", until: after(now, STORE_WITHIN) };
  return become(state, next, { kind: "send", message: { kind: "store", id: work.revision.id } });
}

/** The peer did not take it: nothing was changed, here or there. */
export function onNotStored(
  config: CommitConfig,
  state: CommitState,
  work: In<"preparing" | "storing">,
  cause: NotStored,
  refusal: CommitRefusal,
): CommitStep {
  switch (cause) {
    case "refused":
      return comesToNothing(state, work, onPeer(config.box === "a" ? "b" : "a", refusal));
    case "busy":
      return comesToNothing(state, work, PEER_BUSY);
    case "behind":
      // It is not where both said they were: it is brought up to date, and then this may be given again.
      return comesToNothing(state, work, CHANGED_MEANWHILE);
  }
}

export function onStored(state: CommitState, work: In<"storing">): CommitStep {
  return land(state, work);
}

/**
 * The peer went away, or says nothing. Once it may hold the revision, this box must hold it, too; before that the box
 * goes alone only where the peer is gone for good and this box serves.
 */
export function onPeerLost(state: CommitState, work: Work, peer: "away" | "late"): CommitStep {
  if (work.kind === "preparing") {
    const alone = peer === "away" && (state.active || !state.peerAlive);
    if (alone) return land(state, { ...work, peer });
    return peer === "late" ? giveUp(state, work, PEER_SILENT) : beginAnew(state, work);
  }
  if (work.kind === "storing") return land(state, { ...work, peer: "late" });
  if (work.kind === "applying") return finish(state, work.there ? work : { ...work, there: true, peer });
  if (work.kind === "confirming") return finishConfirming(state, work.there ? work : { ...work, there: true, peer });
  return give(state);
}

function giveUp(state: CommitState, work: In<"preparing">, refusal: CommitRefusal): CommitStep {
  const step = comesToNothing(state, work, refusal);
  if (state.link === undefined) return step;
  return give(step.state, ...step.actions, { kind: "send", message: { kind: "forget", id: work.revision.id } });
}

/** The link broke before the peer was told to keep it, and the peer lives: whose business it is shows when they meet again. */
function beginAnew(state: CommitState, work: In<"preparing">): CommitStep {
  const next: CommitState = { ...withdrawnAsBefore(state, work), work: { kind: "idle" } };
  return anew(next, work.request) ?? giveUp(state, work, ROLES_CHANGED);
}

/** It comes to nothing: the former one of the same is to be rolled back as before. */
function withdrawnAsBefore(state: CommitState, { again, revision }: Coordinated): CommitState {
  return again ? { ...state, withdrawn: revision.id } : state;
}

function comesToNothing(state: CommitState, work: Coordinated, refusal: CommitRefusal): CommitStep {
  return unless(withdrawnAsBefore(state, work), work.request, refusal);
}

function land(state: CommitState, coordinated: Coordinated): CommitStep {
  const { request, warnings, peer, again } = coordinated;
  const revision = insisted(coordinated);
  const work = { kind: "landing", request, revision, warnings, peer, again } as const;
  return become(state, work, { kind: "land", revision });
}

export function onLanded(state: CommitState, work: In<"landing">, landed: Landed, now: Instant): CommitStep {
  const { request, revision, warnings, peer } = work;
  const together = peer === "inForce" && state.link !== undefined;
  if (!landed.ok) {
    if (peer !== "inForce" && peer !== "late") return comesToNothing(state, work, landed.refusal);
    // The peer holds it, and may come back with it: then it is rolled back there, or here.
    const step = unless({ ...state, withdrawn: revision.id }, request, heldByPeer(landed.refusal));
    if (!together) return step;
    return give(step.state, ...step.actions, { kind: "send", message: { kind: "withdraw", id: revision.id } });
  }
  const next: Work = {
    kind: "applying",
    request,
    revision,
    warnings,
    again: work.again,
    peer: together ? peer : peer === "inForce" ? "away" : peer,
    here: false,
    there: !together,
    until: after(now, APPLY_WITHIN),
  };
  const step = become(withHead(state, landed.head, now), next, { kind: "apply", id: revision.id });
  if (!together) return step;
  return give(step.state, ...step.actions, { kind: "send", message: { kind: "apply", id: revision.id } });
}

/** `box` is where it is in force now, or not. */
export function onApplied(
  state: CommitState,
  work: In<"applying">,
  box: "here" | "there",
  trouble: string | undefined,
  name: string,
): CommitStep {
  if (trouble === undefined) return finish(state, { ...work, [box]: true });
  // There is nothing to go back to: the box goes on trying, and shows what it cannot.
  const { request, revision } = work;
  const { id } = revision;
  const failure = { id, box: name, trouble };
  if (revision.parent === undefined) return unless(state, request, notInForce(failure));
  const comment = `rolled back: ${trouble}`;
  const step = become(state, { kind: "undoing", told: { request, failure } }, { kind: "undo", id, comment });
  if (state.link === undefined) return step;
  return give(step.state, ...step.actions, { kind: "send", message: { kind: "withdraw", id } });
}

function finish(state: CommitState, work: In<"applying">): CommitStep {
  if (!work.here || !work.there) return become(state, work);
  const { request, revision, warnings, peer } = work;
  const { id, confirmSeconds } = revision;
  return done(state, request, { kind: "done", revision: id, changed: true, peer, warnings, confirmSeconds });
}

/** The head was rolled back, by nobody's hand; or could not be, and is tried again. */
export function onUndone(state: CommitState, work: In<"undoing">, landed: Landed, now: Instant): CommitStep {
  const next = afterUndoing(state, landed, now);
  if (work.told === undefined) return become(next, { kind: "idle" });
  const { request, failure } = work.told;
  if (landed.ok) return unless(next, request, rolledBack(failure));
  return unless(next, request, landed.noWayBack ? notInForce(failure) : notRolledBack(failure, landed.refusal));
}

function afterUndoing(state: CommitState, landed: Landed, now: Instant): CommitState {
  if (landed.ok) return withHead(state, landed.head, now);
  if (landed.noWayBack) return { ...state, withdrawn: undefined, deadline: undefined, barred: undefined };
  return undoAgain(state, landed.refusal, now);
}

function undoAgain(state: CommitState, refusal: CommitRefusal, now: Instant): CommitState {
  const tries = (state.barred?.tries ?? 0) + 1;
  const wait = Math.min(UNDO_AGAIN * 2 ** (tries - 1), UNDO_AGAIN_MAX);
  const withdrawn = state.withdrawn === state.head?.id ? undefined : state.withdrawn;
  return { ...state, withdrawn, deadline: after(now, micros(wait)), barred: { tries, refusal } };
}

export function confirmed(state: CommitState, work: In<"confirming">, id: RevisionId): CommitStep {
  return work.id === id ? finishConfirming(state, { ...work, there: true }) : give(state);
}

export function finishConfirming(state: CommitState, work: In<"confirming">): CommitStep {
  if (!work.here || !work.there) return become(state, work);
  const outcome: Outcome = {
    kind: "done",
    revision: work.id,
    changed: true,
    peer: work.peer,
    warnings: [],
    confirmSeconds: undefined,
  };
  return done(state, work.request, outcome);
}
