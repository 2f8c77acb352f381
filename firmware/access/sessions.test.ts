import { describe, expect, it } from "vitest";
import type { SessionRecord } from "./records.ts";
import { SESSIONS_MAX, sessionsInTheWay } from "./sessions.ts";

const AT = Date.UTC(2026, 0, 2);
const session = (user: string, second: number): SessionRecord => ({
  kind: "session",
  id: `${user} ${second}`,
  version: 1,
  user,
  stamp: "00",
  proof: "proof",
  from: "10.0.0.1",
  startedAt: new Date(AT).toISOString(),
  lastSeenAt: new Date(AT + second * 1_000).toISOString(),
  tickets: [],
});
const many = (user: string, count: number, since = 0) =>
  Array.from({ length: count }, (_, i) => session(user, since + i));

describe("which sessions make room for one more", () => {
  it("none while there is room", () => expect(sessionsInTheWay(many("anna", SESSIONS_MAX - 1))).toEqual([]));

  it("the one that was not seen for longest", () => {
    const sessions = many("anna", SESSIONS_MAX).toReversed();
    expect(sessionsInTheWay(sessions).map(({ id }) => id)).toEqual(["anna 0"]);
  });

  it("those of whoever has the most, and nobody else's, however long these were away", () => {
    const sessions = [...many("anna", 2), ...many("vic", SESSIONS_MAX - 1, 100)];
    expect(sessionsInTheWay(sessions).map(({ id }) => id)).toEqual(["vic 100", "vic 101"]);
  });
});
