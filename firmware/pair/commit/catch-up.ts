/**
 * Two boxes that meet find out whose configuration is the newer one: a descendant wins over its ancestor whichever box
 * holds it, and the one that is behind fetches it. Only siblings conflict: a person's revision wins over a roll-back that
 * nobody ordered, then the active box's over the other's, then a's. The loser's stays stored on both, and is told.
 */
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";
import { become, give, isAutomatic, isUnconfirmed, note, withHead } from "./parts.ts";
import type {
  CommitAction,
  CommitConfig,
  CommitInput,
  CommitRefusal,
  CommitState,
  CommitStep,
  Confirmation,
  Kin,
  Landed,
  Link,
  Passage,
  RevisionId,
  RevisionSummary,
  Standing,
  Work,
} from "./types.ts";

/** Until the first part of it comes, and from each to the next. */
const FETCH_WITHIN = seconds(30);
/** In all it may take so much longer as it is long: UTF-16 units a second, up to the longest message. */
const FETCH_RATE_MIN = 32 << 10;
const FETCH_LENGTH_MAX = 128 << 20;
/** What the disk or the document refused may have been mended. */
const TAKE_AGAIN = seconds(10);

type In<Kind extends Work["kind"]> = Extract<Work, { readonly kind: Kind }>;

export function standingOf({ head, active, confirmed, cannot }: CommitState): Standing {
  const [id, parent] = [head?.id, head?.parent];
  return { head: id, parent, active, automatic: isAutomatic(head), confirmed, cannot: cannot?.id };
}

/** How the two heads stand to each other, as far as it is known. */
export type Relation = "unknown" | "same" | "ahead" | "behind" | "winsOver" | "losesTo";

export function relationOf(config: CommitConfig, state: CommitState, link: Link): Relation {
  const { theirs } = link;
  const mine = state.head?.id;
  if (theirs === undefined) return "unknown";
  if (theirs.head === mine) return "same";
  if (theirs.head === undefined) return "ahead";
  if (mine === undefined) return "behind";
  const kin = matching(link.kin, mine, theirs.head);
  const theirKin = matching(link.theirKin, mine, theirs.head);
  if (kin?.kinship === "ancestor") return "ahead";
  if (theirKin?.kinship === "ancestor") return "behind";
  if (kin === undefined || theirKin === undefined) return "unknown";
  // What was said, not what is: the peer judges by the same.
  return wins(config, link.said ?? standingOf(state), theirs) ? "winsOver" : "losesTo";
}

function matching(kin: Kin | undefined, mine: RevisionId, theirs: RevisionId): Kin | undefined {
  return kin?.mine === mine && kin.theirs === theirs ? kin : undefined;
}

function wins({ box }: CommitConfig, mine: Standing, theirs: Standing): boolean {
  const [myMistake, theirMistake] = [undoesConfirmed(mine, theirs), undoesConfirmed(theirs, mine)];
  if (myMistake !== theirMistake) return theirMistake;
  if (mine.automatic !== theirs.automatic) return theirs.automatic;
  if (mine.active !== theirs.active) return mine.active;
  return box === "a";
}

/** Whether a head is the roll-back of what the other box knows to be confirmed. */
function undoesConfirmed({ automatic, parent }: Standing, { confirmed }: Standing): boolean {
  return automatic && confirmed !== undefined && parent === confirmed.id;
}

/** The revision that was confirmed and that the head rolls back, because the word of it came too late. */
export function rolledBackByMistake({ head, confirmed, link }: CommitState): Confirmation | undefined {
  const { theirs } = link ?? {};
  // The same revision may have been made by a person over there, who knew.
  if (!isAutomatic(head) || (theirs?.head === head?.id && theirs?.automatic === false)) return undefined;
  return [confirmed, theirs?.confirmed].find((one) => one !== undefined && one.id === head?.parent);
}

/** What there is to do about the peer's head, when the box has nothing else to do. */
export function catchUp(config: CommitConfig, state: CommitState, now: Instant): CommitStep | undefined {
  const { link, head } = state;
  const theirs = link?.theirs?.head;
  if (link === undefined || theirs === undefined) return undefined;
  const isNew = theirs !== head?.id && head !== undefined;
  if (isNew && matching(link.kin, head.id, theirs) === undefined)
    return become(
      state,
      { kind: "relating" },
      { kind: "relate", mine: head.id, theirs, undone: undoneBy(link.theirs) },
    );
  const relation = relationOf(config, state, link);
  if (relation !== "behind" && relation !== "losesTo") return undefined;
  if (state.cannot?.id === theirs && state.cannot.until > now) return undefined;
  const until = after(now, FETCH_WITHIN);
  const work: Work = { kind: "fetching", id: theirs, loses: relation === "losesTo", since: now, arrived: 0, until };
  return become(state, work, { kind: "send", message: { kind: "fetch", id: theirs, have: head?.id } });
}

