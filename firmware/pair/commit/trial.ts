/**
 * Confirming a revision that is rolled back unless it is confirmed. The person who committed it confirms it, on either
 * box; it is confirmed on the peer and here before that is said.
 */
import { after, type Instant } from "@futago/hal/units/time.ts";
import { confirmed, finishConfirming, STORE_WITHIN } from "./coordinate.ts";
import { become, give, isUnconfirmed, note, unless } from "./parts.ts";
import { anotherWaits, NOTHING_WAITS, notYours } from "./refusals.ts";
import type {
  PeerShare,
  CommitAction,
  CommitRefusal,
  CommitState,
  CommitStep,
  Request,
  RevisionId,
  Wish,
  Work,
} from "./types.ts";

type Confirm = Extract<Wish, { readonly kind: "confirm" }>;

export function beginConfirm(
  state: CommitState,
  request: Request,
  wish: Confirm,
  now: Instant,
  peer: PeerShare,
): CommitStep {
  const { head } = state;
  // What did not work waits for its roll-back, and not for a person.
  if (head === undefined || state.deadline === undefined || !isUnconfirmed(head))
    return unless(state, request, NOTHING_WAITS);
  if (wish.revision !== undefined && wish.revision !== head.id)
    return unless(state, request, anotherWaits(wish.revision, head.id));
  if (wish.author !== head.author && !wish.force) return unless(state, request, notYours(head));
  const [id, by] = [head.id, wish.author];
  const until = after(now, STORE_WITHIN);
  const withPeer = peer === "inForce";
  const work: Work = { kind: "confirming", request, id, by, peer, here: false, there: !withPeer, until };
  const tells: readonly CommitAction[] = withPeer ? [{ kind: "send", message: { kind: "confirm", id, by } }] : [];
  return become(state, work, { kind: "confirm", id, by }, ...tells);
}

/** The peer confirms it. */
export function confirmFor(state: CommitState, id: RevisionId, by: string): CommitStep {
  if (state.head?.id !== id) return give(state);
  const known = state.head.confirmedBy !== undefined;
  return known ? give(state, { kind: "send", message: { kind: "confirmed", id } }) : note(state, { id, by });
}

export function onConfirmedHere(
  state: CommitState,
  { id, by, refusal }: { readonly id: RevisionId; readonly by: string; readonly refusal: CommitRefusal | undefined },
): CommitStep {
  const { work, head } = state;
  const noted = state.noting === id ? { ...state, noting: undefined } : state;
  if (work.kind === "confirming" && work.id === id) {
    if (refusal !== undefined) return unless(noted, work.request, refusal);
    return finishConfirming(kept(noted, by), { ...work, here: true });
  }
  if (refusal !== undefined || head?.id !== id) return give(noted);
  if (state.link === undefined) return give(kept(noted, by));
  return give(kept(noted, by), { kind: "send", message: { kind: "confirmed", id } });
}

export function onConfirmedThere(state: CommitState, id: RevisionId): CommitStep {
  return state.work.kind === "confirming" ? confirmed(state, state.work, id) : give(state);
}

function kept(state: CommitState, by: string): CommitState {
  const { head } = state;
  if (head === undefined) return state;
  const settled = { ...state, deadline: undefined, barred: undefined };
  return { ...settled, head: { ...head, confirmedBy: by }, confirmed: { id: head.id, by } };
}
