/** Why the store cannot be opened or written, as something a person can act on. */
import { SqliteError } from "better-sqlite3";

export type StoreRefusalCode =
  | "notADirectory"
  | "noPermission"
  | "readOnly"
  | "diskFull"
  | "inUse"
  | "newerVersion"
  | "notOurs"
  | "damaged"
  | "failed";

export interface StoreRefusal {
  readonly code: StoreRefusalCode;
  /** What is wrong and where, as a sentence without full stop. */
  readonly what: string;
  /** How to mend it, as a sentence without full stop. */
  readonly mend: string;
}

/** The disk or the database refused; what was committed before stays. */
export class StoreError extends Error {
  readonly code: StoreRefusalCode;
  readonly mend: string;

  constructor({ code, what, mend }: StoreRefusal, options?: ErrorOptions) {
    super(what, options);
    this.name = "StoreError";
    this.code = code;
    this.mend = mend;
  }
}

const mends: Readonly<Record<StoreRefusalCode, string>> = {
  notADirectory: "name a directory, or a path where one can be made",
  noPermission: "run as root, or give this user the directory",
  readOnly: "mount the file system writable, or name another directory",
  diskFull: "free some space on that file system",
  inUse: "stop the other process, or name another directory",
  newerVersion: "run the newer version, or restore a backup that this version wrote",
  notOurs: "name another directory; nothing was changed in this one",
  damaged: "look at the disk; a box that starts again goes on with what can still be read",
  failed: "look at the kernel's log for trouble with the disk",
};

export function refusal(code: StoreRefusalCode, what: string): StoreRefusal {
  return { code, what, mend: mends[code] };
}

/** The refusal behind an error of the file system or of SQLite at `path`; undefined when the error is our own fault. */
export function refusalOf(error: unknown, path: string): StoreRefusal | undefined {
  if (error instanceof StoreError) return { code: error.code, what: error.message, mend: error.mend };
  if (!(error instanceof Error)) return undefined;
  const reason = error instanceof SqliteError ? error.code : (error as NodeJS.ErrnoException).code;
  if (reason === undefined) return undefined;
  const code = error instanceof SqliteError ? fromSqlite(reason) : fromErrno(reason);
  return code === undefined ? undefined : refusal(code, `${path}: ${error.message} (${reason})`);
}

function fromErrno(errno: string): StoreRefusalCode | undefined {
  switch (errno) {
    case "ENOTDIR":
    case "EEXIST":
    case "ENAMETOOLONG":
    case "ELOOP":
    case "ENOENT":
      return "notADirectory";
    case "EACCES":
    case "EPERM":
      return "noPermission";
    case "EROFS":
      return "readOnly";
    case "ENOSPC":
    case "EDQUOT":
      return "diskFull";
    case "EIO":
    case "EISDIR":
    case "EMFILE":
    case "ENFILE":
      return "failed";
  }
  return undefined;
}

/** Extended codes such as SQLITE_IOERR_WRITE share the beginning of their kind (sqlite.org/rescode.html). */
function fromSqlite(code: string): StoreRefusalCode | undefined {
  const kinds: readonly (readonly [string, StoreRefusalCode])[] = [
    ["SQLITE_BUSY", "inUse"],
    ["SQLITE_LOCKED", "inUse"],
    ["SQLITE_NOTADB", "notOurs"],
    ["SQLITE_CORRUPT", "damaged"],
    ["SQLITE_READONLY", "readOnly"],
    ["SQLITE_PERM", "noPermission"],
    ["SQLITE_CANTOPEN", "noPermission"],
    ["SQLITE_FULL", "diskFull"],
    ["SQLITE_IOERR", "failed"],
  ];
  return kinds.find(([kind]) => code.startsWith(kind))?.[1];
}
