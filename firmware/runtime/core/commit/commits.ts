/** What commits a configuration, confirms it and brings an older one back. */
import { canonicalJson } from "../../../config/canonical.ts";
import { documentBytesMax } from "../../../config/limits.ts";
import { AUTOMATIC, type Outcome, type PeerShare, type Wish } from "../../../pair/commit/types.ts";
import { CONNECTION_BROKE } from "../../../pair/commit/refusals.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import type { Committed } from "../../control-configuration.ts";
import type { Box } from "../../messages.ts";
import { type HistoryEntry, type Revision, StoreError } from "../../store/store.ts";
import type { Committer } from "./committer.ts";
import { idNamed, type Past, revisionNamed } from "./named-revision.ts";

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
  /** `before` as in {@link revision}. */
  history(limit: number, before: string | undefined): Promise<readonly HistoryEntry[]>;
  /** Undefined: the head; "2": two steps back; "ab12": the one whose id begins so. */
  revision(which: string | undefined): Promise<Revision>;
}

export interface PairCommitsOptions {
  readonly committer: Pick<Committer, "head" | "request">;
  readonly past: Past;
  /** Undefined: alone. */
  readonly box: Box | undefined;
}

/** Commits on both boxes of a pair, or on a box alone. */
export class PairCommits implements Commits {
  readonly #options: PairCommitsOptions;

  constructor(options: PairCommitsOptions) {
    this.#options = options;
  }

  get #peer(): Box {
    return this.#options.box === "a" ? "b" : "a";
  }

  commit({ document, ...wish }: CommitWish): Promise<Committed> {
    // A value would be read twice where the peer commits: there it arrives as text.
    const given = typeof document === "string" ? document : asText(document);
    // Told here, because a message with it would end the link to the peer.
    if (given.length > documentBytesMax) return Promise.reject(tooLarge(given.length));
    return this.#commit({ kind: "commit", source: { kind: "given", document: given }, ...wish });
  }

  async confirm(revision: string | undefined, author: string, force: boolean): Promise<{ readonly message: string }> {
    const id = revision === undefined ? undefined : await idNamed(this.#options.past, revision);
    const done = await this.#request({ kind: "confirm", revision: id, author: checkedAuthor(author), force });
    const where = sharedBy(done.peer, this.#peer).join(" ");
    return { message: `Revision ${done.revision.slice(0, 16)} is confirmed and stays. ${where}`.trimEnd() };
  }

  async rollback(to: string, wish: Omit<CommitWish, "document" | "base">): Promise<Committed> {
    // The box that commits may have a document that this one has not.
    const id = await idNamed(this.#options.past, to);
    const comment = wish.comment === "" ? `roll back to ${id.slice(0, 16)}` : wish.comment;
    return this.#commit({ kind: "commit", source: { kind: "revision", id }, base: undefined, ...wish, comment });
  }

  async history(limit: number, before: string | undefined): Promise<readonly HistoryEntry[]> {
    const { past } = this.#options;
    return past.history(limit, before === undefined ? undefined : await idNamed(past, before));
  }

  revision(which: string | undefined): Promise<Revision> {
    return revisionNamed(this.#options.past, which);
  }

  async #commit(given: Extract<Wish, { readonly kind: "commit" }>): Promise<Committed> {
    const wish = { ...given, comment: given.comment.slice(0, COMMENT_LENGTH_MAX), author: checkedAuthor(given.author) };
    const { head } = this.#options.committer;
    const confirmSince = Date.now();
    try {
      const { revision, changed, peer, warnings, confirmSeconds } = await this.#request(wish);
      const remarks = changed ? sharedBy(peer, this.#peer) : [];
      return { revision, changed, warnings, remarks, confirmBy: confirmBy(confirmSeconds, Date.now()) };
    } catch (error) {
      if (!(error instanceof RefusalError && error.refusal.what === CONNECTION_BROKE.what)) throw error;
      const revision = await this.#madeAllTheSame(wish, head?.id);
      if (revision === undefined) throw error;
      const by = confirmBy(wish.confirmSeconds, confirmSince);
      return { revision, changed: true, warnings: [], remarks: [MADE_ALL_THE_SAME], confirmBy: by };
    }
  }

  /**
   * A change may move the very link over which the active box would have answered: then this box gets it a moment later.
   * Only the same document is that change: whoever is told so edits it no more.
   */
  async #madeAllTheSame(
    wish: Extract<Wish, { readonly kind: "commit" }>,
    parent: string | undefined,
  ): Promise<string | undefined> {
    const { committer } = this.#options;
    for (const end = performance.now() + LINKS_AGAIN_MILLIS; performance.now() < end; ) {
      const { head } = committer;
      if (head !== undefined && head.id !== parent) {
        if (head.parent !== parent || head.author !== wish.author || head.comment !== wish.comment) return undefined;
        if (head.confirmSeconds !== wish.confirmSeconds) return undefined;
        return (await this.#holds(head.id, wish)) ? head.id : undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
    }
    return undefined;
  }

  /** Whether that revision's document is the wished one; it is not where the active box chose a VRID. */
  async #holds(id: string, { source }: Extract<Wish, { readonly kind: "commit" }>): Promise<boolean> {
    const { past } = this.#options;
    try {
      const made = await past.get(id);
      if (made === undefined) return false;
      if (source.kind === "revision") return made.text === (await past.get(source.id))?.text;
      return typeof source.document === "string" && made.text === canonicalJson(JSON.parse(source.document));
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof SyntaxError)) throw error;
      return false;
    }
  }

  async #request(wish: Wish): Promise<Extract<Outcome, { readonly kind: "done" }>> {
    const outcome = await this.#options.committer.request(wish);
    if (outcome.kind === "done") return outcome;
    const { exitCode, ...refusal } = outcome.refusal;
    const codes: readonly number[] = Object.values(ExitCode);
    // The peer's word is not believed to be one of ours.
    const known = codes.includes(exitCode) ? (exitCode as ExitCode) : ExitCode.failed;
    throw new RefusalError({ exitCode: known, ...refusal });
  }
}

