/** When a pair drills by itself, as `pair.drill` says it: "Sun 04:00", "Mon,Thu 23:30", "daily 04:00". Pure. */

/** In the order of the week, as people and Intl write them. */
export const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface DrillTimes {
  readonly days: readonly Weekday[];
  /** "04:00", in the box's time zone. */
  readonly time: string;
}

/** Undefined for a text that is none. */
export function parseDrillTimes(text: string): DrillTimes | undefined {
  const [, written = "", time = ""] = /^([A-Za-z,]+) ((?:[01]\d|2[0-3]):[0-5]\d)$/.exec(text) ?? [];
  if (time === "") return undefined;
  if (written === "daily") return { days: WEEKDAYS, time };
  const days = written.split(",");
  const known = days.every((day): day is Weekday => (WEEKDAYS as readonly string[]).includes(day));
  return known && new Set(days).size === days.length ? { days, time } : undefined;
}

export function formatDrillTimes({ days, time }: DrillTimes): string {
  return `${days.length === WEEKDAYS.length ? "daily" : days.join(",")} ${time}`;
}
