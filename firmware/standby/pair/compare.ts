/** Which of two boxes is to hold a group: one comparison that both make and agree on. */
import type { Box } from "./types.ts";

export interface Candidate {
  readonly box: Box;
  readonly health: number;
  readonly preference: number;
}

export function otherBox(box: Box): Box {
  return box === "a" ? "b" : "a";
}

/** The fitter box; among equals the preferred one, then a. */
export function fitter(one: Candidate, other: Candidate): Box {
  if (one.health !== other.health) return one.health > other.health ? one.box : other.box;
  if (one.preference !== other.preference) return one.preference > other.preference ? one.box : other.box;
  return "a";
}
