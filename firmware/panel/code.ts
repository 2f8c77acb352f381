/** The blinks after a short press: long ones for the role, then short ones for alarms. All lights blink together. */
import { after, between, type Instant, micros, millis } from "@futago/hal/units/time.ts";

/** So many long blinks; a role that is not in it has seven. */
export const ROLE_BLINKS: Readonly<Record<string, number>> = {
  active: 1,
  standby: 2,
  spare: 3,
  maintenance: 4,
  fault: 5,
  alone: 6,
};
export const UNKNOWN_BLINKS = 7;
/** More are not counted by anybody. */
const ALARM_BLINKS_MAX = 9;

const LONG_ON = millis(600);
const LONG_OFF = millis(400);
const SHORT_ON = millis(150);
const SHORT_OFF = millis(350);
/** Before, between and after. */
const DARK = millis(1_000);

export interface Code {
  readonly since: Instant;
  /** Lengths, beginning with a dark one. */
  readonly lengths: readonly number[];
}

export function codeOf(role: string | undefined, alarms: number, since: Instant): Code {
  const long = ROLE_BLINKS[role ?? ""] ?? UNKNOWN_BLINKS;
  const short = Math.min(alarms, ALARM_BLINKS_MAX);
  const lengths: number[] = [DARK];
  for (let i = 0; i < long; i++) lengths.push(LONG_ON, i === long - 1 ? DARK : LONG_OFF);
  for (let i = 0; i < short; i++) lengths.push(SHORT_ON, i === short - 1 ? DARK : SHORT_OFF);
  return { since, lengths };
}

/** Whether it is lit now and until when; undefined when it is over. */
export function codeAt(code: Code, now: Instant): { readonly lit: boolean; readonly until: Instant } | undefined {
  let end = code.since;
  for (const [i, length] of code.lengths.entries()) {
    end = after(end, micros(length));
    if (between(now, end) > 0) return { lit: i % 2 === 1, until: end };
  }
  return undefined;
}