/** What comes slowly comes all the same. */
export function onArriving(state: CommitState, length: number, now: Instant): CommitStep {
  const { work } = state;
  if (work.kind !== "fetching") return give(state);
  const arrived = Math.min(work.arrived + length, FETCH_LENGTH_MAX);
  const latest = after(work.since, seconds(arrived / FETCH_RATE_MIN));
  return become(state, { ...work, arrived, until: after(now < latest ? now : latest, FETCH_WITHIN) });
}

function undoneBy(theirs: Standing | undefined): RevisionId | undefined {
  return theirs?.automatic === true ? theirs.parent : undefined;
}

/** Of what was confirmed the peer is told what it rolled back: there may be newer ones, of which it knows nothing. */
export function onRelated(
  state: CommitState,
  { mine, theirs, kinship, confirmed = state.confirmed }: Extract<CommitInput, { readonly kind: "related" }>,
): CommitStep {
  const { link, work } = state;
  const free = work.kind === "relating" ? { ...state, work: { kind: "idle" } as const } : state;
  const next = { ...free, confirmed };
  if (link === undefined) return give(next);
  const kin = { mine, theirs, kinship };
  const message = { kind: "kin", mine, yours: theirs, kinship } as const;
  return give({ ...next, link: { ...link, kin } }, { kind: "send", message });
}

/** The peer's word on a head of this box, which may have moved on since. */
export function onTheirKin(state: CommitState, kin: Kin): CommitStep {
  return state.link === undefined ? give(state) : give({ ...state, link: { ...state.link, theirKin: kin } });
}

export function onStanding(state: CommitState, theirs: Standing): CommitStep {
  const { link, head } = state;
  if (link === undefined) return give(state);
  // What it was asked for may not be its head any more, and then nothing comes.
  const moved = state.work.kind === "fetching" && state.work.id !== theirs.head;
  const work: Work = moved ? { kind: "idle" } : state.work;
  const next = { ...state, work, link: { ...link, theirs } };
  const { confirmed } = theirs;
  const news = confirmed !== undefined && confirmed.id === head?.id && isUnconfirmed(head);
  return news ? note(next, confirmed) : give(next);
}

export function onRevision(state: CommitState, passage: Passage): CommitStep {
  const { work } = state;
  const { revision } = passage;
  if (work.kind !== "fetching" || work.id !== revision.id) return give(state);
  return become(state, { kind: "examining", passage, loses: work.loses }, { kind: "check", revision });
}

export function onExamined(
  state: CommitState,
  { passage, loses }: In<"examining">,
  refusal: CommitRefusal | undefined,
  now: Instant,
): CommitStep {
  const { head } = state;
  const { revision, parent, lineage } = passage;
  if (refusal !== undefined) return cannotTake(state, revision.id, refusal, now);
  const tells: readonly CommitAction[] =
    loses && head !== undefined
      ? [
          { kind: "handOver", id: head.id },
          { kind: "lost", sibling: head.id, winner: revision.id },
        ]
      : [];
  const next = { ...state, confirmed: newestConfirmed([revision, ...lineage]) ?? state.confirmed };
  return become(next, { kind: "adopting" }, { kind: "adopt", revision, parent, lineage }, ...tells);
}

/** Of a lineage, the newest first. */
export function newestConfirmed(lineage: readonly RevisionSummary[]): Confirmation | undefined {
  const one = lineage.find(({ confirmedBy }) => confirmedBy !== undefined);
  return one?.confirmedBy === undefined ? undefined : { id: one.id, by: one.confirmedBy };
}

/** What did not come, does not hold here or finds no room on the disk is tried again later. */
export function cannotTake(
  state: CommitState,
  id: RevisionId,
  refusal: CommitRefusal | undefined,
  now: Instant,
): CommitStep {
  const next = { ...state, cannot: { id, until: after(now, TAKE_AGAIN) } };
  return become(next, { kind: "idle" }, ...(refusal === undefined ? [] : [{ kind: "cannotTake", refusal } as const]));
}

export function onAdopted(state: CommitState, landed: Landed, now: Instant): CommitStep {
  if (!landed.ok) return cannotTake(state, state.link?.theirs?.head ?? "", landed.refusal, now);
  const next = { ...withHead(state, landed.head, now), cannot: undefined };
  return become(next, { kind: "idle" }, { kind: "cannotTake", refusal: undefined }, { kind: "fillUp" });
}
