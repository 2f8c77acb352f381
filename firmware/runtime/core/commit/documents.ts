/**
 * What the commit protocol asks of this box's disk and judgement, answered as values: a refusal of the store or of a
 * document is an answer, anything else is our own fault.
 */
import type {
  CommitRefusal,
  Confirmation,
  Judged,
  Kinship,
  Landed,
  Passage,
  Revision,
  RevisionSummary,
  Wish,
} from "../../../pair/commit/types.ts";
import { AUTOMATIC } from "../../../pair/commit/types.ts";
import type { Problem } from "../../../config/problem.ts";
import type { Resolved } from "../../../config/resolved.ts";
import { ExitCode, type Refusal, RefusalError, type Wrong } from "../../exit-code.ts";
import { revisionId } from "../../store/revision.ts";
import { StoreError } from "../../store/store.ts";
import type { Configuration, InForce } from "../configuration.ts";
import { LINEAGE_MAX, WANTED_MAX } from "../peer-link/commit-message.ts";
import { Errands } from "./errands.ts";

/** What was judged and may be put into force next, here or after the other box committed it. */
const JUDGED_KEPT = 2;
/** Of the other box's revisions: one is judged, one waits for that. */
const CHECKS_MAX = 2;
const SENTENCE_SHOWN = 2_000;

interface Relation {
  readonly kinship: Kinship;
  readonly confirmed: Confirmation | undefined;
}

export class Documents {
  readonly #configuration: Configuration;
  readonly #paired: boolean;
  /** By the hash of the canonical text. */
  readonly #judged = new Map<string, Resolved>();
  #considering: Promise<void> | undefined;
  /** What the other box thinks better of in the middle of it is judged to the end. */
  readonly #checks = new Errands(CHECKS_MAX);

  /** `paired`: there is another box, which takes over what this one has. */
  constructor(configuration: Configuration, paired: boolean) {
    this.#configuration = configuration;
    this.#paired = paired;
  }

  /** Makes a revision of a wish, a child of `parent`, which is in force. `hasPeer`: the other box lives. */
  async judge(
    wish: Extract<Wish, { readonly kind: "commit" }>,
    parent: string | undefined,
    hasPeer: boolean,
  ): Promise<Judged> {
    const { source, author, comment, confirmSeconds } = wish;
    const found = await refusalOr(async () =>
      source.kind === "given" ? source.document : (await this.#configuration.store.get(source.id))?.text,
    );
    if ("refusal" in found) return { kind: "refused", refusal: found.refusal };
    const document = found.value;
    if (document === undefined) return { kind: "refused", refusal: DOCUMENT_GONE };
    const judged = await refusalOr(() => this.#configuration.judge(document, ""));
    if ("refusal" in judged) return { kind: "refused", refusal: judged.refusal };
    const { text, resolved } = judged.value;
    const { inForce } = this.#configuration;
    // Paired boxes without a configuration are linked, and would both take it.
    const ofBoth = inForce === undefined || inForce.resolved.pair !== undefined;
    if (hasPeer && resolved.pair === undefined && ofBoth) return { kind: "refused", refusal: OF_A_BOX_ALONE };
    if (confirmSeconds !== undefined && this.#isFirstOfPair(resolved))
      return { kind: "refused", refusal: FIRST_OF_A_PAIR };
    const warnings = judged.value.warnings.map(warningText);
    // Another one may be in force in place of a head that this version cannot run: to bring that back is a change.
    const former = inForce?.revision;
    if (former?.id === parent && former?.text === text) return { kind: "unchanged", warnings };
    const id = revisionId(parent, text);
    this.#remember(text, resolved);
    const time = new Date().toISOString();
    return { kind: "revision", revision: { id, parent, text, author, comment, time, confirmSeconds }, warnings };
  }

  /** The document in force is that of a box alone, to which two boxes cannot go back. */
  #isFirstOfPair({ pair }: Resolved): boolean {
    const { inForce } = this.#configuration;
    return pair !== undefined && inForce !== undefined && inForce.resolved.pair === undefined;
  }

  /** Whether a revision of the peer is what its id says, and can be put into force here. */
  async check(revision: Revision): Promise<CommitRefusal | undefined> {
    let refusal: CommitRefusal | undefined;
    const judged = await this.#checks.add(async () => {
      refusal = await this.#examine(revision);
    });
    return judged ? refusal : STILL_JUDGING;
  }

