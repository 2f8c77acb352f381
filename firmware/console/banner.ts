/**
 * What stands on the console while nobody sits there: what the box is, where its pages are, and how to know that they are
 * its own. Made for 24 lines of 80 letters of 7 bits. Pure.
 */
import { COLUMNS, LINES, wrapped } from "./draw.ts";

export interface BannerFacts {
  readonly hostname: string;
  /** "a", "b", or "alone". */
  readonly box: string;
  readonly role: string;
  readonly isConfigured: boolean;
  /** Null on a box alone. */
  readonly peer: { readonly alive: boolean; readonly role: string } | null;
  /** Addresses of the failover groups, each as a text with what it is now. */
  readonly vips: readonly string[];
  readonly urls: readonly string[];
  /** SHA-256 in hexadecimal; null without a certificate. */
  readonly fingerprint: string | null;
  /** Null on a box that is claimed. */
  readonly claimCode: string | null;
  readonly version: string;
  /** "a" or "b"; null where the system has no slots. */
  readonly slot: string | null;
  readonly alarms: readonly string[];
  /** Names of backup files that were found on a USB stick. */
  readonly backupFiles: readonly string[];
}

const TITLE_COLUMNS = 13;
/** A line for the key that opens the menu, and the last one free: a letter there scrolls some terminals. */
const LINES_BELOW = 3;
const ALARMS_SHOWN = 3;
const URLS_SHOWN = 5;

export function banner(facts: BannerFacts): string {
  const head = [headline(facts), "-".repeat(COLUMNS)];
  const rows = [...roles(facts), ...pages(facts), ...found(facts), ...alarms(facts)];
  const body = rows.slice(0, LINES - head.length - LINES_BELOW);
  return `${[...head, ...body, "", "Press Enter for the menu."].map(fitted).join("\n")}\n`;
}

function headline({ hostname, version, slot }: BannerFacts): string {
  const what = `Futago ${version}${slot === null ? "" : `   slot ${slot.toUpperCase()}`}`;
  const room = COLUMNS - what.length - 1;
  return `${hostname.slice(0, room).padEnd(room)} ${what}`;
}

function roles({ box, role, isConfigured, peer, vips }: BannerFacts): readonly string[] {
  if (!isConfigured && peer === null && box === "alone")
    return row("Role", ["none: this box has no configuration yet"]);
  const who = box === "alone" ? role : `${role} (box ${box})`;
  const other = peer === null ? "none: this box is alone" : peer.alive ? `alive, ${peer.role}` : "NOT HEARD";
  return [...row("Role", [who]), ...row("Peer", [other]), ...row("VIPs", vips)];
}

function pages({ urls, fingerprint, claimCode }: BannerFacts): readonly string[] {
  const more = urls.length > URLS_SHOWN ? [`and ${urls.length - URLS_SHOWN} more`] : [];
  const shown =
    urls.length === 0 ? ["no address yet: is a cable plugged in?"] : [...urls.slice(0, URLS_SHOWN), ...more];
  const known = fingerprint === null ? [] : pairs(fingerprint);
  const code =
    claimCode === null ? [] : ["", ...row("Claim code", [`${claimCode}   makes the first user, in the web UI`])];
  return ["", ...row("Web UI", shown), ...row("SHA-256", known), ...code];
}

function found({ backupFiles }: BannerFacts): readonly string[] {
  if (backupFiles.length === 0) return [];
  return ["", ...wrapped(`On the USB stick: ${backupFiles.join(", ")}. "Restore a backup file" in the menu takes it.`)];
}

function alarms({ alarms: all }: BannerFacts): readonly string[] {
  if (all.length === 0) return [];
  const more = all.length > ALARMS_SHOWN ? [`and ${all.length - ALARMS_SHOWN} more alarms`] : [];
  return ["", ...all.slice(0, ALARMS_SHOWN).flatMap((sentence) => wrapped(`ALARM: ${sentence}`).slice(0, 2)), ...more];
}

function row(title: string, values: readonly string[]): readonly string[] {
  return values
    .flatMap((value) => wrapped(value))
    .map((value, i) => `${(i === 0 ? title : "").padEnd(TITLE_COLUMNS)}${value}`);
}

/** As browsers show it, in two lines. */
function pairs(fingerprint: string): readonly string[] {
  const all = fingerprint.toUpperCase().match(/../g) ?? [];
  return [all.slice(0, 16).join(":"), all.slice(16).join(":")];
}

function fitted(line: string): string {
  return (wrapped(line)[0] ?? "").trimEnd();
}
