/** Why an update of the pair cannot begin, and what to do about it. Pure. */
import { type BoxFacts, type BundleFacts, refuseBundle } from "./bundle.ts";

/** How the pair stands, as one box sees it. */
export interface PairStanding {
  readonly isCold: boolean;
  readonly peerAlive: boolean;
  /** The link between the two cores stands, and the other one speaks of updates. */
  readonly linked: boolean;
  readonly speaks: boolean;
  readonly role: string;
  readonly peerRole: string;
  readonly groups: number;
  readonly held: number;
  /** Each has all connections that the other one serves. */
  readonly told: boolean;
  readonly alarms: readonly { readonly kind: string; readonly sentence: string }[];
  /** Something that changes the pair is under way: a drill, a commit that waits. */
  readonly busy: string | undefined;
}

/** One of the two boxes, as it told. */
export interface BoxStanding {
  readonly box: string;
  /** Undefined where it has no slots. */
  readonly build: BoxFacts | undefined;
  /** What runs there was found good. */
  readonly isProven: boolean;
}

export interface PairRefusal {
  readonly reason: string;
  /** 1: failed, 5: peer needed, 6: conflict. */
  readonly exitCode: 1 | 5 | 6;
  readonly what: string;
  readonly mend: string;
}

/** Alarms of a pair that is not whole: a hand-over would be felt. */
const NOT_WHOLE: ReadonlySet<string> = new Set([
  "peer-lost",
  "one-way",
  "wrong-key",
  "same-box",
  "two-actives",
  "vrid-conflict",
  "address-conflict",
  "missing-device",
  "network-refused",
  "no-configuration",
  "revision-differs",
  "revision-refused",
  "unconfirmed",
  "not-rolled-back",
  "sentinel-away",
]);

const THIS_BOX = "`futago update FILE --this-box` updates this box only.";

export function refusePair(pair: PairStanding): PairRefusal | undefined {
  if (pair.isCold)
    return conflict(
      "coldPair",
      "the standby of this pair takes nothing over by itself",
      `It has no part in this: ${THIS_BOX}`,
    );
  if (!pair.peerAlive || !pair.linked) {
    const what = "the other box is not there, and the update of a pair needs both";
    return needed("peerAway", what, `\`futago status\` tells what is missing. ${THIS_BOX}`);
  }
  if (!pair.speaks) {
    const what = "the other box runs a version that knows no update of a pair, or it has not told what it runs yet";
    return needed("peerSilent", what, `Try again in a few seconds, or update one box after the other: ${THIS_BOX}`);
  }
  if (pair.groups === 0)
    return conflict("noGroups", "no failover group is configured, so nothing can change hands", THIS_BOX);
  if (pair.role === "maintenance" || pair.peerRole === "maintenance") {
    const which = pair.role === "maintenance" ? "this box" : "the other box";
    return conflict("maintenance", `${which} is in maintenance`, "End that first: `futago maintenance off` there.");
  }
  if (pair.busy !== undefined) return conflict("busy", pair.busy, "Wait for its end, or end it.");
  const alarm = pair.alarms.find(({ kind }) => NOT_WHOLE.has(kind));
  if (alarm !== undefined)
    return conflict("notWhole", `the pair is not whole: ${alarm.kind}: ${alarm.sentence}`, "Mend that first.");
  if (pair.held < pair.groups && pair.peerRole !== "active")
    return needed("unheld", "not every failover group is held by one of the boxes", "Try again in a few seconds.");
  if (!pair.told)
    return conflict("notTold", "the two boxes do not hold each other's connections yet", "Try again in a few seconds.");
  return undefined;
}

export function refuseBox({ box, build, isProven }: BoxStanding, bundle: BundleFacts): PairRefusal | undefined {
  if (build === undefined) {
    const what = `box ${box} did not boot from a Futago image, and has no slots to update`;
    return { reason: "noSlots", exitCode: 1, what, mend: THIS_BOX };
  }
  const refusal = refuseBundle(bundle, build);
  if (refusal !== undefined) {
    const { reason, what, mend } = refusal;
    const isHalf = reason === "same" || reason === "older";
    const advice = isHalf
      ? `${mend} To bring one box to what the other runs: \`futago update FILE --this-box\` there.`
      : mend;
    return { reason, exitCode: 1, what: `box ${box}: ${what}`, mend: advice };
  }
  if (isProven) return undefined;
  const what = `the version that runs on box ${box} has not been found good yet, and its other slot is what it would come back to`;
  return conflict("notProven", what, "Wait until `futago update status` calls it good.");
}

function needed(reason: string, what: string, mend: string): PairRefusal {
  return { reason, exitCode: 5, what, mend };
}

function conflict(reason: string, what: string, mend: string): PairRefusal {
  return { reason, exitCode: 6, what, mend };
}
