/** What commits a configuration, confirms it and brings an older one back. */
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Committed } from "../../control-configuration.ts";
import type { HistoryEntry, Revision } from "../../store/store.ts";
import { type Configuration, logApplied } from "../configuration.ts";
import type { Log } from "../log.ts";
import { PAIRED_APPLY } from "../sentences.ts";
import { nothingToConfirm, othersCommit, revisionNamed } from "./named-revision.ts";

export type { Committed } from "../../control-configuration.ts";

export interface CommitWish {
  /** JSON text, its bytes, or a value made from it. */
  readonly document: unknown;
  /** The revision that it was made from; undefined: whatever is in force. */
  readonly base: string | undefined;
  readonly author: string;
  readonly comment: string;
  readonly confirmSeconds: number | undefined;
}

/** Every method throws RefusalError: 3 invalid, 5 the peer is needed, 6 somebody else was faster. */
export interface Commits {
  commit(wish: CommitWish): Promise<Committed>;
  /** Undefined: the revision that waits for it. `force`: although somebody else committed it. */
  confirm(revision: string | undefined, author: string, force: boolean): Promise<{ readonly message: string }>;
  /** A new revision that holds an older document; `to` as in {@link revision}. */
  rollback(to: string, wish: Omit<CommitWish, "document" | "base">): Promise<Committed>;
  history(limit: number, before: string | undefined): Promise<readonly HistoryEntry[]>;
  /** Undefined: the head; "2": two steps back; "ab12": the one whose id begins so. */
  revision(which: string | undefined): Promise<Revision>;
}

export interface LocalCommitsOptions {
  readonly configuration: Configuration;
  readonly log: Log;
  /** Changes are made one after the other. */
  readonly inTurn: <T>(change: () => Promise<T>) => Promise<T>;
  readonly putIntoForce: () => Promise<void>;
}

interface Pending {
  readonly revision: Revision;
  readonly before: Revision;
  readonly timer: NodeJS.Timeout;
}

/** Commits on this box alone. */
export class LocalCommits implements Commits {
  readonly #options: LocalCommitsOptions;
  #pending: Pending | undefined;

  constructor(options: LocalCommitsOptions) {
    this.#options = options;
  }

  commit(wish: CommitWish): Promise<Committed> {
    return this.#options.inTurn(() => this.#commit(wish));
  }

  async confirm(revision: string | undefined, author: string, force: boolean): Promise<{ readonly message: string }> {
    const pending = this.#pending;
    if (pending === undefined || (revision !== undefined && !pending.revision.id.startsWith(revision)))
      throw nothingToConfirm(revision);
    if (pending.revision.author !== author && !force) throw othersCommit(pending.revision);
    clearTimeout(pending.timer);
    this.#pending = undefined;
    await this.#options.configuration.past.confirm(pending.revision.id, author);
    return { message: `Revision ${pending.revision.id.slice(0, 16)} is confirmed and stays.` };
  }

  async rollback(to: string, wish: Omit<CommitWish, "document" | "base">): Promise<Committed> {
    const { id, text } = await this.revision(to);
    const comment = wish.comment === "" ? `roll back to ${id.slice(0, 16)}` : wish.comment;
    return this.commit({ ...wish, comment, document: text, base: undefined });
  }

  history(limit: number, before: string | undefined): Promise<readonly HistoryEntry[]> {
    return this.#options.configuration.past.history(limit, before);
  }

  revision(which: string | undefined): Promise<Revision> {
    return revisionNamed(this.#options.configuration.past, which);
  }

  /** Forgets what waits for a confirmation. */
  close(): void {
    clearTimeout(this.#pending?.timer);
  }

  async #commit({ document, base, author, comment, confirmSeconds }: CommitWish): Promise<Committed> {
    const { configuration, log, putIntoForce } = this.#options;
    const before = configuration.inForce?.revision;
    if (base !== undefined && base !== before?.id) {
      const what = "another change was committed in between";
      throw new RefusalError({ exitCode: ExitCode.conflict, what, mend: "Look at `futago history`." });
    }
    const applied = await configuration.apply(document, { author, comment, where: "" });
    logApplied(log, applied);
    const { revision, resolved } = applied.inForce;
    if (applied.changed) {
      clearTimeout(this.#pending?.timer);
      this.#pending = undefined;
      await putIntoForce();
    }
    const waits = applied.changed && before !== undefined ? confirmSeconds : undefined;
    if (waits !== undefined && before !== undefined) this.#await(revision, before, waits);
    const warnings = applied.warnings.map((warning) => `${warning.path}: ${warning.what}; ${warning.mend}`);
    return {
      revision: revision.id,
      changed: applied.changed,
      warnings: applied.changed && resolved.pair !== undefined ? [...warnings, PAIRED_APPLY] : warnings,
      remarks: [],
      confirmBy: waits === undefined ? null : new Date(Date.now() + waits * 1_000).toISOString(),
    };
  }

  #await(revision: Revision, before: Revision, seconds: number): void {
    const timer = setTimeout(() => {
      this.#pending = undefined;
      const comment = `not confirmed: ${revision.id.slice(0, 16)}`;
      const wish = { document: before.text, base: revision.id, author: "futago", comment, confirmSeconds: undefined };
      this.commit(wish).catch((error: unknown) => this.#options.log.error("rollback-failed", { error: String(error) }));
    }, seconds * 1_000);
    this.#pending = { revision, before, timer };
  }
}
