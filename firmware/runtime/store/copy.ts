/**
 * The text of the copy beside the database: the revision in force with its document, what it descends from, and the
 * box's settings, in canonical JSON after the hash of it. It is read only when the database cannot be. Pure but for the
 * hash.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../config/canonical.ts";
import { type Revision, revisionId, type RevisionSummary } from "./revision.ts";

export interface Copy {
  readonly head: Revision;
  /** The head first; the newest of it are enough to tell which of two boxes is behind. */
  readonly lineage: readonly RevisionSummary[];
  readonly settings: Readonly<Record<string, string>>;
}

export const COPY_LINEAGE_MAX = 50;
/** A longer setting is not in the copy. */
const SETTING_CHARACTERS_MAX = 64 << 10;

export function encodeCopy({ head, lineage, settings }: Copy): string {
  const { text, ...revision } = head;
  const short = Object.entries(settings).filter(([, value]) => value.length <= SETTING_CHARACTERS_MAX);
  // The document is canonical already: making a large one so again takes a second.
  const state = `{"document":${text},${othersText({ lineage, revision, settings: Object.fromEntries(short) }).slice(1)}`;
  return `{"format":1,"sha256":"${sha256(state)}","state":${state}}\n`;
}

/** Undefined when it is not what was once written. */
export function decodeCopy(text: string): Copy | undefined {
  const begin = /^\{"format":1,"sha256":"(?<hash>[0-9a-f]{64})","state":/.exec(text);
  if (begin === null || !text.endsWith("}\n")) return undefined;
  const state = text.slice(begin[0].length, -2);
  if (sha256(state) !== begin.groups?.["hash"]) return undefined;
  // Whoever wrote the hash wrote the rest in this form.
  const { lineage, revision, settings } = JSON.parse(state) as Others;
  const others = othersText({ lineage, revision, settings });
  const head: Revision = { ...revision, text: state.slice('{"document":'.length, state.length - others.length) };
  return revisionId(head.parent, head.text) === head.id ? { head, lineage, settings } : undefined;
}

type Others = Omit<Copy, "head"> & { readonly revision: RevisionSummary };

function othersText({ lineage, revision, settings }: Others): string {
  return canonicalJson({ lineage, revision, settings });
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
