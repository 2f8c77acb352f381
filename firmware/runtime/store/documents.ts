/** The documents of stored revisions, by the revision's number. */
import type Database from "better-sqlite3";

export interface StoredBytes {
  readonly number: number;
  readonly bytes: number;
}

export class Documents {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  has(number: number): boolean {
    return this.#database.prepare("SELECT 1 FROM document WHERE number = ?").get(number) !== undefined;
  }

  get(number: number): string | undefined {
    const row = this.#database.prepare("SELECT body FROM document WHERE number = ?").get(number);
    return (row as { readonly body: string } | undefined)?.body;
  }

  /** One that is there already is the same. */
  put(number: number, text: string): void {
    this.#database
      .prepare("INSERT INTO document (number, body) VALUES (?, ?) ON CONFLICT DO NOTHING")
      .run(number, text);
  }

  drop(number: number): void {
    this.#database.prepare("DELETE FROM document WHERE number = ?").run(number);
  }

  /** What each takes on the disk. */
  sizes(): readonly StoredBytes[] {
    return this.#database.prepare("SELECT number, octet_length(body) AS bytes FROM document").all() as StoredBytes[];
  }
}
