/** Whether a state directory can be used: finds or makes its database, and says why it cannot. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import Database from "better-sqlite3";
import { makeDirectory, syncDirectory } from "../files.ts";
import { DATABASE_FILE } from "../state-files.ts";
import { StoreDatabase } from "./database.ts";
import { refusal, refusalOf, type StoreRefusal } from "./refusal.ts";
import { applicationId, bringUpToDate, schemaVersion } from "./tables.ts";

const busyTimeoutMs = 500;

export type Opened = { readonly ok: true; readonly database: StoreDatabase } | ({ readonly ok: false } & StoreRefusal);

/** Opens or makes the database of a state directory. */
export function openDatabase(directory: string): Opened {
  const path = join(directory, DATABASE_FILE);
  let database: Database | undefined;
  try {
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === false)
      return { ok: false, ...refusal("notADirectory", `${directory} is not a directory`) };
    makeDirectory(resolve(directory));
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

/** Checks that the file is ours and of a format that is known before it is changed. */
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
  const verdict = String(database.pragma("quick_check(1)", { simple: true }));
  // The first line names the database.
  if (verdict !== "ok") return refusal("damaged", `${path} is damaged: ${verdict.split("\n").at(-1)}`);
  if (!fresh && version < schemaVersion) keepFormer(database, formerPath(path, version));
  bringUpToDate(database, version);
  return undefined;
}

/** Where the database was kept as a version wrote it, before a newer one changed its format. */
export function formerPath(path: string, version: number): string {
  return `${path}.format-${version}`;
}

/** For the version that wrote it, which a box may have to go back to. On the disk when it returns. */
function keepFormer(database: Database, path: string): void {
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  database.prepare("VACUUM INTO ?").run(fresh);
  const file = openSync(fresh, "r");
  fsyncSync(file);
  closeSync(file);
  chmodSync(fresh, 0o600);
  renameSync(fresh, path);
  syncDirectory(dirname(path));
}
