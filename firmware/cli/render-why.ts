/** The answer to "why" for people: one line of time of both boxes, each event with its sentence and its evidence. Pure. */
import type { TimelineEvent } from "../runtime/control.ts";
import type { RecordedTime } from "../runtime/messages.ts";
import { clock } from "./render-shown.ts";
import { printable } from "./table.ts";

/** A line of evidence is no longer than this, where it can be broken: the console is 80 columns wide. */
const LINE_MAX = 78;
const INDENT = "      ";
/** Of a shorter time, in microseconds, the record says nothing. */
const TIME_MIN = 50_000;
/** The least that a tenth of a millisecond can show, in microseconds. */
const SHOWN_MIN = 100;

export function renderWhy(events: readonly TimelineEvent[]): string {
  if (events.length === 0) return "No role has changed since the core was started.\n";
  return `${[...clocks(events), ...events.flatMap(linesOf)].map(printable).join("\n")}\n`;
}

/** "The times are box a's. Box b's clock is 12 ms ahead, to within 1.2 ms; its events are shown where they belong." */
function clocks(events: readonly TimelineEvent[]): readonly string[] {
  const own = events.find((event) => event.clock === null);
  const told = events.find((event) => event.clock !== null);
  const stand = told?.clock ?? undefined;
  if (told === undefined || stand === undefined) return [];
  const { offsetMillis, exactMillis } = stand;
  const off = Math.round(offsetMillis);
  const stands = off === 0 ? "agrees with it" : `is ${Math.abs(off)} ms ${off > 0 ? "ahead of it" : "behind it"}`;
  const whose = own === undefined ? "this box's" : `box ${own.box}'s`;
  return [`The times are by ${whose} clock; box ${told.box}'s ${stands}, known to ${exactMillis.toFixed(1)} ms.`, ""];
}

function linesOf(event: TimelineEvent): readonly string[] {
  const change = event.from === undefined ? "" : `: ${event.from} → ${event.to ?? "?"}`;
  const group = event.group === undefined ? "" : ` ${event.group}`;
  const box = event.box === "alone" ? "" : `  ${event.box}`;
  const head = `${clock(event.at)}${box}  ${event.event}${group}${change}`;
  const reason = event.reason === "" ? [] : [`${INDENT}${event.reason}`];
  const known = wrapped(evidenceOf(Object.entries(event.evidence)), ", ");
  return [
    head,
    ...reason,
    ...known,
    ...(event.record === undefined ? [] : wrapped(recorded(event.record.whole), "; ")),
  ];
}

/** What is known of the paths comes together: "last beat on sync 75.4 ms before, on lan 75.6 ms before". */
function evidenceOf(entries: readonly (readonly [string, number | string])[]): readonly string[] {
  const beats = entries.flatMap(([name, value]) => {
    const path = /^gapMicros (.*)$/.exec(name)?.[1];
    return path === undefined ? [] : [`on ${path} ${millis(Number(value))} before`];
  });
  const others = entries.filter(([name]) => !name.startsWith("gapMicros "));
  const [first, ...more] = beats;
  return [...others.flatMap(evidence), ...(first === undefined ? [] : [`last beat ${first}`, ...more])];
}

/** "the 60 s before: sync 7980 beats, at most 19.2 ms apart; lan 7980, 19.3 ms", and what else was recorded. */
function recorded({ lastedMicros, paths, latenessMicros, stealPercent, down }: RecordedTime): readonly string[] {
  if (lastedMicros < TIME_MIN) return [];
  const seconds = lastedMicros / 1_000_000;
  const heard = paths.map(({ interface: name, beats, longestPauseMicros }, i) => {
    if (beats === 0) return `${name} no beat`;
    const counted = i === 0 ? `${name} ${beats} beats` : `${name} ${beats}`;
    // A pause that is longer than the time began before it, so the first beat ended it.
    if (longestPauseMicros > lastedMicros)
      return `${counted}, the first after ${(longestPauseMicros / 1_000_000).toFixed(1)} s`;
    return i === 0
      ? `${counted}, at most ${millis(longestPauseMicros)} apart`
      : `${counted}, ${millis(longestPauseMicros)}`;
  });
  const cables = down.length === 0 ? "carrier up" : `carrier was down on ${down.join(", ")}`;
  const steal = stealPercent === null ? [] : [`steal at most ${stealPercent} %`];
  const late = latenessMicros === 0 ? [] : [`own lateness below ${millis(Math.max(latenessMicros, SHOWN_MIN))}`];
  const [first, ...others] = [...heard, ...late, cables, ...steal];
  return [`the ${seconds.toFixed(seconds < 10 ? 1 : 0)} s before: ${first}`, ...others];
}

function millis(micros: number): string {
  return `${(micros / 1_000).toFixed(1)} ms`;
}

/** "silentMicros 75123" as "silent 75.1 ms"; moments of the boot clock are for programs. */
function evidence([name, value]: readonly [string, number | string]): readonly string[] {
  if (name === "atMicros") return [];
  const micros = /^(\w+)Micros\b(.*)$/.exec(name);
  if (micros === null || typeof value !== "number") return [`${name} ${value}`];
  return [`${micros[1]}${micros[2]} ${millis(value)}`];
}

function wrapped(words: readonly string[], between: string): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    const fits = last !== undefined && last.length + word.length + between.length <= LINE_MAX;
    if (fits) lines[lines.length - 1] = last + between + word;
    else lines.push(INDENT + word);
  }
  return lines;
}
