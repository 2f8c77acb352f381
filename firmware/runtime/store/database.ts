/**
 * The SQLite side of the store, synchronous; it runs in the worker thread. WAL with synchronous=FULL: a call that
 * returned is on the disk. locking_mode=EXCLUSIVE: one process holds the file from opening to its end, however it
 * ends, because the kernel drops the lock of a dead process.
 *
 * @see sqlite.org/pragma.html#pragma_locking_mode, #pragma_synchronous
 */
import type Database from "better-sqlite3";
import { compaction, type ToPack } from "./compaction.ts";
import { type Copy, COPY_LINEAGE_MAX } from "./copy.ts";
import { Documents } from "./documents.ts";
import { Family, type Kinship, type Member } from "./family.ts";
import { refusal, refusalOf, StoreError, type StoreRefusal } from "./refusal.ts";
import {
  type Appended,
  type HistoryEntry,
  type NewRevision,
  type Revision,
  revisionId,
  type RevisionSummary,
} from "./revision.ts";

interface RevisionRow {
  readonly number: number;
  readonly id: string;
  readonly parent: string | null;
  readonly author: string;
  readonly comment: string;
  readonly time: string;
  readonly confirm_seconds: number | null;
  readonly confirmed_by: string | null;
}

const columns = "id, parent, author, comment, time, confirm_seconds, confirmed_by";
/** Fewer would name half of all revisions. */
const PREFIX_DIGITS_MIN = 4;
const FOUND_MAX = 3;
/** Documents packed at a time, so that nobody waits long for the next commit. */
const PACK_MAX = 16;
const PACK_BYTES_MAX = 1 << 20;

export class StoreDatabase {
  readonly #database: Database;
  readonly #path: string;
  readonly #documents: Documents;
  /** Read when it is first asked for, and anew after what is easier read than followed. */
  #family: Family | undefined;
  #toPack: readonly ToPack[] = [];

  constructor(database: Database, path: string) {
    this.#database = database;
    this.#path = path;
    this.#documents = new Documents(database);
  }

  head(): Revision | undefined {
    const id = this.#headId();
    return id === undefined ? undefined : this.get(id);
  }

