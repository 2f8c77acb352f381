import { describe, expect, it } from "vitest";
import { makeClaimCode, readClaimCode } from "./claim-code.ts";
import type { SessionRecord } from "./records.ts";
import { isName, passwordRefusal } from "./rules.ts";
import { SCOPES_OF, WEB_ROLES } from "./scopes.ts";
import { isSessionGood, isTokenGood, sessionEnd, SESSIONS_MAX, sessionsInTheWay } from "./sessions.ts";

describe("a name", () => {
  it.each(["a", "anna", "anna.k", "0-9_x", "a".repeat(32)])("may be %s", (name) => expect(isName(name)).toBe(true));
  it.each([
    "",
    "Anna",
    "-a",
    ".a",
    "a b",
    "a@b",
    "ünal",
    "a\n",
    "a\u0000",
    "a".repeat(33),
    7,
    null,
    ["anna"],
    "$(reboot)",
  ])("may not be %j", (name) => expect(isName(name)).toBe(false));
});

describe("a password", () => {
  it.each([
    ["ten charac", undefined],
    ["nine char", "passwordTooShort"],
    ["漢字漢字漢字漢字漢字", undefined],
    ["漢字漢字漢字漢字漢", "passwordTooShort"],
    ["👩👩👩👩👩", "passwordTooShort"],
    ["x".repeat(256), undefined],
    ["x".repeat(257), "passwordTooLong"],
    ["x".repeat(100_000), "passwordTooLong"],
    ["Anna-Of-Tokyo", "passwordIsName"],
  ])("%j: %s", (password, refusal) => expect(passwordRefusal(password, "anna-of-tokyo")).toBe(refusal));
});

describe("the code that claims a box", () => {
  it("has ten signs in two halves, of random bytes", () => {
    expect(makeClaimCode(Uint8Array.from([0, 1, 2, 3, 4, 31, 30, 29, 28, 63]))).toBe("01234-ZYXWZ");
  });

  it.each([
    ["01234-ZYXWZ", "01234-ZYXWZ"],
    ["o1234 zyxwz", "01234-ZYXWZ"],
    [" oI2-34z-yxwz ", "01234-ZYXWZ"],
    ["01234-ZYXW", undefined],
    ["01234-ZYXWU", undefined],
    ["0".repeat(1_000), undefined],
    ["", undefined],
  ])("%j is read as %s", (typed, code) => expect(readClaimCode(typed)).toBe(code));
});

describe("a role", () => {
  it("has all that the ones before it have", () => {
    for (const [i, role] of WEB_ROLES.entries()) {
      for (const before of WEB_ROLES.slice(0, i))
        expect(SCOPES_OF[role]).toEqual(expect.arrayContaining([...SCOPES_OF[before]]));
    }
  });
});

const HOUR = 3_600_000;
const begun = Date.parse("2026-03-01T00:00:00.000Z");
const time = (millis: number) => new Date(millis).toISOString();
const session = (startedAt: number, lastSeenAt: number): SessionRecord => ({
  kind: "session",
  id: `${startedAt} ${lastSeenAt}`,
  version: 1,
  user: "anna",
  stamp: "00",
  proof: "proof",
  from: "10.0.0.1",
  startedAt: time(startedAt),
  lastSeenAt: time(lastSeenAt),
  tickets: [],
});

describe("a session", () => {
  it.each<[string, SessionRecord, number, boolean]>([
    ["just begun", session(begun, begun), begun, true],
    ["idle for less than twelve hours", session(begun, begun), begun + 12 * HOUR - 1, true],
    ["idle for twelve hours", session(begun, begun), begun + 12 * HOUR, false],
    ["used, and not seven days old", session(begun, begun + 167 * HOUR), begun + 168 * HOUR - 1, true],
    ["used, and seven days old", session(begun, begun + 167 * HOUR), begun + 168 * HOUR, false],
    ["begun by a clock that was ahead by half an hour", session(begun, begun), begun - HOUR / 2, true],
    ["begun by a clock that was ahead by years", session(begun, begun), 0, false],
  ])("%s", (_, one, now, good) => expect(isSessionGood(one, now)).toBe(good));

  it("ends by what comes first", () => {
    expect(sessionEnd(session(begun, begun))).toBe(begun + 12 * HOUR);
    expect(sessionEnd(session(begun, begun + 160 * HOUR))).toBe(begun + 168 * HOUR);
  });

  it("makes room for another when there are too many, the longest unused first", () => {
    const all = Array.from({ length: SESSIONS_MAX }, (_, i) => session(begun, begun + ((i * 7) % SESSIONS_MAX)));
    expect(sessionsInTheWay(all.slice(1))).toEqual([]);
    expect(sessionsInTheWay(all).map(({ lastSeenAt }) => lastSeenAt)).toEqual([time(begun)]);
  });
});

it("a token is good until its time, or for ever", () => {
  const token = {
    kind: "token",
    id: "t",
    version: 1,
    name: "ci",
    scopes: [],
    hash: "",
    createdBy: "",
    createdAt: "",
  } as const;
  expect(isTokenGood({ ...token, expiresAt: null }, begun)).toBe(true);
  expect(isTokenGood({ ...token, expiresAt: time(begun) }, begun - 1)).toBe(true);
  expect(isTokenGood({ ...token, expiresAt: time(begun) }, begun)).toBe(false);
});
