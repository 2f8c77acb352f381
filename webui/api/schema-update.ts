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

export const UpdateSchema = Type.Object(
  {
    version: orNull(Type.String(), "Of the image that runs; null: the machine did not boot from one."),
    slots: Type.Array(SlotSchema),
    proof: Type.Object({
      state: words(["off", "waiting", "soaking", "good", "givenUp"]),
      findings: Type.Array(Type.String(), { description: "What keeps the version from being found good." }),
      secondsLeft: orNull(Type.Number()),
    }),
    percent: orNull(Type.Number(), "How much of the bundle is written; null: none is being written."),
    steps: Type.Array(Type.Object({ at: Time, sentence: Type.String() })),
    isWorking: Type.Boolean(),
    failure: orNull(Type.String(), "Why the newest update came to nothing."),
  },
  { description: "The two slots of this box, and the newest update." },
);

/** Compiles only while the schema says what core's type says. */
true satisfies Same<Static<typeof UpdateSchema>, UpdateShown>;
