/**
 * The front of a box: which lights are to be seen, and what its button asks for. It decides neither whether what is asked
 * for succeeds, nor what the role light says while nothing else is to be shown: that is the sentinel's, which knows it
 * even when core is dead.
 *
 * @see docs/hardware.md
 */
import { after, between, earliest, type Instant, seconds } from "@futago/hal/units/time.ts";
import { type Button, isStuck, nextStage, RELEASED, type Stage, stageOf } from "./button.ts";
import { type Code, codeAt, codeOf } from "./code.ts";
import { FAST, type Light, LOCATING, OFF, ON, peerLight, type PeerSeen, sameLight, WAITING } from "./light.ts";

/** A box is found by then, or whoever looked for it went home. */
export const LOCATE_FOR = seconds(3_600);

export interface PanelFacts {
  /** Undefined while the sentinel is away. */
  readonly role: string | undefined;
  readonly peer: PeerSeen;
  readonly alarms: number;
  /** Somebody owns it or configured it. */
  readonly claimed: boolean;
  /** This box is the spare of a cold pair, which a press may make the active one. */
  readonly mayActivate: boolean;
}

export interface Lights {
  /** Undefined: the sentinel's own. */
  readonly role: Light | undefined;
  readonly peer: Light;
  readonly alarm: Light;
  /** Where a board has a light of its own for it. */
  readonly locate: Light;
}

export interface PanelState {
  readonly facts: PanelFacts;
  readonly button: Button;
  readonly code: Code | undefined;
  readonly locateUntil: Instant | undefined;
  /** The board has a light for locating alone, so the others need not blink. */
  readonly hasLocateLight: boolean;
  readonly lights: Lights;
}

export type PanelInput =
  | { readonly kind: "facts"; readonly facts: PanelFacts }
  | { readonly kind: "locate"; readonly on: boolean }
  /** It is listened to from now on. */
  | { readonly kind: "buttonFound"; readonly pressed: boolean }
  | { readonly kind: "button"; readonly pressed: boolean }
  /** Unplugged: whatever was begun is called off. */
  | { readonly kind: "buttonGone" }
  | { readonly kind: "time" };

export type PanelAction =
  | { readonly kind: "lights"; readonly lights: Lights }
  /** A short press: the code is being shown. */
  | { readonly kind: "showStatus" }
  | { readonly kind: "activateSpare" }
  | { readonly kind: "factoryReset" }
  /** Let go during the warning, or as long as for activating on a box that is no spare. */
  | { readonly kind: "nothing"; readonly stage: "activate" | "warning" }
  | { readonly kind: "stuck"; readonly since: "start" | "pressed" }
  | { readonly kind: "freed" };

export interface PanelStep {
  readonly state: PanelState;
  readonly actions: readonly PanelAction[];
}

const NOTHING_KNOWN: PanelFacts = { role: "starting", peer: "none", alarms: 0, claimed: true, mayActivate: false };

export function initialPanel(hasLocateLight: boolean): PanelState {
  return {
    facts: NOTHING_KNOWN,
    button: RELEASED,
    code: undefined,
    locateUntil: undefined,
    hasLocateLight,
    lights: { role: undefined, peer: OFF, alarm: OFF, locate: OFF },
  };
}

export function nextTimeout(state: PanelState, now: Instant): Instant | undefined {
  const code = state.code && codeAt(state.code, now)?.until;
  return earliest(earliest(nextStage(state.button, now), code), state.locateUntil);
}

export function step(state: PanelState, input: PanelInput, now: Instant): PanelStep {
  const taken = takeInput(state, input, now);
  const passed = passTime(taken.state, now);
  const lights = lightsOf(passed.state, now);
  const isOther = !sameLights(lights, state.lights);
  return {
    state: { ...passed.state, lights },
    actions: [...taken.actions, ...passed.actions, ...(isOther ? [{ kind: "lights", lights } as const] : [])],
  };
}

function takeInput(state: PanelState, input: PanelInput, now: Instant): PanelStep {
  switch (input.kind) {
    case "facts":
      return { state: { ...state, facts: input.facts }, actions: [] };
    case "locate":
      return { state: { ...state, locateUntil: input.on ? after(now, LOCATE_FOR) : undefined }, actions: [] };
    case "buttonFound":
      if (!input.pressed) return { state: { ...state, button: RELEASED }, actions: [] };
      return { state: { ...state, button: { kind: "stuck" } }, actions: [{ kind: "stuck", since: "start" }] };
    case "buttonGone":
      return letGo(state, []);
    case "button":
      return input.pressed ? press(state, now) : release(state, now);
    case "time":
      return { state, actions: [] };
  }
}

