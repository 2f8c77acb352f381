/** The verb that puts another version onto a box. */
import { COMMON, none, type Verb } from "./verb.ts";

export const UPDATE_VERB: Verb = {
  ...none("update"),
  operands: "FILE|status|stop|back",
  operandsMin: 1,
  operandsMax: 1,
  options: {
    ...COMMON,
    "this-box": { type: "boolean", help: "this box only, and not the other one of its pair" },
    force: { type: "boolean", help: "this box only, also when it is active and nobody can take over" },
    "no-wait": { type: "boolean", help: "return as soon as the bundle was found fit" },
  },
  summary: "put another version onto this box or its pair, and back",
  words: {
    FILE: "install this bundle into the slot that does not run, and start the box anew from it, on trial; in a pair the other box first, and this one when it served well",
    status: "which version runs, what is in the slots, and whether the running version was found good",
    stop: "take the pair's update back while it can be: both boxes run the former version then",
    back: "start the box anew from the other slot, on trial",
  },
  details:
    "A version on trial that does not come up three times, or is not found good within 15 minutes, gives way to the former one by itself. A bundle that is older than what runs, unsigned, damaged or for another kind of box is refused. In a pair the box that does not serve is updated first, serves for a minute while its traffic is held against the former version's, and goes back by itself if that is worse. Exit code 1 when it came to nothing, 5 when the peer is needed and not there, 6 when an update is under way, or something else that it would cross.",
};