const COMMENT_LENGTH_MAX = 1_000;
/** The cores link anew within seconds, and the standby catches up. */
const LINKS_AGAIN_MILLIS = 8_000;
const LOOK_MILLIS = 50;
const MADE_ALL_THE_SAME =
  "The connection to the active box broke before it answered; the change was made, and this box has it, too.";

function confirmBy(seconds: number | undefined, since: number): string | null {
  return seconds === undefined ? null : new Date(since + seconds * 1_000).toISOString();
}

/** Where it is in force, and what is left to do, in sentences. */
function sharedBy(share: PeerShare, peer: Box): readonly string[] {
  switch (share) {
    case "none":
      return [];
    case "inForce":
      return ["Both boxes have it."];
    case "away":
      return [
        `Box ${peer} is away. It takes this over when it returns, before it may hold a role.`,
        `Should somebody commit on box ${peer} meanwhile, one of the two is set aside then, and both boxes say which.`,
      ];
    case "behind":
      return [`Box ${peer} is at another revision and has not taken this; its alarms say why.`];
    case "late":
      return [`Box ${peer} has not said yet whether it has it; \`futago status\` shows its revision.`];
  }
}

function tooLarge(length: number): RefusalError {
  const what = `the document has ${length} characters, at most ${documentBytesMax} are possible`;
  return new RefusalError({ exitCode: ExitCode.invalidConfiguration, what, mend: "Make it smaller." });
}

/** What a box does by itself is told from what people do by its name. */
function checkedAuthor(author: string): string {
  if (author !== AUTOMATIC) return author;
  const what = `${AUTOMATIC} is what the boxes call themselves in the history`;
  throw new RefusalError({ exitCode: ExitCode.usage, what, mend: "Give the command as another user." });
}

/** What is no JSON becomes a text that is none either, and is refused with the others. */
function asText(document: unknown): string {
  if (document instanceof Uint8Array) return new TextDecoder().decode(document);
  // Its type does not say that there are values without JSON.
  const text = JSON.stringify(document) as string | undefined;
  return text ?? "";
}
