/** What the two cores say to each other of updates, as it may look on the wire. Pure. */
import type { Sight, Traffic } from "../../../update/pair-compare.ts";
import type { Told, Work } from "../../../update/pair-types.ts";
import type { PairUpdateShown, UpdateStep } from "../../control-update.ts";
import {
  either,
  flag,
  list,
  nothing,
  object,
  oneOf,
  optional,
  type Shapes,
  text,
  time,
  whole,
} from "../peer-link/shapes.ts";

export const STEPS_MAX = 64;
export const SENTENCE_LENGTH_MAX = 600;
export const FINDINGS_MAX = 16;
export const VIPS_MAX = 64;
export const ALARMS_MAX = 64;
const BUNDLE_BYTES_MAX = 512 << 20;

/** What is kept of an update of the pair, by both boxes. */
export interface PairRecord extends PairUpdateShown {
  readonly leader: "a" | "b";
  readonly build: string;
}

export interface UpdateRefused {
  readonly exitCode: number;
  readonly what: string;
  readonly mend: string;
}

/** What runs here, for whoever holds a bundle against it. */
export interface ToldBuild {
  readonly version: string;
  readonly time: string;
  readonly architecture: string;
}

export type UpdateMessage =
  /** Each second, and when the link comes up. */
  | {
      readonly kind: "updateTold";
      readonly told: Told;
      readonly build: ToldBuild | null;
      /** The slot that runs was found good, so that something can be installed into the other one. */
      readonly isProven: boolean;
    }
  /** The sender has a bundle that the other box is to install, or to lead the pair's update with. */
  | {
      readonly kind: "updateOffer";
      readonly update: string;
      readonly lead: boolean;
      readonly version: string;
      readonly author: string;
      readonly length: number;
      /** SHA-256, in hexadecimal. */
      readonly digest: string;
    }
  /** So many of its bytes are there, and the others are asked for beside the link; all of them: it is whole, and was compared. */
  | {
      readonly kind: "updateGot";
      readonly update: string;
      readonly received: number;
      readonly isWhole: boolean;
      readonly refusal: UpdateRefused | undefined;
    }
  | { readonly kind: "updateOrder"; readonly update: string; readonly order: "install" | "start" | "goBack" }
  /** To the box that leads. */
  | { readonly kind: "updateStop"; readonly update: string; readonly author: string }
  /** From the box that leads, at each change; and from the other one to a leader that was started anew. */
  | { readonly kind: "updateRecord"; readonly record: PairRecord };

const name = text(64);
const sentence = text(SENTENCE_LENGTH_MAX);
const update = (value: unknown) => typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
const digest = (value: unknown) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const count = whole(0, Number.MAX_SAFE_INTEGER);
const seconds = either(nothing, whole(0, 100_000));
const percent = either(nothing, whole(0, 100));
const box = oneOf("a", "b");
/** A version, and when it was made. */
const build = text(128);
const findings = list(FINDINGS_MAX, sentence);
const proof = oneOf("off", "waiting", "soaking", "good", "givenUp");

const sight = object<Sight>({
  groups: whole(0, 64),
  holds: whole(0, 64),
  alarms: list(ALARMS_MAX, name),
  up: count,
  away: count,
  traffic: object<Traffic>({ flows: count, packetsIn: count, packetsOut: count }),
  answering: list(VIPS_MAX, name),
  silent: list(VIPS_MAX, name),
});

const work = object<Work>({
  update,
  doing: oneOf("installing", "installed", "starting", "goingBack", "failed"),
  percent,
  failure: either(nothing, sentence),
});

const told = object<Told>({
  version: either(nothing, name),
  build: either(nothing, build),
  proof,
  findings,
  secondsLeft: seconds,
  work: either(nothing, work),
  sight,
});

const STAGES = [
  "checking",
  "sending",
  "installing",
  "starting",
  "proving",
  "handingOver",
  "watching",
  "handingBack",
  "goingBack",
  "over",
] as const;

const record = object<PairRecord>({
  id: update,
  version: name,
  build,
  author: name,
  startedAt: time,
  stage: oneOf(...STAGES),
  box,
  leader: box,
  percent,
  secondsLeft: seconds,
  findings,
  steps: list(STEPS_MAX, object<UpdateStep>({ at: time, sentence })),
  outcome: oneOf("running", "done", "cameBack", "halfway"),
  failure: either(nothing, sentence),
  canStop: flag,
});

export const UPDATE_SHAPES: Shapes<UpdateMessage> = {
  updateTold: {
    told,
    build: either(nothing, object<ToldBuild>({ version: name, time: text(40), architecture: name })),
    isProven: flag,
  },
  updateOffer: {
    update,
    lead: flag,
    version: name,
    author: name,
    length: whole(1, BUNDLE_BYTES_MAX),
    digest,
  },
  updateGot: {
    update,
    received: whole(0, BUNDLE_BYTES_MAX),
    isWhole: flag,
    refusal: optional(object<UpdateRefused>({ exitCode: oneOf(1, 5, 6), what: sentence, mend: sentence })),
  },
  updateOrder: { update, order: oneOf("install", "start", "goBack") },
  updateStop: { update, author: name },
  updateRecord: { record },
};
