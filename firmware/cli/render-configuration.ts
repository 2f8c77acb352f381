/** What people read of a change of the configuration, of a commit and of its history. Pure. */
import type { CandidateChanged, CandidateDiff, Committed, HistoryEntry } from "../runtime/control-configuration.ts";
import { formatRefusal } from "../runtime/exit-code.ts";
import { when } from "./render-status.ts";
import { printable, table } from "./table.ts";

const SHORT = 16;

export function renderChanged({ changes, remarks }: CandidateChanged): string {
  const done = changes.map(({ text }) => text);
  const next =
    changes.length === 0 ? "Nothing changes: it is so already." : "Not in force yet: `futago commit` does that.";
  return lines([...done, ...remarks, next]);
}

export function renderDiff({ base, authors, changes, remarks, problems }: CandidateDiff): string {
  if (authors.length === 0) return lines(["Nothing is being edited."]);
  const people = authors.map(({ author, time }) => `${author} (last at ${when(time)})`).join(", ");
  const begun = base === "" ? "" : `, begun from revision ${base.slice(0, SHORT)}`;
  const same = changes.length === 0 ? ["  nothing differs"] : [];
  const why = problems.map((problem) => formatRefusal({ exitCode: 3, ...problem }));
  const refused =
    why.length === 0 ? [] : ["It cannot be committed like this:", ...why.join("\n").split("\n").map(indented)];
  return lines([
    `Edited by ${people}${begun}:`,
    ...same,
    ...changes.map(({ text }) => `  ${text}`),
    ...remarks,
    ...refused,
  ]);
}

export function renderCommitted({ revision, changed, confirmBy, remarks }: Committed): string {
  const name = revision.slice(0, SHORT);
  if (!changed) return lines([`Nothing changed: revision ${name} holds this document already.`, ...remarks]);
  if (confirmBy === null) return lines([`Revision ${name} is in force.`, ...remarks]);
  const until = `Revision ${name} is in force, and is rolled back at ${when(confirmBy)} unless it is confirmed:`;
  return lines([until, `  futago confirm ${name}`, ...remarks]);
}

export function renderHistory(entries: readonly HistoryEntry[], limit: number | undefined): string {
  const last = entries.at(-1);
  if (last === undefined) return lines(["There is no revision."]);
  const rows = entries.map((entry) => [
    entry.age < 0 ? "-" : String(entry.age),
    entry.id.slice(0, SHORT),
    when(entry.time),
    entry.author,
    stateOf(entry),
    entry.comment,
  ]);
  const text = table(["BACK", "REVISION", "COMMITTED", "BY", "STATE", "COMMENT"], rows, ["right"]);
  const more = entries.length < (limit ?? entries.length + 1) || last.parent === undefined;
  return more ? `${text}\n` : `${text}\nOlder ones: \`futago history --before ${last.id.slice(0, SHORT)}\`.\n`;
}

function stateOf({ age, whole, confirmSeconds, confirmedBy }: HistoryEntry): string {
  const states = [];
  if (age === 0) states.push("in force");
  if (age < 0) states.push("set aside");
  if (confirmedBy !== undefined) states.push(`confirmed by ${confirmedBy}`);
  else if (confirmSeconds !== undefined) states.push(age === 0 ? "waits to be confirmed" : "not confirmed");
  if (!whole) states.push("document not kept");
  return states.join(", ");
}

function indented(line: string): string {
  return `  ${line}`;
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${printable(line)}\n`).join("");
}
