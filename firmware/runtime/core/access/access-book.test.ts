import { expect, it } from "vitest";
import type { AccessRecord, GoneRecord, UserRecord } from "../../../access/records.ts";
import { AccessBook } from "./access-book.ts";
import { RECORDS_TOLD_MAX } from "./record-shapes.ts";

const NOW = Date.UTC(2026, 2, 1);
const HOUR = 3_600_000;
const time = (millis: number) => new Date(millis).toISOString();

function open(disk = new Map<string, string>()): Promise<AccessBook> {
  return AccessBook.load({
    settings: {
      setting: (key) => Promise.resolve(disk.get(key)),
      putSetting: (key, value = "") => {
        disk.set(key, value);
        writes.push(key);
        return Promise.resolve();
      },
    },
    now: () => NOW,
    onPut: () => undefined,
    onChange: () => undefined,
    onTrouble: (error) => expect.fail(String(error)),
  });
}

const writes: string[] = [];
const ended = (box: string, n: number): GoneRecord => ({
  kind: "gone",
  of: "session",
  key: `${box}${n.toString(16)}`.padStart(64, "0"),
  version: 2,
  at: time(NOW + HOUR + n),
});
const many = (box: string) => Array.from({ length: 6_000 }, (_, n) => ended(box, n));
const bob: UserRecord = {
  kind: "user",
  name: "bob",
  version: 1,
  role: "viewer",
  hash: "hash",
  stamp: "00",
  createdAt: time(NOW),
  passwordChangedAt: time(NOW),
};

it("keeps so few ends of sessions, however many there were, that the other box hears all of it", async () => {
  const book = await open();
  await book.put(...many("a"));
  expect(book.all.length).toBeLessThan(RECORDS_TOLD_MAX / 2 + 1);
  expect(book.all).toContainEqual(ended("a", 5_999));
  book.merge([...many("b"), bob]);
  expect(book.user("bob")).toEqual(bob);
  expect(book.all.length).toBeLessThan(RECORDS_TOLD_MAX);
});

it("forgets no end of a user for those of sessions", async () => {
  const book = await open();
  const gone: AccessRecord = { kind: "gone", of: "user", key: "carl", version: 2, at: time(NOW) };
  await book.put(gone);
  await book.put(...many("a"));
  expect(book.all).toContainEqual(gone);
});

it("writes what came in the meantime at once, and all of it", async () => {
  const disk = new Map<string, string>();
  const book = await open(disk);
  writes.length = 0;
  await Promise.all(Array.from({ length: 50 }, (_, n) => book.put(ended("a", n))));
  await book.saved();
  expect(writes).toEqual(["accessSessions"]);
  expect((await open(disk)).all).toHaveLength(50);
});
