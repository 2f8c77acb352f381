/**
 * The SQLite side of the store, synchronous; it runs in the worker thread. WAL with synchronous=FULL: a call that
 * returned is on the disk. locking_mode=EXCLUSIVE: one process holds the file from opening to its end, however it
 * ends, because the kernel drops the lock of a dead process.
 *
 * @see sqlite.org/pragma.html#pragma_locking_mode, #pragma_synchronous
 */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import Database from "better-sqlite3";
import { tooOld } from "./compaction.ts";
import { refusal, refusalOf, StoreError, type StoreRefusal } from "./refusal.ts";
import { type Appended, type NewRevision, type Revision, revisionId, type RevisionSummary } from "./revision.ts";

export const databaseFile = "futago.db";
/** "FUTG": marks the file as ours for file(1) and for us. */
const applicationId = 0x46555447;
/** PRAGMA user_version of the tables below. */
const schemaVersion = 1;
const busyTimeoutMs = 500;

const tables = `
  CREATE TABLE revision (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    parent TEXT,
    author TEXT NOT NULL,
    comment TEXT NOT NULL,
    time TEXT NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL REFERENCES revision (id)) STRICT;
  CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

interface RevisionRow {
  readonly id: string;
  readonly parent: string | null;
  readonly author: string;
  readonly comment: string;
  readonly time: string;
}

interface SizeRow {
  readonly number: number;
  readonly id: string;
  readonly bytes: number;
}

type DocumentRow = RevisionRow & { readonly document: string };

const summaryColumns = "id, parent, author, comment, time";
/** Of revisions whose document is there; octet_length() does not read it. */
const WHOLE = "octet_length(document) > 0";

export type Opened = { readonly ok: true; readonly database: StoreDatabase } | ({ readonly ok: false } & StoreRefusal);

/** Opens or makes the database of a state directory. */
export function openDatabase(directory: string): Opened {
  const path = join(directory, databaseFile);
  let database: Database | undefined;
  try {
    makeDirectory(resolve(directory));
    if (!statSync(directory).isDirectory())
      return { ok: false, ...refusal("notADirectory", `${directory} is not a directory`) };
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    database = new Database(path, { timeout: busyTimeoutMs });
    chmodSync(path, 0o600);
    const refused = prepare(database, path);
    if (refused === undefined) return { ok: true, database: new StoreDatabase(database, path) };
    database.close();
    return { ok: false, ...refused };
  } catch (error) {
    database?.close();
    const refused = refusalOf(error, database === undefined ? directory : path);
    if (refused === undefined) throw error;
    if (refused.code !== "inUse") return { ok: false, ...refused };
    return { ok: false, ...refusal("inUse", `${path} is in use by another process`) };
  }
}

/** Unlike mkdirSync's own `recursive`, this ends where the kernel lets nobody make a directory, as in /proc. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(dirname(directory));
  mkdirSync(directory, { mode: 0o700 });
}

/** Checks that the file is ours and of our version before it is changed; makes the tables of a new one. */
function prepare(database: Database, path: string): StoreRefusal | undefined {
  database.pragma("locking_mode = EXCLUSIVE");
  const version = Number(database.pragma("user_version", { simple: true }));
  const application = database.pragma("application_id", { simple: true });
  const empty = database.prepare("SELECT count(*) AS n FROM sqlite_schema").get() as { readonly n: number };
  const fresh = version === 0 && application === 0 && empty.n === 0;
  if (!fresh && application !== applicationId) return refusal("notOurs", `${path} is a database of another program`);
  if (version > schemaVersion) {
    return refusal(
      "newerVersion",
      `${path} was written by a newer version (its format is ${version}, known is ${schemaVersion})`,
    );
  }
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  // Takes the file's exclusive lock now rather than with the first commit.
  database
    .transaction(() => {
      if (!fresh) return;
      database.exec(tables);
      database.pragma(`application_id = ${applicationId}`);
      database.pragma(`user_version = ${schemaVersion}`);
    })
    .immediate();
  const verdict = String(database.pragma("quick_check(1)", { simple: true }));
  return verdict === "ok" ? undefined : refusal("damaged", `${path} is damaged: ${verdict}`);
}

export class StoreDatabase {
  readonly #database: Database;
  readonly #path: string;

  constructor(database: Database, path: string) {
    this.#database = database;
    this.#path = path;
  }

  head(): Revision | undefined {
    const id = this.#headId();
    return id === undefined ? undefined : this.get(id);
  }

  append(revision: NewRevision): Appended {
    const id = revisionId(revision.parent, revision.text);
    const commit = this.#database.transaction((): Appended => {
      const head = this.#headId();
      if (head !== revision.parent) return { ok: false, reason: "conflict", head };
      this.#insert({ ...revision, id });
      this.#setHead(id);
      this.#compact();
      return { ok: true, revision: { ...revision, id } };
    });
    return commit.immediate();
  }

  keep(revision: Revision): void {
    if (revisionId(revision.parent, revision.text) !== revision.id) {
      throw new StoreError(refusal("damaged", `revision ${revision.id} does not hold what its id says`));
    }
    const keep = this.#database.transaction(() => {
      this.#insert(revision);
      this.#compact(revision.id);
    });
    keep.immediate();
  }

  moveHead(id: string): boolean {
    const move = this.#database.transaction(() => {
      if (this.#database.prepare(`SELECT 1 FROM revision WHERE id = ? AND ${WHOLE}`).get(id) === undefined)
        return false;
      this.#setHead(id);
      return true;
    });
    return move.immediate();
  }

  get(id: string): Revision | undefined {
    const row = this.#database
      .prepare(`SELECT ${summaryColumns}, document FROM revision WHERE id = ? AND ${WHOLE}`)
      .get(id);
    return row === undefined ? undefined : this.#read(row as DocumentRow);
  }

  history(limit: number): readonly RevisionSummary[] {
    const sql = `SELECT ${summaryColumns} FROM revision WHERE ${WHOLE} ORDER BY number DESC LIMIT ?`;
    return (this.#database.prepare(sql).all(Math.max(0, Math.floor(limit))) as RevisionRow[]).map(summary);
  }

  setting(key: string): string | undefined {
    const row = this.#database.prepare("SELECT value FROM setting WHERE key = ?").get(key);
    return (row as { readonly value: string } | undefined)?.value;
  }

  putSetting(key: string, value: string | undefined): void {
    if (value === undefined) this.#database.prepare("DELETE FROM setting WHERE key = ?").run(key);
    else this.#database.prepare("INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)").run(key, value);
  }

  close(): void {
    this.#database.close();
  }

  /** The refusal behind an error that one of the calls above threw; undefined when it is our own fault. */
  refusalOf(error: unknown): StoreRefusal | undefined {
    if (error instanceof StoreError) return { code: error.code, what: error.message, mend: error.mend };
    return refusalOf(error, this.#path);
  }

  #headId(): string | undefined {
    return (this.#database.prepare("SELECT id FROM head").get() as { readonly id: string } | undefined)?.id;
  }

  #setHead(id: string): void {
    this.#database.prepare("INSERT OR REPLACE INTO head (one, id) VALUES (1, ?)").run(id);
  }

  /** Drops old documents, and the oldest revisions altogether; never the head, what it was made from, and `also`. */
  #compact(also?: string): void {
    const head = this.#headId();
    const parent = this.#database.prepare("SELECT parent FROM revision WHERE id = ?").get(head);
    const spared = [head, (parent as { readonly parent: string | null } | undefined)?.parent, also];
    const sizes = "SELECT number, id, octet_length(document) AS bytes FROM revision ORDER BY number DESC";
    const { documents, revisions } = tooOld(this.#database.prepare(sizes).all() as SizeRow[], new Set(spared));
    for (const number of documents)
      this.#database.prepare("UPDATE revision SET document = '' WHERE number = ?").run(number);
    for (const number of revisions) this.#database.prepare("DELETE FROM revision WHERE number = ?").run(number);
  }

  /** A revision that is there already is the same one, its document dropped at most: its id is the hash of its content. */
  #insert({ id, parent, author, comment, time, text }: Revision): void {
    this.#database
      .prepare(
        `INSERT INTO revision (${summaryColumns}, document) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET document = excluded.document WHERE octet_length(revision.document) = 0`,
      )
      .run(id, parent ?? null, author, comment, time, text);
  }

  #read(row: DocumentRow): Revision {
    if (revisionId(row.parent ?? undefined, row.document) !== row.id) {
      throw new StoreError(refusal("damaged", `${this.#path}: revision ${row.id} does not hold what its id says`));
    }
    return { ...summary(row), text: row.document };
  }
}

function summary({ id, parent, author, comment, time }: RevisionRow): RevisionSummary {
  return { id, parent: parent ?? undefined, author, comment, time };
}
