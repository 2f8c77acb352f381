import { expect, test } from "vitest";
import { handedIn, isWell, onward, otherOrigins, patienceMillis, resumeUrl } from "./resume.ts";
import { box, pair, port } from "./shown.test-support.ts";

const silence = { silentMillis: 10_000, ownAnswers: false, othersAnswer: ["https://10.1.0.3"], ticket: "t" };

test.each([
  [{ ...silence, ownAnswers: true }, { kind: "stay" }],
  [{ ...silence, othersAnswer: [] }, { kind: "wait" }],
  [{ ...silence, silentMillis: patienceMillis - 1 }, { kind: "wait" }],
  [silence, { kind: "go", origin: "https://10.1.0.3", ticket: "t" }],
] as const)("%o leads to %o", (given, expected) => {
  expect(onward(given)).toEqual(expected);
});

test("virtual addresses are tried first, then the other box, then the own by other addresses", () => {
  const shown = pair(
    box("a", [port({ virtualAddresses: ["10.1.0.1/24", "fe80::1/64", "2001:db8::1/64"] })], {
      urls: ["https://10.1.0.2:8443", "https://10.2.0.2:8443"],
    }),
    box("b", [port()], { urls: ["https://10.1.0.3:8443", "not a url"] }),
  );
  expect(otherOrigins(shown, "https://10.1.0.2:8443")).toEqual([
    "https://10.1.0.1:8443",
    "https://[2001:db8::1]:8443",
    "https://10.1.0.3:8443",
    "https://10.2.0.2:8443",
  ]);
});

test("a virtual address is asked at the boxes' port, whatever port of a way in between the page came by", () => {
  const shown = pair(
    box("a", [port({ virtualAddresses: ["10.1.0.1/24"] })], { urls: ["https://10.1.0.2:8443"] }),
    box("b", [port()], { urls: [] }),
  );
  expect(otherOrigins(shown, "https://127.0.0.1:45663")).toEqual(["https://10.1.0.1:8443", "https://10.1.0.2:8443"]);
  const bare = pair(
    box("a", [port({ virtualAddresses: ["10.1.0.1/24"] })], { urls: [] }),
    box("b", [port()], { urls: [] }),
  );
  expect(otherOrigins(bare, "https://10.1.0.2:444")).toEqual(["https://10.1.0.1:444"]);
});

test("a page goes on at a box that is well, and at nobody else who answers by its address", () => {
  expect(isWell({ ok: true, box: "b", role: "active" })).toBe(true);
  expect(isWell({ ok: false, box: "b", role: null })).toBe(false);
  for (const stranger of [null, "ok", 404, {}, { ok: true }, { ok: true, box: null }])
    expect(isWell(stranger)).toBe(false);
});

const REVISION = "0123456789abcdef".repeat(4);

test("ticket and revision go in the fragment and come back whole", () => {
  const url = resumeUrl("https://10.1.0.3", "/pair", { ticket: "a+/=b", revision: REVISION });
  expect(url).toBe(`https://10.1.0.3/pair#resume=a%2B%2F%3Db&revision=${REVISION}`);
  expect(handedIn(new URL(url).hash)).toEqual({ ticket: "a+/=b", revision: REVISION });
  expect(handedIn(new URL(resumeUrl("https://10.1.0.3", "/", { revision: REVISION })).hash)).toEqual({
    ticket: undefined,
    revision: REVISION,
  });
  expect(resumeUrl("https://10.1.0.3", "/", { revision: "" })).toBe("https://10.1.0.3/");
});

test("a fragment that somebody wrote hands over nothing but what may be a ticket or a revision", () => {
  for (const hash of ["", "#content", "#x=1&resume=a"]) expect(handedIn(hash)).toBeUndefined();
  expect(handedIn("#resume=%E0%A4%A&revision=../x")?.revision).toBeUndefined();
  expect(handedIn("#revision=12")).toEqual({ ticket: undefined, revision: undefined });
});
