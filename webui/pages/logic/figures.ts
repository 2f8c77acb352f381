/** Numbers as people read them, by the language they read. */

export type Language = "en" | "ja";

const steps = [
  { above: 1e9, by: 1e9, unit: "G" },
  { above: 1e6, by: 1e6, unit: "M" },
  { above: 1e3, by: 1e3, unit: "k" },
] as const;

/** "12.3 Mbit/s" */
export function bitRate(language: Language, bits: number): string {
  return `${scaled(language, bits)}bit/s`;
}

/** "12.3 M" with the unit to follow; three digits at most. */
export function scaled(language: Language, value: number): string {
  const step = steps.find(({ above }) => value >= above);
  const shown = step === undefined ? value : value / step.by;
  const digits = shown >= 10 || step === undefined ? 0 : 1;
  const text = new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(shown);
  return `${text} ${step?.unit ?? ""}`;
}

export function count(language: Language, value: number): string {
  return new Intl.NumberFormat(language).format(value);
}

/** "0.21 ms", "840 ms", "1.2 s" */
export function duration(language: Language, micros: number): string {
  const millis = micros / 1000;
  if (millis >= 1000) return `${decimal(language, millis / 1000, 1)} s`;
  return `${decimal(language, millis, millis < 10 ? 2 : millis < 100 ? 1 : 0)} ms`;
}

export function decimal(language: Language, value: number, digits: number): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** As logs and the command line write it, to the second, so that one is found in the other. */
const CLOCK = { timeStyle: "medium", hourCycle: "h23" } as const;

export function timeOfDay(language: Language, time: Date): string {
  return new Intl.DateTimeFormat(language, CLOCK).format(time);
}

export function moment(language: Language, at: string): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  return new Intl.DateTimeFormat(language, { ...CLOCK, dateStyle: "medium" }).format(time);
}

/** Without the day where that is today's. */
export function clock(language: Language, at: string, nowMillis: number): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  const isToday = time.toDateString() === new Date(nowMillis).toDateString();
  return isToday ? timeOfDay(language, time) : moment(language, at);
}

const spans = [
  { seconds: 86_400, unit: "day" },
  { seconds: 3_600, unit: "hour" },
  { seconds: 60, unit: "minute" },
  { seconds: 1, unit: "second" },
] as const;

/** "3 hours ago" */
export function ago(language: Language, at: string, nowMillis: number): string {
  const seconds = Math.max(0, (nowMillis - Date.parse(at)) / 1000);
  const step = spans.find((one) => seconds >= one.seconds) ?? { seconds: 1, unit: "second" as const };
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  return format.format(-Math.floor(seconds / step.seconds), step.unit);
}

/** "3 days", "2 hours": the largest unit alone. */
export function span(language: Language, seconds: number): string {
  const step = spans.find((one) => seconds >= one.seconds) ?? { seconds: 1, unit: "second" as const };
  const value = Math.floor(seconds / step.seconds);
  return new Intl.NumberFormat(language, { style: "unit", unit: step.unit, unitDisplay: "long" }).format(value);
}
