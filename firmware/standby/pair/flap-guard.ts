/**
 * Holds down changes that nobody needs at once. After three moves within a minute, moves made for preference or a
 * little more fitness wait. A dead peer is always replaced, a box that cannot serve always hands over, and a person's
 * order is always carried out; what a person ordered is not counted.
 */
import { after, between, type Instant, type Micros, micros, seconds } from "@futago/hal/units/time.ts";
import type { GroupMemory } from "./types.ts";

const WINDOW = seconds(60);
const CHANGES_MAX = 3;
const HOLD_DOWN_FIRST = seconds(60);
const HOLD_DOWN_MAX = seconds(600);
/** After this long in peace the next hold-down is short again. */
const FORGIVEN_AFTER = seconds(1_800);

export function heldDown(group: GroupMemory, now: Instant): boolean {
  return now < group.heldDownUntil;
}

/** Counts a move to or from this box; the third within a minute begins a hold-down, each longer than the one before. */
export function countChange(group: GroupMemory, now: Instant): GroupMemory {
  const recent = group.changes.filter((at) => between(at, now) < WINDOW);
  const changes = [...recent, now];
  if (changes.length < CHANGES_MAX) return { ...group, changes };
  const forgiven = between(group.heldDownUntil, now) > FORGIVEN_AFTER || group.holdDownMicros === 0;
  const wait: Micros = forgiven ? HOLD_DOWN_FIRST : micros(Math.min(group.holdDownMicros * 2, HOLD_DOWN_MAX));
  return { ...group, changes: [], heldDownUntil: after(now, wait), holdDownMicros: wait };
}
