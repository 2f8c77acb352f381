/**
 * The documents of stored revisions, by the revision's number. An old one is packed: compressed against a document
 * near it, its base, from which it differs in little, so that ten thousand revisions take a few megabytes. A base is
 * packed by itself; so reading any document unpacks two at most.
 */
import { constants, zstdCompressSync, type ZstdOptions, zstdDecompressSync } from "node:zlib";
import { type default as Database, SqliteError } from "better-sqlite3";
import { documentBytesMax } from "../../config/limits.ts";

export interface StoredDocument {
  readonly number: number;
  /** Null for one that needs no other. */
  readonly base: number | null;
  readonly packed: boolean;
  /** On the disk. */
  readonly bytes: number;
}

interface BodyRow {
  readonly base: number | null;
  readonly body: string | Uint8Array;
}

/** Canonical text may be longer than what was given: names of characters in it take up to six bytes. */
const TEXT_BYTES_MAX = 6 * documentBytesMax;
/** Documents that one base serves; with it the last of them goes. */
const GROUP_MAX = 64;
/** Of zstd; every reader knows windows up to the largest. */
const WINDOW_LOG_MIN = 10;
const WINDOW_LOG_MAX = 27;

export class Documents {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  has(number: number): boolean {
    return this.#database.prepare("SELECT 1 FROM document WHERE number = ?").get(number) !== undefined;
  }

  /** Throws what zlib throws when the document cannot be unpacked. */
  get(number: number): string | undefined {
    return this.#bytes(number)?.toString("utf8");
  }

  /** One that is there already is the same, or damaged. */
  put(number: number, text: string): void {
    if (!this.has(number)) {
      this.#database.prepare("INSERT INTO document (number, body) VALUES (?, ?)").run(number, text);
    } else if (this.#readable(number)?.equals(Buffer.from(text, "utf8")) !== true) {
      this.#database.prepare("UPDATE document SET base = NULL, body = ? WHERE number = ?").run(text, number);
    }
  }

  /** Throws what SQLite throws, at the transaction's end, when one that stays was packed against it. */
  drop(number: number): void {
    this.#database.prepare("DELETE FROM document WHERE number = ?").run(number);
  }

  /** Drops a document that cannot be read, and with it those packed against it, which cannot be read either. */
  dropDamaged(number: number): void {
    this.#database.prepare("DELETE FROM document WHERE number = ? OR base = ?").run(number, number);
  }

  list(): readonly StoredDocument[] {
    const sql = "SELECT number, base, octet_length(body), typeof(body) = 'blob' FROM document";
    const rows = this.#database.prepare(sql).raw().all() as [number, number | null, number, 0 | 1][];
    return rows.map(([number, base, bytes, packed]) => ({ number, base, bytes, packed: packed === 1 }));
  }

  /** Packs a document, where that helps against what `after` is packed against; gives the bytes that it had. */
  pack(number: number, after: number | undefined): number {
    const text = this.#bytes(number);
    if (text === undefined) return 0;
    // One that others need, having been mended, is a base again.
    const near = after === undefined || this.#members(number) > 1 ? undefined : this.#base(after);
    const base = near === undefined || this.#members(near) >= GROUP_MAX ? undefined : this.#readable(near);
    const alone = compress(text);
    const against = base === undefined ? undefined : compress(text, base);
    const helps = against !== undefined && 2 * against.length < alone.length;
    this.#database
      .prepare("UPDATE document SET base = ?, body = ? WHERE number = ?")
      .run(helps ? near : null, helps ? against : alone, number);
    return text.length;
  }

  /** What a packed document is packed against: itself, where it is a base. */
  #base(number: number): number | undefined {
    const sql = "SELECT coalesce(base, number) AS base FROM document WHERE number = ? AND typeof(body) = 'blob'";
    return (this.#database.prepare(sql).get(number) as { readonly base: number } | undefined)?.base;
  }

  #members(base: number): number {
    const { n } = this.#database.prepare("SELECT count(*) AS n FROM document WHERE base = ?").get(base) as {
      readonly n: number;
    };
    return n + 1;
  }

  /** Undefined for one that cannot be unpacked: it is told of when somebody asks for it, and serves nobody as base. */
  #readable(number: number): Buffer | undefined {
    try {
      return this.#bytes(number);
    } catch (error) {
      if (error instanceof SqliteError) throw error;
      return undefined;
    }
  }

  #bytes(number: number): Buffer | undefined {
    const row = this.#database.prepare("SELECT base, body FROM document WHERE number = ?").get(number);
    if (row === undefined) return undefined;
    const { base, body } = row as BodyRow;
    if (typeof body === "string") return Buffer.from(body, "utf8");
    const dictionary = base === null ? undefined : this.#bytes(base);
    return zstdDecompressSync(body, { maxOutputLength: TEXT_BYTES_MAX, ...(dictionary && { dictionary }) });
  }
}

/**
 * The fastest level, with a window that reaches over both documents and a table that has a place for each byte of
 * them: with zstd's own smaller table a change in six megabytes takes 850 KB instead of 560 bytes.
 */
function compress(text: Buffer, dictionary?: Buffer): Buffer {
  const reach = Math.ceil(Math.log2(text.length + (dictionary?.length ?? 0) + 1));
  const windowLog = Math.min(WINDOW_LOG_MAX, Math.max(WINDOW_LOG_MIN, reach));
  const params: ZstdOptions["params"] = {
    [constants.ZSTD_c_compressionLevel]: 1,
    [constants.ZSTD_c_windowLog]: windowLog,
    ...(dictionary && { [constants.ZSTD_c_hashLog]: windowLog - 1 }),
  };
  return zstdCompressSync(text, { params, ...(dictionary && { dictionary }) });
}
