/**
 * The configuration that is being edited on this box, before it is committed: one for all who edit, so that two people
 * hear of each other. The store keeps it, so that a restart of core loses nothing.
 */
import type { Edit } from "../../../config/edit.ts";
import type { CandidateAuthor, CandidateChanged, CandidateDiff, CommitOptions } from "../../control-configuration.ts";
import { ExitCode, RefusalError } from "../../exit-code.ts";
import { type Revision, StoreError } from "../../store/store.ts";
import type { Committed, Commits } from "../commit/commits.ts";
import { problemsRefusal, problemsShown } from "../configuration.ts";
import type { Judged } from "../judge.ts";
import { type Draft, draftAside, type Drafted } from "./drafting.ts";
import {
  alsoCommitted,
  alsoEdited,
  behind,
  committedMeanwhile,
  conflict,
  joined,
  NOTHING_EDITED,
  othersEdited,
  wouldConflict,
} from "./sentences.ts";

export interface CandidateOptions {
  readonly settings: Settings;
  readonly commits: Pick<Commits, "commit" | "revision">;
  /** The revision in force. */
  readonly head: () => Revision | undefined;
  readonly judge: (text: string) => Promise<Judged>;
}

interface Settings {
  setting(key: string): Promise<string | undefined>;
  putSetting(key: string, value: string | undefined): Promise<void>;
}

interface Kept {
  /** The revision that it was begun from; undefined on a box without one. */
  readonly base: string | undefined;
  /** Canonical JSON. */
  readonly text: string;
  /** Each with the time of the last change, the newest last. */
  readonly authors: readonly CandidateAuthor[];
}

const SETTING = "candidate";
/** The document of a box without a configuration. */
const EMPTY = "{}";
/** Somebody commits at every moment: then nobody can join anything. */
const JOINS_MAX = 3;

type Done = Extract<Drafted, { kind: "done" }>;

