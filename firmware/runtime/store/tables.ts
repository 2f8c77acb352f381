/** The tables of the database, and how those of an earlier format become these. */
import type Database from "better-sqlite3";

/** "FUTG": marks the file as ours for file(1) and for us. */
export const applicationId = 0x46555447;
/** PRAGMA user_version of the tables below. */
export const schemaVersion = 2;

/** Documents lie apart, so that a list of ten thousand revisions does not walk over them. */
const documentTable = `
  CREATE TABLE document (
    number INTEGER PRIMARY KEY REFERENCES revision (number),
    base INTEGER REFERENCES document (number) DEFERRABLE INITIALLY DEFERRED,
    body ANY NOT NULL
  ) STRICT;
  CREATE INDEX document_base ON document (base) WHERE base IS NOT NULL;
`;

const tables = `
  CREATE TABLE revision (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    parent TEXT,
    author TEXT NOT NULL,
    comment TEXT NOT NULL,
    time TEXT NOT NULL,
    confirm_seconds INTEGER,
    confirmed_by TEXT
  ) STRICT;
  ${documentTable}
  CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL REFERENCES revision (id)) STRICT;
  CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Format 1 held the document in the revision's row, and an empty one when it was dropped. */
const fromFormat1 = `
  ${documentTable}
  INSERT INTO document (number, body) SELECT number, document FROM revision WHERE octet_length(document) > 0;
  ALTER TABLE revision DROP COLUMN document;
  ALTER TABLE revision ADD COLUMN confirm_seconds INTEGER;
  ALTER TABLE revision ADD COLUMN confirmed_by TEXT;
`;

/** Makes the tables of a database whose format is `version`, 0 being an empty file; in one transaction, or not at all. */
export function bringUpToDate(database: Database, version: number): void {
  database
    .transaction(() => {
      // Immediate, it takes the file's lock even where there is nothing to do.
      if (version === schemaVersion) return;
      database.exec(version === 0 ? tables : fromFormat1);
      database.pragma(`application_id = ${applicationId}`);
      database.pragma(`user_version = ${schemaVersion}`);
    })
    .immediate();
}
