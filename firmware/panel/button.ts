/**
 * A button's meaning by how long it was held. Nothing happens while it is held: what is done is done when it is let go,
 * so that a thing that leans on it does nothing, and a person sees by the lights what letting go would do.
 */
import { after, between, type Instant, type Micros, seconds } from "@futago/hal/units/time.ts";

/** Shorter is a short press. */
const SHORT_MAX = seconds(2);
export const ACTIVATE_AFTER = seconds(5);
export const WARN_AFTER = seconds(10);
export const RESET_AFTER = seconds(15);
/** Longer is no finger. */
export const STUCK_AFTER = seconds(60);
/** Held so long it shows something else. */
const STAGES = [ACTIVATE_AFTER, WARN_AFTER, RESET_AFTER, STUCK_AFTER];

export type Button =
  | { readonly kind: "released" }
  | { readonly kind: "held"; readonly since: Instant }
  /** Pressed when the box started, or for longer than anybody presses; until it is let go. */
  | { readonly kind: "stuck" };

/** What letting go now would mean. */
export type Stage = "short" | "nothing" | "activate" | "warning" | "reset";

export const RELEASED: Button = { kind: "released" };

export function stageOf(held: Micros): Stage {
  if (held < SHORT_MAX) return "short";
  if (held < ACTIVATE_AFTER) return "nothing";
  if (held < WARN_AFTER) return "activate";
  return held < RESET_AFTER ? "warning" : "reset";
}

export function isStuck(held: Micros): boolean {
  return held >= STUCK_AFTER;
}

/** When the stage is another one. */
export function nextStage(button: Button, now: Instant): Instant | undefined {
  if (button.kind !== "held") return undefined;
  const held = between(button.since, now);
  const next = STAGES.find((stage) => stage > held);
  return next === undefined ? undefined : after(button.since, next);
}
