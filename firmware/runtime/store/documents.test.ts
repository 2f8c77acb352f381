import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Documents } from "./documents.ts";
import { bringUpToDate } from "./tables.ts";

let database: Database;
let documents: Documents;

beforeEach(() => {
  database = new Database(":memory:");
  database.pragma("foreign_keys = ON");
  bringUpToDate(database, 0);
  documents = new Documents(database);
});
afterEach(() => database.close());

function put(number: number, document: string): void {
  database
    .prepare("INSERT INTO revision (number, id, author, comment, time) VALUES (?, ?, '', '', '')")
    .run(number, `r${number}`);
  documents.put(number, document);
}

/** Of `count` backends with addresses that compress badly; `weight` is of the one in the middle. */
function text(count: number, weight: number): string {
  const backends = Array.from({ length: count }, (_, i) => ({
    name: `s${i}`,
    address: `10.${(i * 7_919) % 251}.${(i * 104_729) % 241}.${(i * 31) % 239}`,
    port: 1_024 + ((i * 15_485_863) % 60_000),
    weight: i === count >> 1 ? weight : 1,
  }));
  return JSON.stringify({ pools: [{ name: "web", backends, note: "Übergänge 双子" }] });
}

describe("packed documents", () => {
  it("read as before, and a changed one takes a hundredth of the first", () => {
    for (let i = 1; i <= 5; i++) put(i, text(300, i));
    for (let i = 1; i <= 5; i++) expect(documents.pack(i, i - 1)).toBe(Buffer.byteLength(text(300, i)));
    for (let i = 1; i <= 5; i++) expect(documents.get(i)).toBe(text(300, i));
    const [first, ...others] = documents.list();
    expect(first).toMatchObject({ number: 1, base: null, packed: true });
    for (const other of others) {
      expect(other).toMatchObject({ base: 1, packed: true });
      expect(other.bytes).toBeLessThan((first?.bytes ?? 0) / 100);
    }
  });

  it("begin anew where they have little in common, and after sixty-four", () => {
    put(1, text(300, 1));
    put(2, JSON.stringify({ routes: [{ to: "default", via: "192.0.2.1" }] }));
    for (let i = 3; i <= 130; i++) put(i, text(30, i));
    for (let i = 1; i <= 130; i++) documents.pack(i, i - 1);
    const bases = documents.list().map((each) => each.base ?? each.number);
    expect([...new Set(bases)]).toEqual([1, 2, 3, 67]);
    for (let i = 3; i <= 130; i++) expect(documents.get(i)).toBe(text(30, i));
  });

  it("of six megabytes with one change take less than a kilobyte", () => {
    for (let i = 1; i <= 2; i++) put(i, text(90_000, i));
    for (let i = 1; i <= 2; i++) documents.pack(i, i - 1);
    expect(text(90_000, 2).length).toBeGreaterThan(6_000_000);
    expect(documents.get(2)).toBe(text(90_000, 2));
    expect(documents.list()[1]).toMatchObject({ base: 1, bytes: expect.toSatisfy((n: number) => n < 1_000) });
  });

  it("that are damaged serve none as base", () => {
    for (let i = 1; i <= 2; i++) put(i, text(300, i));
    documents.pack(1, undefined);
    database.prepare("UPDATE document SET body = zeroblob(50) WHERE number = 1").run();
    expect(() => documents.get(1)).toThrow("Unknown frame descriptor");
    documents.pack(2, 1);
    expect(documents.get(2)).toBe(text(300, 2));
  });

  it("are packed against none that is not packed itself, so that reading unpacks two at most", () => {
    for (let i = 1; i <= 2; i++) put(i, text(300, i));
    documents.pack(2, 1);
    expect(documents.list()).toMatchObject([
      { packed: false, base: null },
      { packed: true, base: null },
    ]);
  });

  it("that were mended are a base again", () => {
    for (let i = 1; i <= 3; i++) put(i, text(300, i));
    documents.pack(1, undefined);
    documents.pack(2, undefined);
    documents.pack(3, 2);
    expect(documents.list()[2]).toMatchObject({ number: 3, base: 2 });
    database.prepare("UPDATE document SET body = zeroblob(50) WHERE number = 2").run();
    documents.put(2, text(300, 2));
    documents.pack(2, 1);
    expect(documents.list()[1]).toMatchObject({ number: 2, base: null, packed: true });
    expect(documents.get(3)).toBe(text(300, 3));
  });

  it("that are damaged go with those that need them", () => {
    for (let i = 1; i <= 3; i++) put(i, text(300, i));
    for (let i = 1; i <= 2; i++) documents.pack(i, i - 1);
    documents.dropDamaged(1);
    expect(documents.list().map(({ number }) => number)).toEqual([3]);
  });

  it("are not taken from under those that need them", () => {
    for (let i = 1; i <= 2; i++) put(i, text(300, i));
    for (let i = 1; i <= 2; i++) documents.pack(i, i - 1);
    expect(() => documents.drop(1)).toThrow("FOREIGN KEY");
    database.transaction(() => [1, 2].map((number) => documents.drop(number)))();
    expect(documents.list()).toEqual([]);
  });
});
