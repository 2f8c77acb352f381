/** Who may use the web UI and the API, for people. Pure. */
import type { AuditEntry, SessionShown, TokenShown, UserShown, WebAccess } from "../runtime/control-access.ts";
import { when } from "./render-status.ts";
import { table } from "./table.ts";

const NOT_THERE = "does not run; `futago run --web ADDR:PORT` starts it";
const PAIRS_A_LINE = 16;

export function renderWeb({ urls, certificate, claimCode, users }: WebAccess): string {
  const rows: (readonly [title: string, lines: readonly string[]])[] = [
    ["web UI", urls.length === 0 ? [NOT_THERE] : urls],
  ];
  if (certificate !== null) {
    const { fingerprint, notAfter, selfSigned } = certificate;
    const by = selfSigned ? "signed by the box itself" : "brought by its owner";
    rows.push(["certificate", [`${by}, good until ${when(notAfter)}`]], ["SHA-256", pairs(fingerprint)]);
  }
  if (claimCode === null) rows.push(["users", [`${users}`]]);
  else rows.push(["claim code", [`${claimCode}  makes the first user, in the web UI`]]);
  return rows.map(([title, lines]) => `${title.padEnd(13)}${lines.join(`\n${" ".repeat(13)}`)}\n`).join("");
}

/** As browsers show it. */
function pairs(fingerprint: string): readonly string[] {
  const all = fingerprint.toUpperCase().match(/../g) ?? [];
  return [all.slice(0, PAIRS_A_LINE).join(":"), all.slice(PAIRS_A_LINE).join(":")];
}

export function renderUsers(users: readonly UserShown[]): string {
  if (users.length === 0) return "Nobody. `futago web` shows the code that claims the box.\n";
  const rows = users.map(({ name, role, lastSignInAt, passwordChangedAt }) => [
    name,
    role,
    lastSignInAt === null ? "never" : when(lastSignInAt),
    when(passwordChangedAt),
  ]);
  return `${table(["USER", "ROLE", "SIGNED IN", "PASSWORD SINCE"], rows)}\n`;
}

export function renderTokens(tokens: readonly TokenShown[]): string {
  if (tokens.length === 0) return "There is none.\n";
  const rows = tokens.map(({ id, name, scopes, createdBy, expiresAt }) => [
    id,
    name,
    scopes.join(","),
    createdBy,
    expiresAt === null ? "never" : when(expiresAt),
  ]);
  return `${table(["ID", "TOKEN", "SCOPES", "BY", "EXPIRES"], rows)}\n`;
}

export function renderSessions(sessions: readonly SessionShown[]): string {
  if (sessions.length === 0) return "Nobody is signed in.\n";
  const rows = sessions.map(({ id, user, from, startedAt, lastSeenAt }) => [
    id,
    user,
    from,
    when(startedAt),
    when(lastSeenAt),
  ]);
  return `${table(["ID", "USER", "FROM", "SINCE", "LAST SEEN"], rows)}\n`;
}

export function renderAudit(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return "Nothing was changed yet.\n";
  const rows = entries.map(({ at, box, who, from, what, about, outcome }) => [
    when(at),
    box,
    who === "" ? "?" : who,
    from,
    outcome === "done" ? what : `${what} refused`,
    about,
  ]);
  return `${table(["AT", "BOX", "WHO", "FROM", "WHAT", "ABOUT"], rows)}\n`;
}
