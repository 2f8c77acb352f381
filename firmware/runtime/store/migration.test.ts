/** A database of an earlier format becomes one of today's, whole or not at all. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { revisionId } from "./revision.ts";
import { Store } from "./store.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-migration-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const [oldest, newest] = ['{"interfaces":[]}', '{"interfaces":[],"routes":[]}'];
const first = revisionId(undefined, oldest);
const second = revisionId(first, newest);

/** Format 1, as its version wrote it: the document in the row, "" where it was dropped. */
function writeFormat1(): void {
  const database = new Database(join(directory, "futago.db"));
  database.pragma("journal_mode = WAL");
  database.exec(`
    CREATE TABLE revision (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT, author TEXT NOT NULL,
      comment TEXT NOT NULL, time TEXT NOT NULL, document TEXT NOT NULL) STRICT;
    CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL REFERENCES revision (id)) STRICT;
    CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO setting VALUES ('maintenance', 'on');
    PRAGMA application_id = 1179997255;
    PRAGMA user_version = 1;`);
  const put = database.prepare(
    "INSERT INTO revision VALUES (?, ?, ?, 'alice', 'by hand', '2026-01-02T03:04:05.678Z', ?)",
  );
  put.run(1, first, null, "");
  put.run(2, second, first, newest);
  database.prepare("INSERT INTO head VALUES (1, ?)").run(second);
  database.close();
}

it("keeps revisions, the head and settings of format 1", async () => {
  writeFormat1();
  for (const time of ["migrated", "opened again"]) {
    const opened = await Store.open(directory);
    if (!opened.ok) throw new Error(opened.what);
    const { store } = opened;
    expect(await store.head(), time).toEqual({
      id: second,
      parent: first,
      author: "alice",
      comment: "by hand",
      time: "2026-01-02T03:04:05.678Z",
      text: newest,
    });
    expect((await store.history(5)).map(({ id, age, whole }) => [id, age, whole])).toEqual([
      [second, 0, true],
      [first, 1, false],
    ]);
    expect(await store.setting("maintenance")).toBe("on");
    await store.close();
  }
});

it("leaves format 1 as it was when it cannot be finished", async () => {
  writeFormat1();
  const path = join(directory, "futago.db");
  const block = new Database(path);
  // In the way of a column that format 2 adds, after the documents were moved.
  block.exec("ALTER TABLE revision ADD COLUMN confirmed_by TEXT");
  block.close();
  await expect(Store.open(directory)).rejects.toThrow("duplicate column");
  const after = new Database(path);
  expect(after.pragma("user_version", { simple: true })).toBe(1);
  expect(after.prepare("SELECT document FROM revision WHERE id = ?").get(second)).toEqual({ document: newest });
  after.close();
});

it("keeps format 1 beside it, for the version that a box may have to go back to", async () => {
  writeFormat1();
  const opened = await Store.open(directory);
  if (!opened.ok) throw new Error(opened.what);
  await opened.store.close();
  const kept = new Database(join(directory, "futago.db.format-1"));
  expect(kept.pragma("user_version", { simple: true })).toBe(1);
  expect(kept.pragma("application_id", { simple: true })).toBe(1_179_997_255);
  expect(kept.prepare("SELECT document FROM revision WHERE id = ?").get(second)).toEqual({ document: newest });
  kept.close();
});

describe("a box that went back to a former version", () => {
  /** As a newer version leaves it: ours kept, and the database of format 3 with a setting of its own. */
  async function leave(): Promise<string> {
    const opened = await Store.open(directory);
    if (!opened.ok) throw new Error(opened.what);
    const entry = { parent: undefined, author: "alice", comment: "", text: newest, time: "2026-01-02T03:04:05.678Z" };
    const appended = await opened.store.append(entry);
    await opened.store.close();
    if (!appended.ok) throw new Error("conflict");
    const path = join(directory, "futago.db");
    copyFileSync(path, `${path}.format-2`);
    const newer = new Database(path);
    newer.exec("INSERT INTO setting VALUES ('news', 'x')");
    newer.pragma("user_version = 3");
    newer.close();
    return appended.revision.id;
  }

  it("goes on with what it had, and says so; what the newer one wrote stays", async () => {
    const id = await leave();
    const opened = await Store.open(directory);
    if (!opened.ok) throw new Error(opened.what);
    expect(opened.recovered).toContain(
      "was written by a newer version (its format is 3, known is 2), and this version",
    );
    expect((await opened.store.head())?.id).toBe(id);
    expect(await opened.store.setting("news")).toBeUndefined();
    await opened.store.close();
    const newer = new Database(join(directory, "futago.db.newer"));
    expect(newer.prepare("SELECT value FROM setting WHERE key = 'news'").get()).toEqual({ value: "x" });
    newer.close();
  });

  it("starts as ever the next time", async () => {
    await leave();
    for (const recovered of [expect.any(String), undefined]) {
      const opened = await Store.open(directory);
      if (!opened.ok) throw new Error(opened.what);
      expect(opened.recovered).toEqual(recovered);
      await opened.store.close();
    }
  });
});
