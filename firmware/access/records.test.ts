import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AccessRecord,
  merge,
  news,
  recordKey,
  recordsOf,
  type SessionRecord,
  type UserRecord,
} from "./records.ts";

const AT = "2026-01-02T03:04:05.000Z";
const user = (name: string, version: number, stamp = "00"): UserRecord => ({
  kind: "user",
  name,
  version,
  role: "admin",
  hash: "hash",
  stamp,
  createdAt: AT,
  passwordChangedAt: AT,
});
const session = (id: string, version: number): SessionRecord => ({
  kind: "session",
  id,
  version,
  user: "anna",
  stamp: "00",
  proof: "proof",
  from: "10.0.0.1",
  startedAt: AT,
  lastSeenAt: AT,
  tickets: [],
});
const gone = (of: "user" | "session" | "token", key: string, version: number): AccessRecord => ({
  kind: "gone",
  of,
  key,
  version,
  at: AT,
});
const seen = (name: string, version: number, at: string): AccessRecord => ({
  kind: "seen",
  name,
  version,
  at,
  sources: [],
});

/** Few names and versions, so that they meet. */
const version = fc.integer({ min: 1, max: 3 });
const name = fc.constantFrom("anna", "bob");
const record: fc.Arbitrary<AccessRecord> = fc.oneof(
  fc.tuple(name, version, fc.constantFrom("00", "01")).map((all) => user(...all)),
  fc.tuple(name, version).map((all) => session(...all)),
  fc.tuple(fc.constantFrom("user", "session", "token"), name, version).map((all) => gone(...all)),
  fc.tuple(name, version, fc.constantFrom(AT, "2027-01-02T03:04:05.000Z")).map((all) => seen(...all)),
);
const records = fc.array(record, { maxLength: 8 }).map(recordsOf);
const shown = (all: ReturnType<typeof recordsOf>) => Object.fromEntries(all);

describe("what two boxes know", () => {
  it("is the same whoever tells whom first, how often, and by which way round", () => {
    fc.assert(
      fc.property(records, records, records, (a, b, c) => {
        expect(shown(merge(a, b))).toEqual(shown(merge(b, a)));
        expect(shown(merge(a, merge(b, c)))).toEqual(shown(merge(merge(a, b), c)));
        expect(shown(merge(a, a))).toEqual(shown(a));
        expect(shown(merge(merge(a, b), b))).toEqual(shown(merge(a, b)));
      }),
    );
  });

  it("loses nothing: of each thing the one has, the result has something that says as much", () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        const both = merge(a, b);
        expect([...both.keys()].toSorted()).toEqual([...new Set([...a.keys(), ...b.keys()])].toSorted());
        expect(news(both, a)).toEqual([]);
        expect(news(both, b)).toEqual([]);
      }),
    );
  });

  it("is news where it changes something, and nowhere else", () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        expect(shown(merge(a, recordsOf(news(a, b))))).toEqual(shown(merge(a, b)));
        const isOther = JSON.stringify(shown(merge(a, b))) !== JSON.stringify(shown(a));
        expect(news(a, b).length > 0).toBe(isOther);
      }),
    );
  });

  it.each<[string, AccessRecord, AccessRecord]>([
    ["a later version of a user", user("anna", 1), user("anna", 2)],
    ["the end of a user, of the same version", user("anna", 2), gone("user", "anna", 2)],
    ["a user that was made again", gone("user", "anna", 2), user("anna", 3)],
    ["the end of a session, whatever was written of it later", session("s", 9), gone("session", "s", 2)],
    ["the later end", gone("session", "s", 2), gone("session", "s", 3)],
    ["of two equal ones what both boxes choose", user("anna", 1, "00"), user("anna", 1, "01")],
  ])("takes %s", (_, loses, wins) => {
    for (const order of [
      [loses, wins],
      [wins, loses],
    ]) {
      expect([...recordsOf(order).values()]).toEqual([wins]);
    }
  });

  it("takes a record for the same in whatever order its fields came", () => {
    const turned = Object.fromEntries(Object.entries(user("anna", 1)).toReversed()) as unknown as AccessRecord;
    expect(news(recordsOf([user("anna", 1)]), recordsOf([turned]))).toEqual([]);
    expect(recordKey(turned)).toBe("user anna");
  });
});
