/**
 * What a backup file holds, as two lines of JSON: facts about the box and its revision, and the document. Whoever reads
 * it may have it from anywhere, so every field is checked before anything is made of it. Pure but for hashes.
 */
import { readJson } from "../../config/json-text.ts";
import { documentBytesMax } from "../../config/limits.ts";
import type { AccessRecord } from "../../access/records.ts";
import { parseActivation } from "../../pair/spare/activation.ts";
import { ACCESS_SETTING, isOfSession } from "../core/access/access-book.ts";
import { isRecords } from "../core/access/record-shapes.ts";
import type { Box } from "../messages.ts";
import { type PairingFile, parsePairing } from "../pairing-file.ts";
import { type Revision, revisionId, type RevisionSummary } from "../store/revision.ts";

export interface Backup {
  /** Of the software that made it. */
  readonly release: string;
  /** RFC 3339. */
  readonly made: string;
  /** Undefined of a box that nobody gave one. */
  readonly letter: Box | undefined;
  /** The network devices of the box that it was made on. */
  readonly devices: readonly string[];
  /** Undefined of a box without a peer, and of one whose pair was made by --pair-key. */
  readonly pairing: PairingFile | undefined;
  /** Of {@link SETTINGS}. */
  readonly settings: Readonly<Record<string, string>>;
  readonly head: Revision;
  /** What the head descends from, the newest first. */
  readonly lineage: readonly RevisionSummary[];
}

/** Why something is no backup file that can be used. */
export type BackupRefusal =
  /** Not what `futago backup` writes. */
  | "notABackup"
  /** It is one, of a format that this version does not know. */
  | "newerVersion"
  /** A field is not what it should be. */
  | "badField"
  /** The document is not that of its revision. */
  | "badDocument";

export type BackupReading =
  | { readonly ok: true; readonly backup: Backup }
  | { readonly ok: false; readonly reason: BackupRefusal; readonly field: string };

export const BACKUP_LINEAGE_MAX = 1_000;
/** What a box remembers beside its configuration that another one is to know. */
export const SETTINGS: Readonly<Record<string, (value: string) => boolean>> = {
  maintenance: (value) => value === "on",
  drains: isDrains,
  [ACCESS_SETTING]: isAccess,
  activation: (value) => parseActivation(value) !== undefined,
};
const FORMAT = "futago-backup";
const VERSION = 1;
const FACTS_CHARACTERS_MAX = 4 << 20;
const DEVICES_MAX = 1_024;
const DRAINS_MAX = 1_024;

/** The first line, as a value. */
export function backupFacts({ letter, pairing, head, ...backup }: Backup): Readonly<Record<string, unknown>> {
  const { text: _document, confirmSeconds: _seconds, confirmedBy: _by, ...revision } = head;
  return {
    format: FORMAT,
    version: VERSION,
    ...backup,
    letter: letter ?? null,
    pairing: pairing ?? null,
    revision: shown(revision),
    lineage: backup.lineage.map(shown),
  };
}

export function backupText(facts: unknown, document: string): string {
  return `${JSON.stringify(facts)}\n${document}\n`;
}

/** Never throws. */
export function readBackup(text: string): BackupReading {
  const end = text.indexOf("\n");
  if (end < 0 || end > FACTS_CHARACTERS_MAX || !text.endsWith("\n")) return refuse("notABackup", "");
  const facts = readJson(text.slice(0, end));
  return facts.ok ? backupFrom(facts.value, text.slice(end + 1, -1)) : refuse("notABackup", "");
}

