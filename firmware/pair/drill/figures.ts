/**
 * What comes of the probes of a drill: how long a VIP was silent, and how many probes nobody answered. Each box counts
 * by its own clock; the two clocks are never compared. Pure.
 */
import { between, type Instant, millis } from "@futago/hal/units/time.ts";
import type { Box, DrillVip, Echo, GiverNotes, How, TakerNotes, VipFigure } from "./types.ts";

type Counted = Pick<VipFigure, "silenceMicros" | "sent" | "lost" | "pauseMicros">;

/** An answer that is later than this is none. */
export const ANSWER_WITHIN = millis(300);
/**
 * What is on its way when a box takes the VIP comes back from an address that is its own now, and is dropped. A busy
 * machine answers within so long; a busier one within as long as it was seen to take before.
 */
const FLIGHT = millis(20);

/** From when the VIP was given away until the other box was heard to answer for it, and what it answered then. */
export function giverFigure({ clearedAt, answeredAt, echoes, endedAt }: GiverNotes): Counted {
  const judged = echoes.filter(({ sentAt }) => between(sentAt, endedAt) >= ANSWER_WITHIN);
  const known = clearedAt !== undefined && answeredAt !== undefined;
  return { silenceMicros: known ? Math.max(0, between(clearedAt, answeredAt)) : null, ...counts(judged) };
}

/** From the last answer of the former holder until this box had the VIP. */
export function takerFigure(how: How, { echoes, decidedAt, takenAt }: TakerNotes): Counted {
  if (decidedAt === undefined || takenAt === undefined) return { silenceMicros: null, ...counts([]) };
  // What was answered after the decision this box may have answered itself.
  const former = echoes.filter((echo) => echo.answeredAt !== undefined && echo.answeredAt <= decidedAt);
  const flight = former.reduce<number>(
    (longest, echo) => Math.max(longest, (echo.answeredAt ?? 0) - echo.sentAt),
    FLIGHT,
  );
  const judged = echoes.filter(({ sentAt }) => sentAt <= decidedAt - (how === "planned" ? flight : 0));
  const last = former.reduce<Instant | undefined>((newest, { answeredAt }) => later(newest, answeredAt), undefined);
  return { silenceMicros: last === undefined ? null : between(last, takenAt), ...counts(judged) };
}

function later(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

function counts(echoes: readonly Echo[]): Omit<Counted, "silenceMicros"> {
  const pauses = echoes.map(({ sentAt }, i) => sentAt - (echoes[i - 1]?.sentAt ?? sentAt));
  return {
    sent: echoes.length,
    lost: echoes.filter(({ answeredAt }) => answeredAt === undefined).length,
    pauseMicros: pauses.reduce((longest, pause) => Math.max(longest, pause), 0),
  };
}

/**
 * What both boxes say, VIP by VIP. A planned hand-over is timed by the box that gave; of a box that was killed nothing
 * is believed but its answers, so there it is the box that took.
 */
export function together(
  how: How,
  box: Box,
  mine: readonly VipFigure[],
  theirs: readonly VipFigure[],
): readonly DrillVip[] {
  const peer = box === "a" ? "b" : "a";
  return mine.map(({ side, ...own }) => {
    const other = theirs.find((one) => one.address === own.address && one.group === own.group && one.side !== side);
    const [gave, took] = side === "gave" ? [own, other] : [other, own];
    return {
      group: own.group,
      address: own.address,
      from: side === "gave" ? box : peer,
      silenceMicros: (how === "planned" ? gave : took)?.silenceMicros ?? null,
      sent: (gave?.sent ?? 0) + (took?.sent ?? 0),
      lost: (gave?.lost ?? 0) + (took?.lost ?? 0),
      pauseMicros: Math.max(gave?.pauseMicros ?? 0, took?.pauseMicros ?? 0),
    };
  });
}
