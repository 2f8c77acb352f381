/**
 * One box's half of a cold pair: whether it is the active box or the spare, and when it must first prove that the other
 * one is dark. Nothing moves by itself: who serves is what a person decided last, under the highest epoch. It decides
 * neither how addresses are asked for nor what the sentinel does with its part.
 *
 * @see docs/cold-standby.md
 */
import { after, type Instant, seconds } from "@futago/hal/units/time.ts";
import type { Activation, Look, SpareConfig, SpareInput, SpareState, SpareStep, Standing } from "./types.ts";
import { NO_ACTIVATION } from "./types.ts";

/** For the peer's word, before this box asks around for itself. */
const WORD_WITHIN = seconds(5);
/** After it found that somebody serves, or could ask nobody. */
const LOOK_AGAIN_AFTER = seconds(10);

export function initialSpare(activation: Activation = NO_ACTIVATION): SpareState {
  return {
    activation,
    proven: false,
    serving: false,
    peer: "unknown",
    linked: false,
    looking: undefined,
    lookAt: undefined,
    doubt: undefined,
    forced: undefined,
  };
}

export function nextTimeout(state: SpareState): Instant | undefined {
  return state.lookAt;
}

export function standing(config: SpareConfig, state: SpareState): Standing {
  if (!config.cold) return { part: "either", ports: "open" };
  if (isNamed(config, state) && state.proven) return { part: "active", ports: "open" };
  return { part: "spare", ports: state.looking === undefined ? "shut" : "silent" };
}

/** Whether this box is the one that shall serve. */
export function isNamed(config: SpareConfig, { activation }: SpareState): boolean {
  return activeBox(config, activation) === config.box;
}

export function activeBox(config: SpareConfig, { active }: Activation): "a" | "b" | "nobody" {
  return active === "undecided" ? config.preferred : active;
}

export function step(config: SpareConfig, state: SpareState, input: SpareInput, now: Instant): SpareStep {
  const taken = takeInput(config, state, input);
  const reviewed = review(config, taken, now);
  const { activation, looking } = reviewed;
  const isNew = !same(activation, state.activation);
  const isKept = input.kind === "decided";
  const says = input.kind === "configured" || (input.kind === "link" && input.up);
  return {
    state: reviewed,
    actions: [
      ...(isNew && !isKept ? [{ kind: "keep", activation } as const] : []),
      ...(isNew || says ? [{ kind: "tell", activation } as const] : []),
      ...(looking === "boot" && state.looking !== "boot" ? [{ kind: "look" } as const] : []),
    ],
  };
}

function takeInput(config: SpareConfig, state: SpareState, input: SpareInput): SpareState {
  switch (input.kind) {
    case "configured":
      return configured(config, { ...state, serving: input.serving }, input.before);
    case "sentinel":
      return { ...state, serving: input.serving, peer: input.peer };
    case "sentinelLost":
      // Without its word the other box may have been activated meanwhile.
      return { ...state, serving: false, peer: "unknown", proven: state.proven && state.linked };
    case "link":
      return { ...state, linked: input.up };
    case "told":
      return told(config, state, input.activation);
    case "look":
      return { ...state, looking: "person", lookAt: undefined };
    case "looked":
      return state.looking === input.by ? looked(state, input.look) : state;
    case "decided": {
      const { activation, forced } = input;
      return { ...state, activation, forced, proven: true, looking: undefined, doubt: undefined };
    }
    case "timeout":
      return state.lookAt === undefined ? state : { ...state, looking: "boot", lookAt: undefined };
  }
}

function configured(config: SpareConfig, state: SpareState, before: SpareConfig | undefined): SpareState {
  const { activation, serving } = state;
  if (before?.cold === config.cold) return state;
  // The election decides: who served before the pair was hot has no claim when it is cold again.
  if (!config.cold) {
    const open: Activation = { ...activation, active: "undecided" };
    return { ...state, activation: before === undefined ? activation : open, proven: false, ...NOTHING_TO_SAY };
  }
  // A commit moves no role: whoever serves goes on, and says so. A core that was started anew finds it said.
  const claims = serving && (before !== undefined || activation.active === "undecided");
  return { ...state, proven: serving, activation: claims ? next(activation, config.box) : activation };
}

const NOTHING_TO_SAY = { looking: undefined, lookAt: undefined, doubt: undefined, forced: undefined } as const;

/** A peer that is linked and knows this box as the active one does not serve. */
function told(config: SpareConfig, state: SpareState, theirs: Activation): SpareState {
  const activation = newer(config, state.activation, theirs);
  const agreed = { ...state, activation, forced: undefined };
  if (!config.cold || !isNamed(config, agreed) || state.peer === "active") return agreed;
  return { ...agreed, proven: true, doubt: undefined };
}

/** Which of two counts, the same on both boxes. */
export function newer(config: Pick<SpareConfig, "preferred">, mine: Activation, theirs: Activation): Activation {
  if (mine.epoch !== theirs.epoch) return mine.epoch > theirs.epoch ? mine : theirs;
  const weight = ({ active }: Activation) =>
    active === "undecided" ? 0 : active === "nobody" ? 1 : active === config.preferred ? 3 : 2;
  return weight(mine) >= weight(theirs) ? mine : theirs;
}

/** What a person asked for the person decides upon. */
function looked(state: SpareState, look: Look): SpareState {
  if (state.looking === "person") return { ...state, looking: undefined };
  const dark = isDark(look);
  return { ...state, looking: undefined, proven: dark, doubt: dark ? undefined : look };
}

/** Whether it is proven that nobody serves: somebody was asked, and nobody answered. */
export function isDark(look: Look): boolean {
  return look.answers.length === 0 && look.asked > 0;
}

function review(config: SpareConfig, state: SpareState, now: Instant): SpareState {
  if (!config.cold) return state;
  if (!isNamed(config, state)) {
    const looking = state.looking === "person" ? state.looking : undefined;
    return { ...state, proven: false, looking, lookAt: undefined, doubt: undefined, forced: undefined };
  }
  if (state.proven) {
    // Who serves first without anybody's decision keeps it, whatever is preferred later.
    const activation: Activation =
      state.serving && state.activation.active === "undecided" ? next(state.activation, config.box) : state.activation;
    return { ...state, activation, lookAt: undefined };
  }
  if (state.looking !== undefined || state.lookAt !== undefined) return state;
  return { ...state, lookAt: after(now, state.doubt === undefined ? WORD_WITHIN : LOOK_AGAIN_AFTER) };
}

/** What is to be remembered when somebody decides. */
export function next({ epoch }: Activation, active: Activation["active"]): Activation {
  return { epoch: epoch + 1, active };
}

function same(x: Activation, y: Activation): boolean {
  return x.epoch === y.epoch && x.active === y.active;
}