/** Of facts that were read from JSON, and the document's text. Never throws. */
export function backupFrom(facts: unknown, document: string): BackupReading {
  if (!isObject(facts) || facts["format"] !== FORMAT) return refuse("notABackup", "");
  if (facts["version"] !== VERSION) return refuse("newerVersion", "version");
  const wrong = Object.entries(FIELDS).find(([name, check]) => !check(facts[name]));
  if (wrong !== undefined) return refuse("badField", wrong[0]);
  const stray = Object.keys(facts).find(
    (name) => !Object.hasOwn(FIELDS, name) && name !== "format" && name !== "version",
  );
  if (stray !== undefined) return refuse("badField", stray);
  const raw = facts as unknown as RawFacts;
  const { release, made, devices, settings } = raw;
  const pairing = raw.pairing === null ? undefined : parsePairing(JSON.stringify(raw.pairing));
  if (pairing === undefined && raw.pairing !== null) return refuse("badField", "pairing");
  if (pairing !== undefined && pairing.letter !== raw.letter) return refuse("badField", "letter");
  const head: Revision = { ...summary(raw.revision), text: document };
  const lineage = raw.lineage.map(summary);
  if (!isDescent([head, ...lineage])) return refuse("badField", "lineage");
  if (document.length > documentBytesMax || revisionId(head.parent, document) !== head.id)
    return refuse("badDocument", "revision");
  const letter = raw.letter ?? undefined;
  return { ok: true, backup: { release, made, letter, devices, pairing, settings, head, lineage } };
}

interface RawSummary {
  readonly id: string;
  readonly parent: string | null;
  readonly author: string;
  readonly comment: string;
  readonly time: string;
}

interface RawFacts extends Pick<Backup, "release" | "made" | "devices" | "settings"> {
  readonly letter: Box | null;
  readonly pairing: unknown;
  readonly revision: RawSummary;
  readonly lineage: readonly RawSummary[];
}

type Check = (value: unknown) => boolean;

const isText =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const isShort = isText(/^[^\0]{0,2000}$/s);
const isTime: Check = (value) => isText(/^.{10,40}$/)(value) && !Number.isNaN(Date.parse(value as string));
/** As the other box of a pair takes it, see peer-link/commit-message.ts. */
const isAuthor = isText(/^[^\0]{0,64}$/s);
const isCommitTime = isText(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const isId = isText(/^[0-9a-f]{64}$/);
/** The rules of dev_valid_name of net/core/dev.c. */
export const isDevice = isText(/^(?!\.{1,2}$)[^\s/:\0]{1,15}$/);

const FIELDS: Readonly<Record<string, Check>> = {
  release: isText(/^[0-9A-Za-z.+-]{1,40}$/),
  made: isTime,
  letter: (value) => value === null || value === "a" || value === "b",
  devices: isList(DEVICES_MAX, isDevice),
  pairing: (value) => value === null || isObject(value),
  settings: isSettings,
  revision: isSummary,
  lineage: isList(BACKUP_LINEAGE_MAX, isSummary),
};

function isList(lengthMax: number, isItem: Check): Check {
  return (value) => Array.isArray(value) && value.length <= lengthMax && value.every(isItem);
}

function isSettings(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.entries(value).every(
      ([key, each]) => typeof each === "string" && Object.hasOwn(SETTINGS, key) && SETTINGS[key]?.(each) === true,
    )
  );
}

function isDrains(text: string): boolean {
  const reading = readJson(text);
  return (
    reading.ok &&
    isList(
      DRAINS_MAX,
      (each) =>
        isObject(each) &&
        isShort(each["pool"]) &&
        isShort(each["backend"]) &&
        typeof each["on"] === "boolean" &&
        Number.isSafeInteger(each["version"]),
    )(reading.value)
  );
}

/** Users, tokens and the certificate; sessions are no part of it. */
function isAccess(text: string): boolean {
  const reading = readJson(text);
  const records = reading.ok && isRecords(reading.value) ? (reading.value as readonly AccessRecord[]) : undefined;
  return records?.every((record) => !isOfSession(record)) === true;
}

function isSummary(value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).length !== 5) return false;
  const { id, parent, author, comment, time } = value as unknown as RawSummary;
  return isId(id) && (parent === null || isId(parent)) && isAuthor(author) && isShort(comment) && isCommitTime(time);
}

/** Each the parent of the one before, and none twice. */
function isDescent(line: readonly RevisionSummary[]): boolean {
  const follows = line.every(({ id }, i) => i === 0 || line[i - 1]?.parent === id);
  return follows && new Set(line.map(({ id }) => id)).size === line.length;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown({ id, parent, author, comment, time }: RevisionSummary): RawSummary {
  return { id, parent: parent ?? null, author, comment, time };
}

function summary({ parent, ...rest }: RawSummary): RevisionSummary {
  return { ...rest, parent: parent ?? undefined };
}

function refuse(reason: BackupRefusal, field: string): BackupReading {
  return { ok: false, reason, field };
}
