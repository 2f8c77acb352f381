/**
 * What RAUC asks of a boot loader that it does not know: which slot is first, which one runs, and whether a slot is good.
 *
 * @see RAUC 1.13, "Custom bootloader backend interface"
 */
import type { BootState, Slot } from "../../update/boot-state.ts";
import { beginTrial, markBad, markGood, setPrimary } from "../../update/boot-steps.ts";
import type { BootStateStore } from "./boot-state-store.ts";

export interface BackendAnswer {
  readonly code: 0 | 1;
  readonly out: string;
  readonly said: string;
}

export function answerBackend(
  words: readonly string[],
  store: BootStateStore,
  running: Slot | undefined,
): BackendAnswer {
  const [question = "", name, verdict] = words;
  const slot = name === "a" || name === "b" ? name : undefined;
  const { state } = store.read();
  switch (question) {
    case "get-primary":
      return answer(state.primary);
    case "get-current":
      return running === undefined ? refusal("no slot of this disk runs") : answer(running);
    case "set-primary":
      return slot === undefined ? refusal(`no slot ${name}`) : written(store, primaryOf(state, slot, running));
    case "get-state":
      return slot === undefined
        ? refusal(`no slot ${name}`)
        : answer(state.slots[slot].verdict === "bad" ? "bad" : "good");
    case "set-state":
      if (slot === undefined || (verdict !== "good" && verdict !== "bad")) return refusal(`no slot ${name} ${verdict}`);
      return written(store, verdict === "good" ? markGood(state, slot) : spoiled(state, slot, running));
    default:
      return refusal(`there is no question ${JSON.stringify(question)}`);
  }
}

/** The slot that runs has shown that it boots. */
function primaryOf(state: BootState, slot: Slot, running: Slot | undefined): BootState {
  return slot === running ? setPrimary(state, slot) : beginTrial(state, slot);
}

/** RAUC calls the slot that it is going to overwrite bad; that must not make the other one first by the way. */
function spoiled(state: BootState, slot: Slot, running: Slot | undefined): BootState {
  const marked = markBad(state, slot);
  return running === undefined || running === slot ? marked : { ...marked, primary: running };
}

function written(store: BootStateStore, state: BootState): BackendAnswer {
  const troubles = store.write(state);
  return { code: 0, out: "", said: troubles.map(({ copy, cause }) => `${copy}: ${cause}\n`).join("") };
}

function answer(out: string): BackendAnswer {
  return { code: 0, out: `${out}\n`, said: "" };
}

function refusal(why: string): BackendAnswer {
  return { code: 1, out: "", said: `${why}\n` };
}
