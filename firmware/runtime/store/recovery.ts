/**
 * Opens a state directory whatever a disk did to it: what is damaged is moved aside, never deleted, and the box goes on
 * with the newest revision that can still be read, be it from the copy beside the database or from before the damage.
 */
import { existsSync, linkSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { syncDirectory } from "../files.ts";
import { COPY_FILE, DATABASE_FILE } from "../state-files.ts";
import type { Copy } from "./copy.ts";
import { readCopy } from "./copy-file.ts";
import type { StoreDatabase } from "./database.ts";
import { formerPath, openDatabase } from "./opening.ts";
import { refusal, refusalOf, StoreError, type StoreRefusal } from "./refusal.ts";
import { schemaVersion } from "./tables.ts";

export type Recovered =
  | {
      readonly ok: true;
      readonly database: StoreDatabase;
      /** What was lost or mended, as a sentence without full stop; undefined when all was well. */
      readonly recovered: string | undefined;
    }
  | ({ readonly ok: false } & StoreRefusal);

/** Damaged files of one kind that are kept for a person to look at. */
const ASIDE_MAX = 3;
const nothingLeft = "this box has no configuration until its peer or somebody gives it one";

export function openRecovering(directory: string): Recovered {
  const wasThere = existsSync(join(directory, DATABASE_FILE));
  const opened = openMended(directory, `${DATABASE_FILE} was ${wasThere ? "empty" : "missing"}`, false);
  // Beside a copy of ours even a file without the marks of a database was ours.
  if (!opened.ok && opened.code === "newerVersion") return openFormer(directory, opened);
  const isOurs = existsSync(join(directory, COPY_FILE));
  if (opened.ok || !(opened.code === "damaged" || (opened.code === "notOurs" && isOurs))) return opened;
  try {
    // SQLite mostly clears its journal away; one left behind would be taken for the new database's.
    const aside = moveAside(directory, DATABASE_FILE, ["-wal", "-shm"]);
    return openMended(directory, `${opened.what}; it is ${aside} now`, true);
  } catch (error) {
    const refused = refusalOf(error, directory);
    if (refused === undefined) throw error;
    return { ok: false, ...refused };
  }
}

/**
 * A box that went back to a former version goes on with the database that was kept before the newer one changed it, and with
 * the newest revision that the copy tells. What the newer version wrote stays beside it.
 */
function openFormer(directory: string, refused: { readonly ok: false } & StoreRefusal): Recovered {
  const path = join(directory, DATABASE_FILE);
  const former = formerPath(path, schemaVersion);
  if (!existsSync(former)) return refused;
  const newer = `${path}.newer`;
  try {
    rmSync(newer, { force: true });
    // There is a database under its name at every moment.
    linkSync(path, newer);
    for (const suffix of ["-wal", "-shm"]) if (existsSync(path + suffix)) renameSync(path + suffix, newer + suffix);
    renameSync(former, path);
    syncDirectory(directory);
  } catch (error) {
    const failed = refusalOf(error, directory);
    if (failed === undefined) throw error;
    return { ok: false, ...failed };
  }
  const opened = openMended(directory, `${DATABASE_FILE} was empty`, false);
  if (!opened.ok) return opened;
  const what = `${refused.what}, and this version goes on with what it had itself`;
  return { ...opened, recovered: opened.recovered === undefined ? what : `${what}; ${opened.recovered}` };
}

/** `what` is why the database may hold nothing though the box is not new; `isSure` when that is known without a copy. */
function openMended(directory: string, what: string, isSure: boolean): Recovered {
  const opened = openDatabase(directory);
  if (!opened.ok) return opened;
  const { database } = opened;
  try {
    const [head] = database.lineage(1);
    const recovered =
      head === undefined ? filled(directory, database, what, isSure) : mended(database, head.id, readCopy(directory));
    return { ok: true, database, recovered };
  } catch (error) {
    const refused = database.refusalOf(error) ?? refusalOf(error, directory);
    database.close();
    if (refused === undefined) throw error;
    return { ok: false, ...refused };
  }
}

/** Puts the copy into a database that holds no revision. */
function filled(directory: string, database: StoreDatabase, what: string, isSure: boolean): string | undefined {
  if (!existsSync(join(directory, COPY_FILE)))
    return isSure ? `${what}; there is no copy, and ${nothingLeft}` : undefined;
  const copy = readCopy(directory);
  if (copy === undefined) {
    return `${what}; its copy was damaged too and is ${moveAside(directory, COPY_FILE)} now: ${nothingLeft}`;
  }
  adopt(database, copy);
  return `${what}; ${inForce(copy.head.id)} from the copy, older ones are gone`;
}

/** Sees that the head can be read, and that the copy knows of none after it. */
function mended(database: StoreDatabase, head: string, copy: Copy | undefined): string | undefined {
  if (copy?.lineage.some(({ id }) => id === head) === true && database.kinship(copy.head.id) === "unknown") {
    adopt(database, copy);
    return `${DATABASE_FILE} had lost what came after revision ${short(head)}; ${inForce(copy.head.id)} from the copy`;
  }
  if (isReadable(database, head)) return undefined;
  const what = `revision ${short(head)} was damaged in ${DATABASE_FILE}`;
  for (const { id } of database.lineage(Infinity)) {
    const isCopied = copy?.head.id === id;
    if (isCopied) database.keep(copy.head);
    else if (!isReadable(database, id)) continue;
    if (id === head) return `${what}; it was mended from the copy`;
    database.fallBack(id);
    return `${what}; ${inForce(id)}, which it was made from`;
  }
  throw new StoreError(refusal("damaged", `${what}, and so is all that it was made from`));
}

function adopt(database: StoreDatabase, { head, lineage, settings }: Copy): void {
  database.adopt(lineage, head);
  for (const [key, value] of Object.entries(settings)) database.putSetting(key, value);
}

function isReadable(database: StoreDatabase, id: string): boolean {
  try {
    return database.get(id) !== undefined;
  } catch (error) {
    if (database.refusalOf(error)?.code !== "damaged") throw error;
    return false;
  }
}

/** Gives a file, and what belongs to it, a name that says what it is; gives that name. The oldest such go. */
function moveAside(directory: string, file: string, endings: readonly string[] = []): string {
  const before = `${file}.damaged-`;
  const others = readdirSync(directory).filter((name) => name.startsWith(before));
  const numbers = others.map((name) => Number.parseInt(name.slice(before.length), 10));
  const number = Math.max(0, ...numbers) + 1;
  for (const [i, name] of others.entries())
    if ((numbers[i] ?? 0) <= number - ASIDE_MAX) rmSync(join(directory, name), { force: true });
  const aside = `${before}${number}`;
  for (const ending of ["", ...endings]) {
    const from = join(directory, `${file}${ending}`);
    if (existsSync(from)) renameSync(from, join(directory, `${aside}${ending}`));
  }
  return aside;
}

const short = (id: string): string => id.slice(0, 12);
const inForce = (id: string): string => `revision ${short(id)} is in force`;