  async #examine({ id, parent, text }: Revision): Promise<CommitRefusal | undefined> {
    if (revisionId(parent, text) !== id) return NOT_ITS_ID;
    await this.#considering;
    if (this.#judged.has(hashOf(text))) return undefined;
    const judged = await refusalOr(() => this.#configuration.judge(text, ""));
    if ("refusal" in judged) return judged.refusal;
    if (judged.value.text !== text) return NOT_CANONICAL;
    this.#remember(text, judged.value.resolved);
    return undefined;
  }

  /** Judges what {@link check} is likely to be asked of; one document at a time, others are left out. */
  async consider(document: string): Promise<void> {
    if (this.#considering !== undefined) return;
    this.#considering = this.#judgeAhead(document);
    await this.#considering;
    this.#considering = undefined;
  }

  async #judgeAhead(document: string): Promise<void> {
    const judged = await refusalOr(() => this.#configuration.judge(document, ""));
    if ("value" in judged) this.#remember(judged.value.text, judged.value.resolved);
  }

  async keep(revision: Revision): Promise<CommitRefusal | undefined> {
    const kept = await refusalOr(() => this.#configuration.store.keep(revision));
    return "refusal" in kept ? kept.refusal : undefined;
  }

  async land(revision: Revision): Promise<Landed> {
    // What lands is what was judged, whatever the peer sent under the same id in between.
    const known = this.#judged.has(hashOf(revision.text)) && revisionId(revision.parent, revision.text) === revision.id;
    const refusal = known ? undefined : await this.#examine(revision);
    if (refusal !== undefined) return { ok: false, refusal };
    const landed = await refusalOr(() => this.#configuration.store.append(revision));
    if ("refusal" in landed) return { ok: false, refusal: landed.refusal };
    if (!landed.value.ok) return { ok: false, refusal: HEAD_MOVED };
    return { ok: true, head: withoutText(landed.value.revision) };
  }

  async adopt({ revision, parent, lineage }: Passage): Promise<Landed> {
    const { store } = this.#configuration;
    const adopted = await refusalOr(async () => {
      // What it would go back to. Before the head moves: a disk that refuses this has changed nothing.
      if (parent !== undefined) await store.keep(parent);
      await store.adopt(lineage, revision);
      return await store.head();
    });
    if ("refusal" in adopted) return { ok: false, refusal: adopted.refusal };
    return { ok: true, head: withoutText(adopted.value ?? revision) };
  }

  /** The document of the parent of `id`, the head, once more, by nobody. */
  async undo(id: string, comment: string): Promise<Landed> {
    const { store } = this.#configuration;
    const undone = await refusalOr(async () => {
      const head = await store.get(id);
      const before = head?.parent === undefined ? undefined : await store.get(head.parent);
      if (before === undefined) return undefined;
      const { text } = before;
      const { pair } = await this.#runnable(text);
      if (this.#paired && pair === undefined && isOfPair(head?.text)) return "ofBoxAlone";
      return await store.append({ text, parent: id, author: AUTOMATIC, comment, time: new Date().toISOString() });
    });
    if ("refusal" in undone) return { ok: false, refusal: undone.refusal };
    if (undone.value === "ofBoxAlone") return { ok: false, refusal: NO_WAY_BACK, noWayBack: true };
    if (undone.value === undefined) return { ok: false, refusal: DOCUMENT_GONE };
    if (!undone.value.ok) return { ok: false, refusal: HEAD_MOVED };
    return { ok: true, head: withoutText(undone.value.revision) };
  }

  /** What the box would go back to may be of a version that said the same in other words. */
  async #runnable(text: string): Promise<Resolved> {
    try {
      const resolved = this.#judged.get(hashOf(text)) ?? (await this.#configuration.resolve(text));
      this.#remember(text, resolved);
      return resolved;
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      const { what, where } = error.refusal;
      throw new RefusalError({
        exitCode: ExitCode.failed,
        what: `this version cannot run the configuration before it: ${where === undefined ? "" : `${where}: `}${what}`,
        mend: "`futago history` shows older ones, which `futago rollback` brings back.",
      });
    }
  }

  async confirm(id: string, by: string): Promise<CommitRefusal | undefined> {
    const confirmed = await refusalOr(() => this.#configuration.store.confirm(id, by));
    return "refusal" in confirmed ? confirmed.refusal : undefined;
  }

  /** What the peer's head is to the head here; and who confirmed what that undoes, where it is in the lineage here. */
  async relation(theirs: string, undone: string | undefined): Promise<Relation> {
    const { store } = this.#configuration;
    const kinship = (await store.kinship(theirs)) === "ancestor" ? "ancestor" : "unknown";
    if (undone === undefined) return { kinship, confirmed: undefined };
    const by = (await store.lineage(LINEAGE_MAX)).find(({ id }) => id === undone)?.confirmedBy;
    return { kinship, confirmed: by === undefined ? undefined : { id: undone, by } };
  }

  /** Undefined when its document is gone, or cannot be read any more. */
  async whole(id: string): Promise<Revision | undefined> {
    const read = await refusalOr(() => this.#configuration.store.get(id));
    return "refusal" in read ? undefined : read.value;
  }

  /** A revision with all that a box needs that has `have`; undefined when it is not in the lineage or its document is gone. */
  async passage(id: string, have: string | undefined): Promise<Passage | undefined> {
    const { store } = this.#configuration;
    const revision = await this.whole(id);
    if (revision === undefined) return undefined;
    const parent = revision.parent === undefined ? undefined : await this.whole(revision.parent);
    const line = await store.lineage(LINEAGE_MAX, have);
    const at = line.findIndex((one) => one.id === id);
    return at < 0 ? undefined : { revision, parent, lineage: line.slice(at + 1) };
  }

  /** Of the newest revisions of the lineage those whose documents are not here. */
  async missing(): Promise<readonly string[]> {
    const newest = await this.#configuration.store.history(WANTED_MAX);
    return newest.filter(({ whole, age }) => !whole && age >= 0).map(({ id }) => id);
  }

  /** What the revision means for this box. Throws RefusalError when it cannot be run. */
  async load(id: string): Promise<InForce> {
    const { inForce, store } = this.#configuration;
    if (inForce?.revision.id === id) return inForce;
    const revision = await store.get(id);
    if (revision === undefined) throw new RefusalError({ ...DOCUMENT_GONE, exitCode: ExitCode.failed });
    const resolved = this.#judged.get(hashOf(revision.text)) ?? (await this.#configuration.resolve(revision.text));
    return { revision, resolved };
  }

  #remember(text: string, resolved: Resolved): void {
    const hash = hashOf(text);
    this.#judged.delete(hash);
    this.#judged.set(hash, resolved);
    const [oldest] = this.#judged.keys();
    if (this.#judged.size > JUDGED_KEPT && oldest !== undefined) this.#judged.delete(oldest);
  }
}

/** Of a document that was accepted. */
function isOfPair(text: string | undefined): boolean {
  return text !== undefined && Object.hasOwn(JSON.parse(text) as object, "pair");
}

function hashOf(text: string): string {
  return revisionId(undefined, text);
}

const DOCUMENT_GONE: CommitRefusal = {
  exitCode: ExitCode.failed,
  what: "the document of that revision is not kept any more",
  mend: "`futago history` shows what can be brought back.",
};
/** Both would take the same addresses. */
const OF_A_BOX_ALONE: CommitRefusal = {
  exitCode: ExitCode.conflict,
  what: "the document describes a box alone, and this box has a peer, which would take the same addresses",
  where: "pair",
  mend: "Keep `pair` and the values of each box; or switch the other box off, and give it up with `futago pair unpair`.",
};
/** The peer, which takes it over, would come back to the document of this box, and to its addresses. */
const FIRST_OF_A_PAIR: CommitRefusal = {
  exitCode: ExitCode.conflict,
  what: "the first configuration of the pair cannot wait for a confirmation: both boxes would go back to that of this box alone",
  mend: "Commit it without --confirm.",
};
/** The peer may have taken over the pair's already, and would take this box for dead. */
const NO_WAY_BACK: CommitRefusal = {
  exitCode: ExitCode.conflict,
  what: "the configuration before it is that of a box alone, to which two boxes cannot go back",
};
const NOT_ITS_ID: CommitRefusal = {
  exitCode: ExitCode.failed,
  what: "the revision that the other box sent does not hold what its id says",
  mend: "Look at that box's disk, and at its log.",
};
const NOT_CANONICAL: CommitRefusal = {
  exitCode: ExitCode.failed,
  what: "the boxes read the same document differently: they run different versions",
  mend: "Bring both to the same version.",
};
const STILL_JUDGING: CommitRefusal = {
  exitCode: ExitCode.conflict,
  what: "this box is still judging what the other one sent before",
  mend: "Commit it again in a moment.",
};
const HEAD_MOVED: CommitRefusal = { exitCode: ExitCode.conflict, what: "another change was committed in between" };

type OrRefusal<T> = { readonly value: T } | { readonly refusal: CommitRefusal };

async function refusalOr<T>(call: () => Promise<T>): Promise<OrRefusal<T>> {
  try {
    return { value: await call() };
  } catch (error) {
    if (error instanceof RefusalError) return { refusal: shortened(error.refusal) };
    if (!(error instanceof StoreError)) throw error;
    return { refusal: shortened({ exitCode: ExitCode.failed, what: error.message, mend: `${error.mend}.` }) };
  }
}

/** Names and values of documents stand in sentences, and may be as long as a document. */
function shortened({ exitCode, also, ...first }: Refusal): CommitRefusal {
  return { exitCode, ...shortenedOne(first), ...(also && { also: also.map(shortenedOne) }) };
}

function shortenedOne({ what, where, mend, reason, parameters }: Wrong): Wrong {
  const short = (words: string) => words.slice(0, SENTENCE_SHOWN);
  const values = Object.entries(parameters ?? {}).map(
    ([name, value]) => [name, typeof value === "string" ? short(value) : value] as const,
  );
  return {
    what: short(what),
    ...(where && { where: short(where) }),
    ...(mend && { mend: short(mend) }),
    ...(reason && { reason }),
    ...(parameters && { parameters: Object.fromEntries(values) }),
  };
}

function warningText({ path, what, mend }: Problem): string {
  return `${path}: ${what}; ${mend}`.slice(0, SENTENCE_SHOWN);
}

function withoutText({ id, parent, author, comment, time, confirmSeconds, confirmedBy }: Revision): RevisionSummary {
  return { id, parent, author, comment, time, confirmSeconds, confirmedBy };
}
