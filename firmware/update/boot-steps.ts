/**
 * What a step makes of the boot state, and what the loader makes of it at a boot. User space's steps count the generation
 * up; the loader's leaves it. Why a step is taken is decided elsewhere.
 */
import {
  type BootState,
  GOOD_TRIES,
  LAST_TRIES,
  otherSlot,
  type Slot,
  type SlotState,
  TRIAL_TRIES,
} from "./boot-state.ts";

const GENERATIONS = 1_000_000_000;

/** What the next boots try first; the other slot is what they come back to. */
export function beginTrial(state: BootState, slot: Slot): BootState {
  return changed({ ...withSlot(state, slot, { verdict: "trial", tries: TRIAL_TRIES }), primary: slot });
}

/** The running slot was found good: all its tries again, and the next boot takes it first. */
export function markGood(state: BootState, slot: Slot): BootState {
  const other = state.slots[otherSlot(slot)];
  // A slot that was good and used its tries up by power cuts is still better than none.
  const spent = other.verdict === "good" && other.tries < LAST_TRIES;
  const kept = spent ? withSlot(state, otherSlot(slot), { verdict: "good", tries: LAST_TRIES }) : state;
  return changed({ ...withSlot(kept, slot, { verdict: "good", tries: GOOD_TRIES }), primary: slot });
}

/** The loader passes it by; the other one becomes the first. */
export function markBad(state: BootState, slot: Slot): BootState {
  return changed({ ...withSlot(state, slot, { verdict: "bad", tries: 0 }), primary: otherSlot(slot) });
}

/** Which slot is tried first. One that was found bad gets a trial: somebody who names it wants to see it boot. */
export function setPrimary(state: BootState, slot: Slot): BootState {
  if (!isBootable(state.slots[slot])) return beginTrial(state, slot);
  return changed({ ...state, primary: slot });
}

/**
 * What the boot that led to `running` says of the other slot: a trial that ended in this slot has failed, and its slot is
 * bad. Undefined when it says nothing.
 */
export function fellBack(state: BootState, running: Slot): BootState | undefined {
  const other = otherSlot(running);
  if (state.primary !== other) return undefined;
  if (state.slots[other].verdict === "trial") return markBad(state, other);
  return state.slots[other].tries === 0 ? changed({ ...state, primary: running }) : undefined;
}

function withSlot(state: BootState, slot: Slot, as: SlotState): BootState {
  return { ...state, slots: { ...state.slots, [slot]: as } };
}

function changed(state: BootState): BootState {
  return { ...state, generation: (state.generation + 1) % GENERATIONS };
}

function isBootable({ verdict, tries }: SlotState): boolean {
  return verdict !== "bad" && tries > 0;
}

/** What the loader does with what it read: the slot it boots and what it saves to both copies, or the rescue mode. */
export function loaderBoots(
  state: BootState,
): { readonly slot: Slot; readonly saved: BootState } | { readonly slot: undefined } {
  const slot = [state.primary, otherSlot(state.primary)].find((one) => isBootable(state.slots[one]));
  if (slot === undefined) return { slot };
  const { verdict, tries } = state.slots[slot];
  return { slot, saved: withSlot(state, slot, { verdict, tries: tries - 1 }) };
}
