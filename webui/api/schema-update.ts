/** A box's slots and its updates, as the API shows them. */
import type { UpdateShown } from "@futago/firmware/runtime/control-update.ts";
import { type Static, Type } from "typebox";
import { orNull, type Same, Time, words } from "./schema-parts.ts";

const SlotSchema = Type.Object({
  slot: words(["a", "b"]),
  isRunning: Type.Boolean(),
  isFirst: Type.Boolean({ description: "The next start takes it first." }),
  verdict: words(["good", "trial", "bad"], "A trial boots, and was not found good yet. No start takes a bad one."),
  tries: Type.Number({ description: "Starts left before the other slot is taken." }),
  version: orNull(Type.String(), "What was installed into it; null: nothing since the disk was written."),
});

const StepSchema = Type.Object({ at: Time, sentence: Type.String() });
const PROOF_STATES = ["off", "waiting", "soaking", "good", "givenUp"] as const;

const PairUpdateSchema = Type.Object({
  id: Type.String({ description: "16 hex digits, the same on both boxes." }),
  version: Type.String({ description: "What the bundle holds." }),
  author: Type.String(),
  startedAt: Time,
  stage: words(
    [
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
    ],
    "In the order in which a pair goes through them, the standby first.",
  ),
  box: words(["a", "b"], "The box that the stage is about."),
  percent: orNull(Type.Number(), "While the bundle is sent or written."),
  secondsLeft: orNull(Type.Number(), "While the new version is proved or watched, when nothing goes wrong."),
  findings: Type.Array(Type.String(), { description: "What the stage waits for, or what speaks against the version." }),
  steps: Type.Array(StepSchema, { description: "Of both boxes, the oldest first." }),
  outcome: words(
    ["running", "done", "cameBack", "halfway"],
    "done: both run it. cameBack: neither does, and the former version serves. halfway: one of them does.",
  ),
  failure: orNull(Type.String(), "Why it did not come to its end."),
  canStop: Type.Boolean({ description: "It can still be stopped, and then both run the former version." }),
});

export const UpdateSchema = Type.Object(
  {
    version: orNull(Type.String(), "Of the image that runs; null: the machine did not boot from one."),
    slots: Type.Array(SlotSchema),
    proof: Type.Object({
      state: words(PROOF_STATES),
      findings: Type.Array(Type.String(), { description: "What keeps the version from being found good." }),
      secondsLeft: orNull(Type.Number()),
    }),
    percent: orNull(Type.Number(), "How much of the bundle is written; null: none is being written."),
    steps: Type.Array(StepSchema),
    isWorking: Type.Boolean(),
    failure: orNull(Type.String(), "Why the newest update came to nothing."),
    peer: orNull(
      Type.Object({ version: orNull(Type.String()), proof: words(PROOF_STATES) }),
      "What the other box runs, as it told last.",
    ),
    pair: orNull(PairUpdateSchema, "The newest update of the pair."),
  },
  { description: "The two slots of this box, and the newest update." },
);

/** Compiles only while the schema says what core's type says. */
true satisfies Same<Static<typeof UpdateSchema>, UpdateShown>;
