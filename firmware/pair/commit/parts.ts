/** The small moves that the rules of the commit protocol are made of. */
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";
import { refused } from "./refusals.ts";
import {
  AUTOMATIC,
  type CommitAction,
  type CommitRefusal,
  type CommitState,
  type CommitStep,
  type Confirmation,
  type Outcome,
  type Request,
  type RevisionId,
  type RevisionSummary,
  type Work,
} from "./types.ts";

export function give(state: CommitState, ...actions: readonly CommitAction[]): CommitStep {
  return { state, actions };
}

export function become(state: CommitState, work: Work, ...actions: readonly CommitAction[]): CommitStep {
  return { state: { ...state, work }, actions };
}

/** The request is answered, and the box is free for the next thing. */
export function done(state: CommitState, request: Request, outcome: Outcome): CommitStep {
  return become(state, { kind: "idle" }, ...answer(state, request, outcome));
}

export function unless(state: CommitState, request: Request, refusal: CommitRefusal): CommitStep {
  return done(state, request, refused(refusal));
}

const BEGUN_ANEW_MAX = 3;

/** Nothing was changed, and who commits is another question now: it is next in turn once more; undefined: often enough. */
export function anew(state: CommitState, request: Request): CommitStep | undefined {
  const begunAnew = (request.begunAnew ?? 0) + 1;
  if (request.origin !== "here" || begunAnew > BEGUN_ANEW_MAX) return undefined;
  return give({ ...state, waiting: [{ ...request, begunAnew }, ...state.waiting], patience: undefined });
}

export function answer(state: CommitState, request: Request, outcome: Outcome): readonly CommitAction[] {
  if (request.origin === "gone") return [];
  if (request.origin === "here") return [{ kind: "reply", request: request.id, outcome }];
  // Who asked learns of a link that broke from the break.
  if (state.link === undefined) return [];
  return [{ kind: "send", message: { kind: "answer", request: request.id, outcome } }];
}

/** What the peer asked for goes on; by the next link its core may be another one, with numbers of its own. */
export function askerGone(work: Work): Work {
  if (work.kind === "undoing") {
    const { told } = work;
    return told?.request.origin === "peer" ? { ...work, told: { ...told, request: gone(told.request) } } : work;
  }
  return "request" in work && work.request.origin === "peer" ? { ...work, request: gone(work.request) } : work;
}

function gone(request: Request): Request {
  return { ...request, origin: "gone" };
}

/** A new head is on the disk: it is not in force yet, and may wait for a confirmation. */
export function withHead(state: CommitState, head: RevisionSummary, now: Instant): CommitState {
  const waits = isUnconfirmed(head) && head.parent !== undefined;
  return {
    ...state,
    head,
    deadline: waits ? after(now, seconds(head.confirmSeconds ?? 0)) : undefined,
    barred: undefined,
    confirmed: head.confirmedBy === undefined ? state.confirmed : { id: head.id, by: head.confirmedBy },
    withdrawn: state.withdrawn === head.id ? state.withdrawn : undefined,
  };
}

/** Somebody commits once more, from the same place, what was to be rolled back: the id is the same. */
export function wantedAgain(state: CommitState, id: RevisionId): CommitState {
  return state.withdrawn === id ? { ...state, withdrawn: undefined } : state;
}

/**
 * The head was confirmed on the peer. Said once more while that is on its way to the disk, it is written once; a head in
 * whose place another is on its way is confirmed by nobody here.
 */
export function note(state: CommitState, { id, by }: Confirmation): CommitStep {
  return state.noting === id || state.work.kind === "adopting"
    ? give(state)
    : give({ ...state, noting: id }, { kind: "confirm", id, by });
}

/** Why a head is rolled back when its time has come: nobody confirmed it, or the disk refused the roll-back before. */
export function late(head: RevisionSummary): string {
  const { confirmSeconds } = head;
  return isUnconfirmed(head) ? `rolled back: not confirmed within ${confirmSeconds} s` : "rolled back: it did not work";
}

/** Whether a box made this by itself. */
export function isAutomatic(head: RevisionSummary | undefined): boolean {
  return head?.author === AUTOMATIC;
}

/** Waits for somebody to confirm it. */
export function isUnconfirmed(head: RevisionSummary | undefined): boolean {
  return head?.confirmSeconds !== undefined && head.confirmedBy === undefined;
}
