/** What the console menu offers in its lists, and what it asks before anything is done. Pure. */
import type { Facts } from "./facts.ts";

export interface PairChoice {
  readonly title: string;
  readonly word: "invite" | "join" | "rotate" | "unpair";
  /** What this box has is given up. */
  readonly replace: boolean;
}

export const PAIR_CHOICES: readonly PairChoice[] = [
  { title: "Invite the other box: this one shows a code", word: "invite", replace: false },
  { title: "Join: type the code that the other box shows", word: "join", replace: false },
  { title: "Replace a dead box: give up the peer, invite a new one", word: "invite", replace: true },
  { title: "Join, and give up this box's peer and configuration", word: "join", replace: true },
  { title: "Change the keys of both boxes, while they serve", word: "rotate", replace: false },
  { title: "Give up the peer, which is away, and be alone", word: "unpair", replace: false },
];

/** Why it cannot be done now; undefined when it can, or when only the box knows. */
export function pairHindrance({ word }: PairChoice, { peer }: Facts): string | undefined {
  return word !== "rotate" && peer?.alive === true ? "the peer is alive" : undefined;
}

export const CONFIRM_CHOICES = ["Keep it", "Roll it back now"] as const;

export const POWER_CHOICES = [
  { title: "Reboot this box", end: "reboot" },
  { title: "Power this box off", end: "poweroff" },
] as const;

export const SWITCH_OVER = ["The two boxes change roles; connections are kept.", "Switch over now?"];
export const ACTIVATE = [
  "The spare takes over everything. It makes sure first that the other box is dark.",
  "Activate this spare now?",
];
export const RELEASE = [
  "This box gives up and becomes the spare: nobody serves until the other one is activated.",
  "Release this box now?",
];
export const END_MAINTENANCE = ["This box may hold a role again.", "End maintenance of this box?"];
export const REPLACE = ["What makes this box one of a pair now is given up.", "Go on?"];
export const UNPAIR = ["This box forgets its peer, and serves on without one.", "Give the peer up?"];
export const ROLL_BACK = "Put this configuration into force again, on both boxes of a pair?";

export function beginMaintenance(facts: Facts): readonly string[] {
  const rest = "This box takes no role until maintenance is ended here, not even after a reboot.";
  return [`${handedTo(facts)} ${rest}`, "Begin maintenance of this box?"];
}

/** The other slot's system is on trial: what does not hold leads back here. */
export function otherSlot(facts: Facts): readonly string[] {
  const other = facts.slot === "a" ? "B" : "A";
  return [`The box starts anew from slot ${other}, on trial. ${handedTo(facts)}`, `Boot slot ${other} now?`];
}

export function powerQuestion(title: string, facts: Facts): readonly string[] {
  return [handedTo(facts), `${title} now?`];
}

function handedTo({ peer, role }: Facts): string {
  if (peer === null) return "Nobody takes over from a box that is alone.";
  return role === "active" ? "The peer takes over first." : "This box is not the active one.";
}
