/**
 * The box that does not coordinate: checks what the peer prepares, makes it durable when told, puts it into force when
 * told. A revision that is merely prepared is forgotten when the link breaks or this box takes over; one that is on the
 * disk is this box's configuration whatever becomes of the other.
 */
import { after, type Instant } from "@futago/hal/units/time.ts";
import { PREPARE_WITHIN, STORE_WITHIN } from "./coordinate.ts";
import { become, give, withHead } from "./parts.ts";
import { PEER_BUSY } from "./refusals.ts";
import type {
  CommitAction,
  CommitMessage,
  CommitRefusal,
  CommitState,
  CommitStep,
  Landed,
  NotStored,
  Revision,
  RevisionId,
  Work,
} from "./types.ts";

type In<Kind extends Work["kind"]> = Extract<Work, { readonly kind: Kind }>;

export function onPrepare(state: CommitState, revision: Revision): CommitStep {
  const { work } = state;
  if (work.kind !== "idle" && work.kind !== "prepared" && work.kind !== "checking")
    return give(state, notStored(revision.id, "busy", PEER_BUSY));
  if (revision.parent !== state.head?.id || state.inForce !== state.head?.id)
    return give(state, notStored(revision.id, "behind", PEER_BUSY));
  return become(state, { kind: "checking", revision }, { kind: "check", revision });
}

export function onChecked(
  state: CommitState,
  { revision }: In<"checking">,
  refusal: CommitRefusal | undefined,
  now: Instant,
): CommitStep {
  if (refusal !== undefined) return become(state, { kind: "idle" }, notStored(revision.id, "refused", refusal));
  const until = after(now, PREPARE_WITHIN);
  return become(state, { kind: "prepared", revision, until }, say({ kind: "prepared", id: revision.id }));
}

export function onStore(state: CommitState, id: RevisionId): CommitStep {
  const { work } = state;
  // It took over in between, or has waited for too long.
  if (work.kind !== "prepared" || work.revision.id !== id) return give(state, notStored(id, "busy", PEER_BUSY));
  return become(state, { kind: "following", revision: work.revision }, { kind: "land", revision: work.revision });
}

export function onFollowed(state: CommitState, work: In<"following">, landed: Landed, now: Instant): CommitStep {
  const { id } = work.revision;
  if (!landed.ok) return become(state, { kind: "idle" }, notStored(id, "refused", landed.refusal));
  const until = after(now, STORE_WITHIN);
  return become(withHead(state, landed.head, now), { kind: "holding", id, until }, say({ kind: "stored", id }));
}

/** What was on its way when the link broke goes on without it. */
export function onApply(state: CommitState, id: RevisionId): CommitStep {
  const { work } = state;
  if (work.kind === "holding" && work.id === id)
    return become(state, { kind: "puttingIntoForce", id, tell: true }, { kind: "apply", id });
  if (work.kind === "puttingIntoForce" && work.id === id) return become(state, { ...work, tell: true });
  return state.inForce === id ? give(state, say({ kind: "applied", id, trouble: undefined })) : give(state);
}

export function onWithdraw(state: CommitState, id: RevisionId): CommitStep {
  const next = { ...state, withdrawn: id };
  return state.work.kind === "holding" && state.work.id === id ? become(next, { kind: "idle" }) : give(next);
}

export function onPutIntoForce(
  state: CommitState,
  { id, tell }: In<"puttingIntoForce">,
  trouble: string | undefined,
): CommitStep {
  const tells = tell && state.link !== undefined ? [say({ kind: "applied", id, trouble })] : [];
  return become(state, { kind: "idle" }, ...tells);
}

/** The link broke, this box took over, the peer thought better of it, or nothing came. */
export function dropPrepared(state: CommitState): CommitStep {
  const { work } = state;
  const drops = work.kind === "checking" || work.kind === "prepared" || work.kind === "holding";
  return drops ? become(state, { kind: "idle" }) : give(state);
}

function notStored(id: RevisionId, cause: NotStored, refusal: CommitRefusal): CommitAction {
  return say({ kind: "notStored", id, cause, refusal });
}

function say(message: CommitMessage): CommitAction {
  return { kind: "send", message };
}