function press(state: PanelState, now: Instant): PanelStep {
  if (state.button.kind !== "released") return { state, actions: [] };
  // Whoever presses is here: what was blinking to lead them has done its work, and the code of an earlier press, too.
  return { state: { ...state, button: { kind: "held", since: now }, code: undefined }, actions: [] };
}

function release(state: PanelState, now: Instant): PanelStep {
  const { button, facts } = state;
  if (button.kind !== "held") return letGo(state, []);
  const held = between(button.since, now);
  // Nobody looked at the clock in between: it was no finger all the same.
  if (isStuck(held)) return letGo(state, []);
  const stage = stageOf(held);
  if (stage === "short") {
    const code = codeOf(facts.claimed ? facts.role : undefined, facts.alarms, now);
    return { state: { ...state, button: RELEASED, code }, actions: [{ kind: "showStatus" }] };
  }
  return letGo(state, meaning(stage, facts));
}

function meaning(stage: Exclude<Stage, "short">, { mayActivate }: PanelFacts): readonly PanelAction[] {
  switch (stage) {
    case "nothing":
      return [];
    case "activate":
      return mayActivate ? [{ kind: "activateSpare" }] : [{ kind: "nothing", stage }];
    case "warning":
      return [{ kind: "nothing", stage }];
    case "reset":
      return [{ kind: "factoryReset" }];
  }
}

function letGo(state: PanelState, actions: readonly PanelAction[]): PanelStep {
  const freed: readonly PanelAction[] = state.button.kind === "stuck" ? [{ kind: "freed" }] : [];
  return { state: { ...state, button: RELEASED }, actions: [...actions, ...freed] };
}

function passTime(state: PanelState, now: Instant): PanelStep {
  const { button, code, locateUntil } = state;
  const stuck = button.kind === "held" && isStuck(between(button.since, now));
  const passed: PanelState = {
    ...state,
    button: stuck ? { kind: "stuck" } : button,
    code: code !== undefined && codeAt(code, now) === undefined ? undefined : code,
    locateUntil: locateUntil !== undefined && now >= locateUntil ? undefined : locateUntil,
  };
  return { state: passed, actions: stuck ? [{ kind: "stuck", since: "pressed" }] : [] };
}

function lightsOf(state: PanelState, now: Instant): Lights {
  const { button, code, locateUntil, hasLocateLight, facts } = state;
  const locate = locateUntil === undefined ? OFF : LOCATING;
  const held = button.kind === "held" ? lightWhileHeld(stageOf(between(button.since, now)), facts) : undefined;
  if (held !== undefined) return { ...all(held), locate };
  const shown = code && codeAt(code, now);
  if (shown !== undefined) return { ...all(shown.lit ? ON : OFF), locate };
  if (locateUntil !== undefined && !hasLocateLight) return { ...all(LOCATING), locate };
  return { role: ownRole(facts), peer: peerLight(facts.peer), alarm: facts.alarms > 0 ? ON : OFF, locate };
}

/** The sentinel does not know whether anybody owns the box, and says nothing when it is away. */
function ownRole({ role, claimed }: PanelFacts): Light | undefined {
  if (role === undefined) return FAST;
  return claimed ? undefined : WAITING;
}

/** What letting go would do: steady is something, fast is a warning. */
function lightWhileHeld(stage: Stage, { mayActivate }: PanelFacts): Light | undefined {
  switch (stage) {
    case "short":
    case "nothing":
      return undefined;
    case "activate":
      return mayActivate ? ON : undefined;
    case "warning":
      return FAST;
    case "reset":
      return ON;
  }
}

function all(light: Light): Omit<Lights, "locate"> {
  return { role: light, peer: light, alarm: light };
}

function sameLights(one: Lights, other: Lights): boolean {
  const sameRole =
    one.role === undefined || other.role === undefined ? one.role === other.role : sameLight(one.role, other.role);
  return (
    sameRole &&
    sameLight(one.peer, other.peer) &&
    sameLight(one.alarm, other.alarm) &&
    sameLight(one.locate, other.locate)
  );
}
