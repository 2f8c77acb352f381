/**
 * The box that does not coordinate: checks what the peer prepares, makes it durable when told, puts it into force when
 * told. A revision that is merely prepared is forgotten when the link breaks or this box takes over; one that is on the
 * disk is this box's configuration whatever becomes of the other.
 */
import { after, type Instant } from "@futago/hal/units/time.ts";
import { PREPARE_WITHIN, STORE_WITHIN } from "./coordinate.ts";
import { become, give, wantedAgain, withHead } from "./parts.ts";
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

/** What a box that coordinates is doing: it waits for the peer, so the peer must not wait for it. */
const COORDINATING: readonly Work["kind"][] = ["judging", "preparing", "storing", "landing", "applying", "confirming"];

export function onPrepare(state: CommitState, revision: Revision): CommitStep {
  const { kind } = state.work;
  if (COORDINATING.includes(kind)) return give(state, notStored(revision.id, "busy", PEER_BUSY));
  // One judgement at a time; of what is offered meanwhile the newest.
  const free = kind === "idle" || kind === "prepared";
  return free ? examine(state, revision) : give({ ...state, offered: revision });
}

/** Takes up what was offered in the middle of something else; undefined when nothing was. */
export function takeOffered(state: CommitState): CommitStep | undefined {
  const { offered } = state;
  return offered && examine({ ...state, offered: undefined }, offered);
}

function examine(state: CommitState, revision: Revision): CommitStep {
  if (revision.parent !== state.head?.id) return give(state, notStored(revision.id, "behind", PEER_BUSY));
  return become(wantedAgain(state, revision.id), { kind: "checking", revision }, { kind: "check", revision });
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

/** The coordinator thought better of it; what this box stored it must say to take back. */
export function onForget(state: CommitState, id: RevisionId): CommitStep {
  if (state.offered?.id === id) return give({ ...state, offered: undefined });
  const { work } = state;
  const mine = (work.kind === "prepared" || work.kind === "checking") && work.revision.id === id;
  return mine ? become(state, { kind: "idle" }) : give(state);
}

/** What was on its way when the link broke goes on without it. */
export function onApply(state: CommitState, id: RevisionId): CommitStep {
  const { work } = state;
  if (work.kind === "holding" && work.id === id)
    return become(state, { kind: "puttingIntoForce", id, tell: true }, { kind: "apply", id });
  if (work.kind === "puttingIntoForce" && work.id === id) return become(state, { ...work, tell: true });
  return state.inForce === id ? give(state, say({ kind: "applied", id, trouble: state.trouble })) : give(state);
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
  const next = state.offered === undefined ? state : { ...state, offered: undefined };
  const drops = work.kind === "checking" || work.kind === "prepared" || work.kind === "holding";
  return drops ? become(next, { kind: "idle" }) : give(next);
}

function notStored(id: RevisionId, cause: NotStored, refusal: CommitRefusal): CommitAction {
  return say({ kind: "notStored", id, cause, refusal });
}

function say(message: CommitMessage): CommitAction {
  return { kind: "send", message };
}
