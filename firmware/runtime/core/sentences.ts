/** What the alarms of core say: what happened, where, and what to do about it. Pure. */
import type { CommitRefusal } from "../../pair/commit/types.ts";
import type { UnconfirmedShown } from "../control.ts";
import { localTime } from "../local-time.ts";
import type { Standing } from "./pairing/standing.ts";

/** What is told of commits. */
export interface Committing {
  readonly unconfirmed: UnconfirmedShown | null;
  readonly disagreement: Disagreement;
  readonly stuck: Stuck | undefined;
}

/** What is to be rolled back and cannot be. */
export interface Stuck {
  readonly revision: string;
  readonly author: string;
  readonly refusal: CommitRefusal;
  /** It waited for somebody to confirm it, which is still possible. */
  readonly canStay: boolean;
}

/** What the boxes cannot agree on. */
export interface Disagreement {
  /** Why the peer's head cannot be taken here. */
  readonly cannotTake: CommitRefusal | undefined;
  readonly lost: Lost | undefined;
}

/** Of two revisions that did not know of each other, by their ids. */
export interface Lost {
  readonly sibling: string;
  readonly winner: string;
}

export const NO_CONFIGURATION =
  "this box has no configuration; give it one with `futago config apply FILE`, or get the peer's with `futago pair join CODE`, or `futago restore FILE`";

/** By whose peer the box is: one that has a peer cannot join another. */
export function noConfiguration(kind: Standing["kind"]): string {
  switch (kind) {
    case "alone":
    case "left":
      return NO_CONFIGURATION;
    case "key":
      return "this box has no configuration; give it one with `futago config apply FILE`";
    case "paired":
      return "this box has no configuration; it takes its peer's as soon as the two are linked, or give both one with `futago config apply FILE`";
  }
}

export const MAINTENANCE_WAITS =
  "this box goes into maintenance as soon as the other one can take over; `futago maintenance off` takes that back";

export const SENTINEL_AWAY =
  "the sentinel is not running, so this box holds no role; it is being started again, and `futago show log` tells why it ended";

export function missingDevice(device: string): string {
  return `the configuration names the device ${device}, which this box does not have; plug it in, or name another with \`futago config apply\``;
}

export function revisionsDiffer(mine: string, theirs: string): string {
  return `this box runs revision ${short(mine)} and the peer ${short(theirs)}; the newer one is taken over by itself as soon as the two cores are linked`;
}

/** What the boxes have not agreed on, by the kind of its alarm; undefined where all is well. */
export function commitAlarms({
  unconfirmed: waiting,
  disagreement,
  stuck,
}: Committing): ReadonlyMap<string, string | undefined> {
  const { cannotTake, lost } = disagreement;
  const refused =
    cannotTake &&
    `this box cannot take the peer's configuration: ${placed(cannotTake)}; ${cannotTake.mend ?? "it tries again by itself"}`;
  const conflict =
    lost &&
    `revisions ${short(lost.winner)} and ${short(lost.sibling)} were committed while the two boxes could not speak; the first is in force on both, \`futago rollback ${short(lost.sibling)}\` brings the other back`;
  const unconfirmed =
    waiting === null || stuck !== undefined
      ? undefined
      : `revision ${short(waiting.revision)} of ${waiting.author} is rolled back at ${localTime(waiting.rollsBackAt)} unless ${waiting.author} gives \`futago confirm\`, or somebody else with --force`;
  return new Map([
    ["revision-refused", refused],
    ["revision-lost", conflict],
    ["unconfirmed", unconfirmed],
    ["not-rolled-back", stuck && notRolledBack(stuck)],
  ]);
}

function notRolledBack({ revision, author, refusal, canStay }: Stuck): string {
  const ways = canStay ? "`futago confirm` keeps it, another configuration" : "another configuration";
  const mend = refusal.mend === undefined ? "" : `; ${refusal.mend}`;
  return `revision ${short(revision)} of ${author} is to be rolled back and cannot be: ${placed(refusal)}; that is tried again by itself, and ${ways} takes its place${mend}`;
}

function placed({ where, what }: CommitRefusal): string {
  return where === undefined || where === "" ? what : `${where}: ${what}`;
}

function short(revision: string): string {
  return revision.slice(0, 16);
}

/** What a drain did, for the person who asked for it. `used` is false where no service uses the pool. */
export function drainSentence(name: string, on: boolean, changed: boolean, used: boolean): string {
  const unused = used ? "" : "; no service uses its pool now";
  if (on)
    return `${name} ${changed ? "drains now" : "was draining already"}: it keeps its connections and takes no new ones${unused}.`;
  return changed ? `${name} takes new connections again${unused}.` : `${name} was not draining.`;
}
