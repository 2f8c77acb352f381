import { describe, expect, it } from "vitest";
import { expiryOf } from "./access.ts";
import { renderAudit, renderSessions, renderTokens, renderUsers, renderWeb } from "./render-access.ts";

const at = "2026-03-01T10:20:30.000Z";
const fingerprint = "0a".repeat(32);

describe("what is shown of who may use the web UI", () => {
  it("is where it is, how to know it, and the code while nobody has an account", () => {
    const certificate = { fingerprint, subject: "CN=edge-a", notAfter: at, selfSigned: true };
    const urls = ["https://10.1.0.2:8443/", "https://[fd00::2]:8443/"];
    const text = renderWeb({ urls, certificate, claimCode: "K7QM3-XRP0T", users: 0 });
    expect(text).toContain("web UI       https://10.1.0.2:8443/\n             https://[fd00::2]:8443/\n");
    expect(text).toContain(`SHA-256      ${"0A:".repeat(15)}0A\n             ${"0A:".repeat(15)}0A\n`);
    expect(text).toContain("claim code   K7QM3-XRP0T");
    for (const line of text.split("\n")) expect(line.length).toBeLessThan(80);
    const claimed = renderWeb({ urls: [], certificate: null, claimCode: null, users: 3 });
    expect(claimed).toBe("web UI       does not run; `futago run --web ADDR:PORT` starts it\nusers        3\n");
  });

  it("is in tables, and nothing is said where there is nothing", () => {
    const user = { name: "anna", role: "admin", createdAt: at, passwordChangedAt: at, lastSignInAt: null } as const;
    expect(renderUsers([user])).toMatch(
      /^USER {2}ROLE {3}SIGNED IN {2}PASSWORD SINCE\nanna {2}admin {2}never {6}2026-/,
    );
    const token = {
      id: "01",
      name: "ci",
      scopes: ["read", "operate"],
      createdBy: "anna",
      createdAt: at,
      expiresAt: null,
    } as const;
    expect(renderTokens([token])).toContain("01  ci     read,operate  anna  never");
    const session = { id: "02", user: "anna", from: "10.0.0.9", startedAt: at, lastSeenAt: at, own: false };
    expect(renderSessions([session])).toContain("02  anna  10.0.0.9  2026-");
    const entry = {
      at,
      box: "a",
      who: "",
      from: "10.0.0.9",
      what: "signIn",
      about: "\u001b[2J",
      outcome: "refused",
    } as const;
    expect(renderAudit([entry])).toContain("a    ?    10.0.0.9  signIn refused  \ufffd[2J");
    expect([renderUsers([]), renderTokens([]), renderSessions([]), renderAudit([])].join("")).not.toContain("ID");
  });
});

it.each([
  ["90d", "2026-05-30T10:20:30.000Z"],
  ["12h", "2026-03-01T22:20:30.000Z"],
  ["2w", "2026-03-15T10:20:30.000Z"],
  ["2027-01-31", "2027-01-31"],
  ["soon", "soon"],
])("a token for %s expires at %s", (written, expires) => expect(expiryOf(written, Date.parse(at))).toBe(expires));
