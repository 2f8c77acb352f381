/** The verb that puts another version onto a box. */
import { COMMON, none, type Verb } from "./verb.ts";

export const UPDATE_VERB: Verb = {
  ...none("update"),
  operands: "FILE|status|back",
  operandsMin: 1,
  operandsMax: 1,
  options: {
    ...COMMON,
    force: { type: "boolean", help: "also when this box is active and nobody can take over" },
    "no-wait": { type: "boolean", help: "return as soon as the bundle was found fit" },
  },
  summary: "put another version onto this box, and back",
  words: {
    FILE: "install this bundle into the slot that does not run, and start the box anew from it, on trial",
    status: "which version runs, what is in the slots, and whether the running version was found good",
    back: "start the box anew from the other slot, on trial",
  },
  details:
    "A version on trial that does not come up three times, or is not found good within 15 minutes, gives way to the former one by itself. A bundle that is older than what runs, unsigned, damaged or for another kind of box is refused. Exit code 5 when this box is active and the peer cannot take over, 6 when an update is under way.",
};