export class Candidate {
  readonly #options: CandidateOptions;
  #kept: Kept | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: CandidateOptions, kept: Kept | undefined) {
    this.#options = options;
    this.#kept = kept;
  }

  static async load(options: CandidateOptions): Promise<Candidate> {
    const text = await options.settings.setting(SETTING);
    return new Candidate(options, text === undefined ? undefined : (JSON.parse(text) as Kept));
  }

  /** The document that is being edited; where nobody edits, the one in force. `base` is "" on a box without one. */
  get present(): { readonly base: string; readonly text: string } {
    const { base, text } = this.#kept ?? this.#fresh();
    return { base: base ?? "", text };
  }

  /** Whoever changed it; nobody where nobody edits. */
  get authors(): readonly CandidateAuthor[] {
    return this.#kept?.authors ?? [];
  }

  change(edit: Edit, author: string): Promise<CandidateChanged> {
    return this.#inTurn(() => this.#draft(author, (text) => ({ kind: "change", text, edit })));
  }

  /** What somebody wrote, who saw `was` before. Refused when it could not be committed, but for `anyway`. */
  replace(written: string, was: string, author: string, anyway: boolean): Promise<CandidateChanged> {
    return this.#inTurn(() =>
      this.#draft(
        author,
        (text) => ({ kind: "replace", text, was, written }),
        async (text) => {
          const judged = await this.#options.judge(text);
          if (!judged.ok && !anyway) throw new RefusalError(problemsRefusal(judged.problems, ""));
        },
      ),
    );
  }

  diff(): Promise<CandidateDiff> {
    return this.#inTurn(async () => {
      const kept = this.#kept;
      const { base, text } = this.present;
      if (kept === undefined) return { base, authors: [], changes: [], remarks: [], problems: [] };
      const from = await this.#baseText(kept);
      const { changes } = await drafted({ kind: "compare", from, text });
      const onHead = await this.#onHead(kept, from);
      const judged = await this.#options.judge(onHead.text);
      return {
        base,
        authors: kept.authors,
        changes,
        remarks: onHead.remarks,
        problems: judged.ok ? [] : problemsShown(judged.problems, ""),
      };
    });
  }

  discard(author: string, force: boolean): Promise<{ readonly message: string }> {
    return this.#inTurn(async () => {
      if (this.#kept === undefined) return { message: "There was no candidate." };
      const others = this.#othersThan(author);
      if (others.length > 0 && !force) throw othersEdited(others);
      await this.#keep(undefined);
      return { message: "The candidate is discarded." };
    });
  }

  commit(options: CommitOptions): Promise<Committed> {
    return this.#inTurn(async () => {
      const { author, comment = "", confirmSeconds } = options;
      const remarks = this.#othersThan(author).map(alsoCommitted);
      for (let joins = 0; ; joins++) {
        remarks.push(...(await this.#join()));
        const { base, text } = this.#edited();
        try {
          const committed = await this.#options.commits.commit({
            document: text,
            base,
            author,
            comment,
            confirmSeconds,
          });
          await this.#forget();
          return { ...committed, remarks: [...remarks, ...committed.remarks] };
        } catch (error) {
          const isLate = error instanceof RefusalError && error.refusal.exitCode === ExitCode.conflict;
          if (!isLate || this.#options.head()?.id === base || joins >= JOINS_MAX) throw error;
        }
      }
    });
  }

  #edited(): Kept {
    if (this.#kept !== undefined) return this.#kept;
    const mend = "Change something with `futago set`, `futago delete` or `futago edit` first.";
    throw new RefusalError({ exitCode: ExitCode.failed, what: NOTHING_EDITED, mend });
  }

  /** What a commit would make of the candidate, and what it would say of the revision that came in between. */
  async #onHead({ base, text }: Kept, from: string): Promise<{ text: string; remarks: readonly string[] }> {
    const head = this.#options.head();
    if (head === undefined || head.id === base) return { text, remarks: [] };
    const made = await draftAside({ kind: "join", base: from, text, head: head.text });
    switch (made.kind) {
      case "done":
        return { text: made.text, remarks: [behind(head)] };
      case "conflicts":
        return { text, remarks: [wouldConflict(head, made.conflicts)] };
      case "problems":
        return { text, remarks: made.problems.map(({ what }) => what) };
    }
  }

  /** Brings the candidate onto the revision in force. Says so when that was not the one that it was begun from. */
  async #join(): Promise<readonly string[]> {
    const kept = this.#edited();
    const head = this.#options.head();
    if (head === undefined || head.id === kept.base) return [];
    const base = await this.#baseText(kept);
    const order: Draft = { kind: "join", base, text: kept.text, head: head.text };
    const { text } = await drafted(order, (places) => conflict(head, places));
    await this.#keep({ ...kept, base: head.id, text });
    return [joined(head)];
  }

  async #draft(
    author: string,
    order: (text: string) => Draft,
    check: (text: string) => Promise<void> = () => Promise.resolve(),
  ): Promise<CandidateChanged> {
    const kept = this.#kept ?? this.#fresh();
    const { text, changes } = await drafted(order(kept.text), committedMeanwhile);
    await check(text);
    const others = this.#othersThan(author).map(alsoEdited);
    if (changes.length === 0) return { changes, remarks: others };
    const time = new Date().toISOString();
    const authors = [...kept.authors.filter((one) => one.author !== author), { author, time }];
    await this.#keep({ ...kept, text, authors });
    return { changes, remarks: others };
  }

  #fresh(): Kept {
    const head = this.#options.head();
    return { base: head?.id, text: head?.text ?? EMPTY, authors: [] };
  }

  async #baseText({ base }: Kept): Promise<string> {
    return base === undefined ? EMPTY : (await this.#options.commits.revision(base)).text;
  }

  #othersThan(author: string): readonly CandidateAuthor[] {
    return this.authors.filter((one) => one.author !== author);
  }

  async #keep(kept: Kept | undefined): Promise<void> {
    try {
      await this.#options.settings.putSetting(SETTING, kept === undefined ? undefined : JSON.stringify(kept));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new RefusalError({ exitCode: ExitCode.failed, what: error.message, mend: `${error.mend}.` });
    }
    this.#kept = kept;
  }

  /** It is committed: a store that cannot forget it finds it again as something that changes nothing. */
  async #forget(): Promise<void> {
    this.#kept = undefined;
    await this.#options.settings.putSetting(SETTING, undefined).catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
    });
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** What was made of the order, or its refusal. */
async function drafted(
  order: Draft,
  onConflict: (places: readonly string[]) => RefusalError = committedMeanwhile,
): Promise<Done> {
  const made = await draftAside(order);
  switch (made.kind) {
    case "done":
      return made;
    case "problems":
      throw new RefusalError(problemsRefusal(made.problems, ""));
    case "conflicts":
      throw onConflict(made.conflicts);
  }
}
