/** What the two cores say to each other of who may use the web UI and the API, as it may look on the wire. */
import type { Attempt } from "../../../access/lockout.ts";
import type { AccessRecord } from "../../../access/records.ts";
import type { AuditEntry } from "../../control-access.ts";
import { either, flag, list, nothing, object, oneOf, type Shapes, text, time, whole } from "../peer-link/shapes.ts";
import { isRecords, source } from "./record-shapes.ts";

export const AUDIT_ENTRIES_MAX = 10_000;

export type AccessMessage =
  /** `whole`: all that the sender knows, as when the link comes up; else what it wrote just now. */
  | { readonly kind: "accessRecords"; readonly whole: boolean; readonly records: readonly AccessRecord[] }
  /** An attempt to sign in failed at the sender's door. */
  | ({ readonly kind: "accessFailed" } & Attempt)
  | { readonly kind: "auditAsk"; readonly request: number; readonly limit: number; readonly before: string | null }
  | { readonly kind: "auditAnswer"; readonly request: number; readonly entries: readonly AuditEntry[] };

const request = whole(0, Number.MAX_SAFE_INTEGER);
const entry = object<AuditEntry>({
  at: time,
  box: oneOf("a", "b", "alone"),
  who: text(64),
  from: text(64),
  what: text(32),
  about: text(600),
  outcome: oneOf("done", "refused"),
});

export const ACCESS_SHAPES: Shapes<AccessMessage> = {
  accessRecords: { whole: flag, records: isRecords },
  accessFailed: { source, account: text(32), familiar: flag },
  auditAsk: { request, limit: whole(1, AUDIT_ENTRIES_MAX), before: either(nothing, time) },
  auditAnswer: { request, entries: list(AUDIT_ENTRIES_MAX, entry) },
};
