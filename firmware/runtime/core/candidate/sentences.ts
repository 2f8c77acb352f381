/** What is said about the candidate to whoever edits it. Pure. */
import type { CandidateAuthor } from "../../control-configuration.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Revision } from "../../store/store.ts";

export const NOTHING_EDITED = "nothing is being edited: there is no candidate";

const PLACES_SHOWN_MAX = 20;
/** How two changes of one place are settled. */
const SETTLE =
  "Look at `futago show config`. Set these places to what is in force now, or `futago discard` and begin anew.";

export function alsoEdited({ author }: CandidateAuthor): string {
  return `${author} edits this candidate, too: see \`futago diff\`.`;
}

export function alsoCommitted({ author }: CandidateAuthor): string {
  return `What ${author} changed in this candidate is committed, too.`;
}

export function othersEdited(others: readonly CandidateAuthor[]): RefusalError {
  const what = `${others.map(({ author }) => author).join(" and ")} edited this candidate, too`;
  const mend = "See `futago diff` and talk to each other, or discard it all the same with --force.";
  return new RefusalError({ exitCode: ExitCode.conflict, what, mend });
}

/** Of a candidate that was not begun from the revision in force. */
export function behind(head: Revision): string {
  return `${named(head)} was committed since this candidate was begun. \`commit\` joins both.`;
}

/** The same, where both changed the same. */
export function wouldConflict(head: Revision, places: readonly string[]): string {
  return `${named(head)} was committed since this candidate was begun, and changed the same: ${listed(places)}. \`commit\` is refused. ${SETTLE}`;
}

export function joined(head: Revision): string {
  return `${named(head)} was committed in between; what it changed stays.`;
}

export function conflict(head: Revision, places: readonly string[]): RefusalError {
  const what = `${named(head)}, which was committed in between, changed the same: ${listed(places)}`;
  return new RefusalError({ exitCode: ExitCode.conflict, what, mend: SETTLE });
}

/** Somebody edited the candidate while somebody else did. */
export function committedMeanwhile(places: readonly string[]): RefusalError {
  const what = `somebody else changed the same in the candidate meanwhile: ${listed(places)}`;
  return new RefusalError({ exitCode: ExitCode.conflict, what, mend: "Look at `futago diff` and edit again." });
}

function named({ id, author }: Revision): string {
  return `Revision ${id.slice(0, 16)} by ${author}`;
}

function listed(places: readonly string[]): string {
  const left = places.length - PLACES_SHOWN_MAX;
  return places.slice(0, PLACES_SHOWN_MAX).join(", ") + (left > 0 ? `, and ${left} more` : "");
}