  append(revision: NewRevision): Appended {
    const id = revisionId(revision.parent, revision.text);
    return this.#change((): Appended => {
      const head = this.#headId();
      if (head !== revision.parent) return { ok: false, reason: "conflict", head };
      this.#insert({ ...revision, id });
      this.#setHead(id);
      return { ok: true, revision: { ...revision, id } };
    });
  }

  keep(revision: Revision): void {
    this.#checkId(revision);
    this.#change(() => this.#insert(revision));
  }

  adopt(lineage: readonly RevisionSummary[], head: Revision): void {
    this.#checkId(head);
    this.#checkLineage(lineage, head);
    this.#change(() => {
      for (const each of lineage.toReversed()) this.#insertSummary(each);
      this.#insert(head);
      this.#setHead(head.id);
    });
  }

  moveHead(id: string): boolean {
    return this.#change(() => {
      const number = this.#row(id)?.number;
      if (number === undefined || !this.#documents.has(number)) return false;
      this.#setHead(id);
      return true;
    });
  }

  forgetHead(): void {
    this.#change(() => this.#database.prepare("DELETE FROM head").run());
    this.#family = undefined;
  }

  get(id: string): Revision | undefined {
    const row = this.#row(id);
    const text = row === undefined ? undefined : this.#text(row);
    if (row === undefined || text === undefined) return undefined;
    const revision = { ...summary(row), text };
    this.#checkId(revision);
    return revision;
  }

  kinship(id: string): Kinship {
    return this.#kin().kinship(id);
  }

  lineage(limit: number, until?: string): readonly RevisionSummary[] {
    return this.#rows(this.#kin().lineage(limit, until)).map(summary);
  }

  confirm(id: string, by: string): boolean {
    const sql = "UPDATE revision SET confirmed_by = coalesce(confirmed_by, ?) WHERE id = ?";
    return this.#database.prepare(sql).run(by, id).changes > 0;
  }

  history(limit: number, before?: string): readonly HistoryEntry[] {
    const all = this.#kin().newestFirst();
    const first = before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1;
    if (before !== undefined && first === 0) return [];
    return this.#rows(all.slice(first, first + limit)).map((row) => ({
      ...summary(row),
      age: this.#kin().age(row.id),
      whole: row.whole === 1,
    }));
  }

  find(prefix: string): readonly string[] {
    if (prefix.length < PREFIX_DIGITS_MIN || !/^[0-9a-f]+$/.test(prefix)) return [];
    // "g" is the character after the last hexadecimal digit.
    const sql = `SELECT id FROM revision WHERE id >= ? AND id < ? ORDER BY id LIMIT ${FOUND_MAX}`;
    return (this.#database.prepare(sql).all(prefix, `${prefix}g`) as { readonly id: string }[]).map(({ id }) => id);
  }

  /** What the copy beside the database is to hold; undefined while there is no revision. */
  copy(): Copy | undefined {
    const head = this.head();
    if (head === undefined) return undefined;
    const rows = this.#database.prepare("SELECT key, value FROM setting ORDER BY key").raw().all() as [
      string,
      string,
    ][];
    return { head, lineage: this.lineage(COPY_LINEAGE_MAX), settings: Object.fromEntries(rows) };
  }

  /** Makes an ancestor the head, and forgets what came after it: a document there cannot be read. */
  fallBack(id: string): void {
    this.#change(() => {
      const lost = this.#kin().lineage(Infinity, id);
      this.#setHead(id);
      for (const { number } of lost) {
        this.#documents.dropDamaged(number);
        this.#database.prepare("DELETE FROM revision WHERE number = ?").run(number);
      }
    });
    this.#family = undefined;
  }

  setting(key: string): string | undefined {
    const row = this.#database.prepare("SELECT value FROM setting WHERE key = ?").get(key);
    return (row as { readonly value: string } | undefined)?.value;
  }

  putSetting(key: string, value: string | undefined): void {
    if (value === undefined) this.#database.prepare("DELETE FROM setting WHERE key = ?").run(key);
    else this.#database.prepare("INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)").run(key, value);
  }

  /** Does a slice of what there is to pack and to drop; true when there is more. */
  compact(): boolean {
    if (this.#toPack.length === 0) return this.#planCompaction();
    let [bytes, done] = [0, 0];
    this.#change(() => {
      for (const { number, after } of this.#toPack.slice(0, PACK_MAX)) {
        if (bytes >= PACK_BYTES_MAX) break;
        bytes += this.#documents.pack(number, after);
        done++;
      }
    });
    this.#toPack = this.#toPack.slice(done);
    return true;
  }

  close(): void {
    this.#database.close();
  }

  /** The refusal behind an error that one of the calls above threw; undefined when it is our own fault. */
  refusalOf(error: unknown): StoreRefusal | undefined {
    return refusalOf(error, this.#path);
  }

  /** Carries out a change whole or not at all. */
  #change<Result>(body: () => Result): Result {
    try {
      return this.#database.transaction(body).immediate();
    } catch (error) {
      this.#family = undefined;
      throw error;
    }
  }

  #kin(): Family {
    if (this.#family !== undefined) return this.#family;
    const rows = this.#database.prepare("SELECT number, id, parent FROM revision").all() as RevisionRow[];
    const members = rows.map(({ number, id, parent }): Member => ({ number, id, parent: parent ?? undefined }));
    this.#family = new Family(members, this.#headId());
    return this.#family;
  }

  /** Drops what is beyond the bounds, and finds what is to be packed. */
  #planCompaction(): boolean {
    const documents = new Map(this.#documents.list().map((document) => [document.number, document]));
    const stored = this.#kin()
      .newestFirst()
      .map(({ number, id }) => ({ number, id, document: documents.get(number) }));
    const spared = this.#kin().lineage(2, undefined);
    const todo = compaction(stored, new Set(spared.map(({ id }) => id)));
    this.#toPack = todo.pack;
    if (todo.documents.length + todo.revisions.length > 0) {
      this.#change(() => {
        for (const number of todo.documents) this.#documents.drop(number);
        const forget = this.#database.prepare("DELETE FROM revision WHERE number = ?");
        for (const number of todo.revisions) forget.run(number);
      });
    }
    if (todo.revisions.length > 0) this.#family = undefined;
    return todo.pack.length > 0;
  }

  #headId(): string | undefined {
    return (this.#database.prepare("SELECT id FROM head").get() as { readonly id: string } | undefined)?.id;
  }

  #setHead(id: string): void {
    this.#database.prepare("INSERT OR REPLACE INTO head (one, id) VALUES (1, ?)").run(id);
    this.#family?.moveHead(id);
  }

  #insert(revision: Revision): void {
    this.#documents.put(this.#insertSummary(revision), revision.text);
  }

  /**
   * Gives the revision's number. What is in the lineage was committed, and stays as it is but for its confirmation;
   * elsewhere what is stored may be of a commit that came to nothing, and who commits the same again is who did it.
   */
  #insertSummary({ id, parent, author, comment, time, confirmSeconds, confirmedBy }: RevisionSummary): number {
    const committed = this.#kin().age(id) >= 0;
    const facts = committed
      ? "confirmed_by = coalesce(confirmed_by, excluded.confirmed_by)"
      : `author = excluded.author, comment = excluded.comment, time = excluded.time,
         confirm_seconds = excluded.confirm_seconds, confirmed_by = excluded.confirmed_by`;
    const sql = `INSERT INTO revision (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET ${facts} RETURNING number`;
    const { number } = this.#database
      .prepare(sql)
      .get(id, parent ?? null, author, comment, time, confirmSeconds ?? null, confirmedBy ?? null) as RevisionRow;
    this.#family?.add({ number, id, parent });
    return number;
  }

  #text({ number, id }: RevisionRow): string | undefined {
    try {
      return this.#documents.get(number);
    } catch (error) {
      if (this.refusalOf(error) !== undefined) throw error;
      // zlib's: the bytes are not those that were packed.
      throw new StoreError(refusal("damaged", `${this.#path}: revision ${id} cannot be unpacked`), { cause: error });
    }
  }

  #row(id: string): RevisionRow | undefined {
    return this.#database.prepare(`SELECT number, ${columns} FROM revision WHERE id = ?`).get(id) as
      | RevisionRow
      | undefined;
  }

  /** The rows of `members`, in their order, and of each whether its document is there. */
  #rows(members: readonly Member[]): readonly (RevisionRow & { readonly whole: 0 | 1 })[] {
    const numbers = members.map(({ number }) => number);
    const [least, most] = numbers.reduce(
      ([low, high], n) => [Math.min(low, n), Math.max(high, n)],
      [Infinity, -Infinity],
    );
    const sql = `SELECT revision.number, ${columns}, document.number IS NOT NULL AS whole
      FROM revision LEFT JOIN document USING (number) WHERE revision.number BETWEEN ? AND ?`;
    const rows = this.#database.prepare(sql).all(least, most) as (RevisionRow & { readonly whole: 0 | 1 })[];
    const byNumber = new Map(rows.map((row) => [row.number, row]));
    return numbers.flatMap((number) => byNumber.get(number) ?? []);
  }

  #checkId({ id, parent, text }: Revision): void {
    if (revisionId(parent, text) !== id) {
      throw new StoreError(refusal("damaged", `${this.#path}: revision ${id} does not hold what its id says`));
    }
  }

  /** Each must be the parent of the one before it, and none may come back under another parent. */
  #checkLineage(lineage: readonly RevisionSummary[], head: Revision): void {
    let child: RevisionSummary = head;
    for (const each of lineage) {
      if (each.id === head.id) continue;
      const stored = this.#row(each.id);
      if (each.id !== child.parent || (stored !== undefined && (stored.parent ?? undefined) !== each.parent)) {
        const what = `the lineage of revision ${head.id} does not hold together at ${each.id}`;
        throw new StoreError(refusal("damaged", what));
      }
      child = each;
    }
  }
}

function summary(row: RevisionRow): RevisionSummary {
  const { id, parent, author, comment, time, confirm_seconds, confirmed_by } = row;
  return {
    id,
    parent: parent ?? undefined,
    author,
    comment,
    time,
    confirmSeconds: confirm_seconds ?? undefined,
    confirmedBy: confirmed_by ?? undefined,
  };
}
