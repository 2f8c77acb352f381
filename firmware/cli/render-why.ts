/** The answer to "why" for people: one line of time of both boxes, each event with its sentence and its evidence. Pure. */
import type { TimelineEvent } from "../runtime/control.ts";
import { clock } from "./render-shown.ts";
import { printable } from "./table.ts";

/** A line of evidence is no longer than this, where it can be broken: the console is 80 columns wide. */
const LINE_MAX = 78;
const INDENT = "      ";

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
  return [head, ...reason, ...wrapped(Object.entries(event.evidence).flatMap(evidence))];
}

/** "silentMicros 75123" as "silent 75.1 ms"; moments of the boot clock are for programs. */
function evidence([name, value]: readonly [string, number | string]): readonly string[] {
  if (name === "atMicros") return [];
  const micros = /^(\w+)Micros\b(.*)$/.exec(name);
  if (micros === null || typeof value !== "number") return [`${name} ${value}`];
  return [`${micros[1]}${micros[2]} ${(value / 1_000).toFixed(1)} ms`];
}

function wrapped(words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= LINE_MAX) lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(INDENT + word);
  }
  return lines;
}
