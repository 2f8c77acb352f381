/** What the update of a pair says and weighs, without what it does. */
import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import type { BundleFacts } from "../../../update/bundle.ts";
import type { Sight } from "../../../update/pair-compare.ts";
import type { PairRefusal } from "../../../update/pair-refusals.ts";
import type { Told, Work } from "../../../update/pair-types.ts";
import type { ProofShown } from "../../control-update.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Penalty } from "../../messages.ts";
import type { ImageFacts } from "../../update/protocol.ts";
import { digestOf, type Offer } from "./bundle-sender.ts";
import { sentenceOf, stepNow } from "./pair-record.ts";
import { FINDINGS_MAX, type PairRecord } from "./update-message.ts";

export const NO_SLOTS: PairRefusal = {
  reason: "noSlots",
  exitCode: 1,
  what: "it did not boot from a Futago image, and has no slots to update",
  mend: "`futago update FILE --this-box` updates one box only.",
};
const UNPROVEN = "the version that runs is on trial, and was not found good yet";
const WATCHED = "the other box's new version is watched while it serves";
const GOES_BACK = "this box goes back to its former version";

export interface Weighed {
  readonly box: "a" | "b" | undefined;
  readonly build: string | undefined;
  readonly isProven: boolean;
}

/** A version that is not proven takes nothing over from one that is; it does from a box that is dead. */
export function penaltiesOf(record: PairRecord | undefined, { box, build, isProven }: Weighed): readonly Penalty[] {
  if (box === undefined || record?.outcome !== "running") return [];
  const { stage, leader } = record;
  if (leader === box && (stage === "handingOver" || stage === "watching")) return [penalty(WATCHED)];
  if (leader !== box && (stage === "handingBack" || stage === "goingBack")) return [penalty(GOES_BACK)];
  // Which version runs is told a moment after the start, and by then the election may have taken a role.
  const mayRunIt = build === record.build || (build === undefined && record.box === box);
  return mayRunIt && !isProven ? [penalty(UNPROVEN)] : [];
}

function penalty(sentence: string): Penalty {
  return { group: undefined, cause: "version", weight: 1, sentence };
}

export interface OfThisBox {
  readonly runs: ImageFacts | undefined;
  readonly proof: ProofShown;
  readonly work: Work | null;
  readonly sight: Sight;
}

/** What the other box is told of this one. */
export function toldOf({ runs, proof, work, sight }: OfThisBox): Told {
  const { state, findings, secondsLeft } = proof;
  return {
    version: runs?.version ?? null,
    build: buildOf(runs) ?? null,
    proof: state,
    findings: findings.slice(0, FINDINGS_MAX).map(sentenceOf),
    secondsLeft,
    work,
    sight,
  };
}

/** What the box that was asked shows until the one that leads tells more. */
export function handedOnRecord(offer: Offer, build: string, leader: "a" | "b"): PairRecord {
  const { update: id, version, author } = offer;
  return {
    id,
    version,
    build,
    leader,
    author,
    startedAt: new Date().toISOString(),
    stage: "sending",
    box: leader,
    percent: 0,
    secondsLeft: null,
    findings: [],
    steps: [stepNow(`the bundle goes to box ${leader}, which serves, and leads the update`)],
    outcome: "running",
    failure: null,
    canStop: false,
  };
}

/** Nobody goes on with it: as what is known of this box says. */
export function leaderGone(record: PairRecord, runsIt: boolean): PairRecord {
  const failure = `box ${record.leader}, which led the update, has not come back`;
  const outcome = runsIt ? "halfway" : "cameBack";
  return { ...record, stage: "over", outcome, failure, percent: null, secondsLeft: null, findings: [], canStop: false };
}

/** The alarm of an update that did not come to its end. */
export function failedSentence({ version, outcome, failure }: PairRecord): string {
  const why = failure ?? "";
  if (outcome === "halfway")
    return `the pair's update to ${version} ended half-way, so that the boxes run different versions: ${why}; give the bundle to the box that lacks it with \`futago update FILE --this-box\`, or take the other one back with \`futago update back\` there`;
  return `the pair's update to ${version} came to nothing, and the former version serves: ${why}; \`futago update status\` tells more, and \`futago update FILE\` tries again`;
}

export async function offerOf(file: string, { version }: BundleFacts, author: string): Promise<Offer> {
  const { size } = await stat(file);
  const update = randomBytes(8).toString("hex");
  return { update, lead: false, version, author: author.slice(0, 64), length: size, digest: await digestOf(file) };
}

export function buildName({ version, time }: { readonly version: string; readonly time: string }): string {
  return `${version} of ${time}`;
}

export function buildOf(image: ImageFacts | undefined): string | undefined {
  return image === undefined ? undefined : buildName(image);
}

export function conflict(what: string, mend: string): RefusalError {
  return new RefusalError({ exitCode: ExitCode.conflict, what, mend });
}

export function refused({ exitCode, what, mend, reason }: PairRefusal): RefusalError {
  return new RefusalError({ exitCode, what, reason, ...(mend === "" ? {} : { mend }) });
}
