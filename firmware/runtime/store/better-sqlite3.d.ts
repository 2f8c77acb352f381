/** The part of better-sqlite3 that the store uses; the package carries no types of its own. */
declare module "better-sqlite3" {
  interface Statement {
    run(...values: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
    get(...values: readonly unknown[]): unknown;
    all(...values: readonly unknown[]): unknown[];
    /** Rows are lists of values from now on. */
    raw(): this;
  }

  class Database {
    constructor(path: string, options?: { readonly timeout?: number; readonly fileMustExist?: boolean });
    prepare(sql: string): Statement;
    exec(sql: string): this;
    pragma(source: string, options?: { readonly simple?: boolean }): unknown;
    transaction<Result>(body: () => Result): { (): Result; readonly immediate: () => Result };
    close(): this;
  }

  namespace Database {
    class SqliteError extends Error {
      readonly code: string;
    }
  }

  export = Database;
}
