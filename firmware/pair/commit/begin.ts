/**
 * When a change that waits is begun, and by whom: the active box commits, a standby forwards to it, and for a peer that is
 * about to be at the same revision both wait a little. Does not say how it is committed.
 */
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";
import { relationOf, rolledBackByMistake } from "./catch-up.ts";
import { beginCommit } from "./coordinate.ts";
import { answer, give, unless } from "./parts.ts";
import { NOT_REACHED, refused, ROLES_CHANGED, TOO_MANY } from "./refusals.ts";
import { beginConfirm } from "./trial.ts";
import type { CommitConfig, CommitState, CommitStep, PeerShare, Request } from "./types.ts";

const WAITING_MAX = 64;
/** Of those that the peer forwarded: people on this box must find a place, too. */
const FORWARDED_MAX = 16;
/** For so long a change waits for a peer that is not at the same revision yet. */
const PATIENCE = seconds(5);
const REDO_AGAIN = seconds(10);

export function onRequest(state: CommitState, request: Request): CommitStep {
  const { waiting } = state;
  const forwarded = waiting.filter(({ origin }) => origin === "peer").length;
  const full = waiting.length >= WAITING_MAX || (request.origin === "peer" && forwarded >= FORWARDED_MAX);
  if (full) return give(state, ...answer(state, request, refused(TOO_MANY)));
  return give({ ...state, waiting: [...waiting, request] });
}

/** Whose business a change is. */
function coordinator({ box }: CommitConfig, state: CommitState): "here" | "peer" | "nobody" {
  const { active, peerAlive, link } = state;
  if (active) return "here";
  if (link === undefined) return peerAlive ? "nobody" : "here";
  if (link.theirs === undefined) return "nobody";
  if (link.theirs.active) return "peer";
  return box === "a" ? "here" : "peer";
}

/** Brings back what was confirmed on one box while the other, which did not hear of it, rolled it back. */
export function redo(config: CommitConfig, state: CommitState, now: Instant): CommitStep | undefined {
  // A disk or a document that refused it goes on refusing, and others wait for their turn.
  if (state.redoAfter !== undefined && state.redoAfter > now) return undefined;
  const confirmed = rolledBackByMistake(state);
  if (confirmed === undefined || coordinator(config, state) !== "here") return undefined;
  const { id, by } = confirmed;
  const comment = `confirmed by ${by} while the other box was away and rolled it back`;
  const source = { kind: "revision", id } as const;
  const wish = {
    kind: "commit",
    source,
    base: state.head?.id,
    author: by,
    comment,
    confirmSeconds: undefined,
  } as const;
  const next = { ...state, redoAfter: after(now, REDO_AGAIN) };
  // It is tried again by this rule, and has no place among those that wait.
  const request = { id: 0, origin: "here", wish, begunAnew: Infinity } as const;
  return beginCommit(next, request, wish, share(config, state) ?? "behind");
}

export function begin(config: CommitConfig, state: CommitState, now: Instant): CommitStep | undefined {
  const [request, ...waiting] = state.waiting;
  if (request === undefined) return undefined;
  const taken = { ...state, waiting, patience: undefined };
  const where = coordinator(config, state);
  const peer = share(config, state);
  if (where === "nobody" || (where === "here" && peer === undefined)) {
    // Asked again at once, with a patience; nothing else has changed.
    if (state.patience === undefined) return give({ ...state, patience: after(now, PATIENCE) });
    if (state.patience > now) return undefined;
  }
  if (where === "nobody") return unless(taken, request, NOT_REACHED);
  if (where === "peer") {
    // Never on and on between two boxes that each take the other for the active one.
    if (request.origin === "peer") return unless(taken, request, ROLES_CHANGED);
    const forwarded = [...state.forwarded, request];
    return give(
      { ...taken, forwarded },
      { kind: "send", message: { kind: "forward", request: request.id, wish: request.wish } },
    );
  }
  const { wish } = request;
  const part = peer ?? (state.link === undefined ? "away" : "behind");
  return wish.kind === "commit"
    ? beginCommit(taken, request, wish, part)
    : beginConfirm(taken, request, wish, now, part);
}

/** What part the peer would take in a commit now; undefined while that is about to be known. */
function share(config: CommitConfig, state: CommitState): PeerShare | undefined {
  const { link, peerAlive } = state;
  if (config.box === undefined) return "none";
  if (link === undefined) return peerAlive ? undefined : "away";
  if (state.head !== undefined && link.theirs?.cannot === state.head.id) return "behind";
  switch (relationOf(config, state, link)) {
    case "same":
      return "inForce";
    case "unknown":
    case "ahead":
    case "behind":
    case "winsOver":
    case "losesTo":
      return undefined;
  }
}
