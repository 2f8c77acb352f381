/** What a simulated box keeps over crashes: revisions, the head, and what is to be rolled back, and when. */
import { createHash } from "node:crypto";
import type { Instant } from "@futago/hal/units/time.ts";
import type { Revision, RevisionId, RevisionSummary } from "@futago/firmware/pair/commit/types.ts";

export class Disk {
  readonly revisions = new Map<RevisionId, Revision>();
  /** Without their documents. */
  readonly summaries = new Map<RevisionId, RevisionSummary>();
  head: RevisionId | undefined;
  withdrawn: RevisionId | undefined;
  deadline: { readonly id: RevisionId; readonly at: Instant; readonly boot: number } | undefined;
  full = false;

  get headSummary(): RevisionSummary | undefined {
    return this.head === undefined ? undefined : this.summaries.get(this.head);
  }

  put(revision: Revision): void {
    const known = this.summaries.get(revision.id);
    const { text: _, ...summary } = revision;
    // The word of a confirmation is never unsaid.
    const confirmedBy = known?.confirmedBy ?? summary.confirmedBy;
    this.summaries.set(revision.id, { ...summary, confirmedBy });
    this.revisions.set(revision.id, { ...revision, confirmedBy });
  }

  confirm(id: RevisionId, by: string): void {
    const summary = this.summaries.get(id);
    if (summary !== undefined) this.summaries.set(id, { ...summary, confirmedBy: by });
    const revision = this.revisions.get(id);
    if (revision !== undefined) this.revisions.set(id, { ...revision, confirmedBy: by });
  }

  /** The head and its ancestors, the newest first. */
  lineage(from: RevisionId | undefined = this.head, until?: RevisionId): readonly RevisionSummary[] {
    const found: RevisionSummary[] = [];
    for (let id = from; id !== undefined && id !== until; ) {
      const one = this.summaries.get(id);
      if (one === undefined) break;
      found.push(one);
      id = one.parent;
    }
    return found;
  }

  isInLineage(id: RevisionId): boolean {
    return this.lineage().some((one) => one.id === id);
  }
}

export function revisionOf(
  text: string,
  parent: RevisionId | undefined,
  rest: Omit<Revision, "id" | "text" | "parent">,
): Revision {
  const id = createHash("sha256")
    .update(parent ?? "")
    .update(text)
    .digest("hex");
  return { id, parent, text, ...rest };
}
