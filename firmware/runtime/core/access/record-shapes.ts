/** What a record may look like that comes from the peer or out of a backup file: each field is checked for type and bound. */
import { sourceOf } from "../../../access/lockout.ts";
import {
  type CertificateRecord,
  type GoneRecord,
  RECORD_VERSION_MAX,
  type SeenRecord,
  type SessionRecord,
  type TokenRecord,
  type UserRecord,
} from "../../../access/records.ts";
import { isName } from "../../../access/rules.ts";
import { isScope, isWebRole, SCOPES } from "../../../access/scopes.ts";
import { type Check, either, flag, id, list, nothing, object, oneOf, text, time, whole } from "../peer-link/shapes.ts";
import { readIdentity } from "./given-certificate.ts";
import { isPasswordHash } from "./password-hash.ts";

export const RECORDS_TOLD_MAX = 8_192;
const SOURCES_MAX = 16;
const TICKETS_MAX = 8;
const PEM_LENGTH_MAX = 64 << 10;

const version = whole(1, RECORD_VERSION_MAX);
const stamp: Check = (value) => typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
export const source: Check = (value) =>
  typeof value === "string" && value.length <= 64 && sourceOf(value.replace(/\/64$/, "")) === value;

const user = object<UserRecord>(
  {
    name: isName,
    version,
    role: isWebRole,
    hash: isPasswordHash,
    stamp,
    createdAt: time,
    passwordChangedAt: time,
  },
  "user",
);
const token = object<TokenRecord>(
  {
    id: stamp,
    version,
    name: isName,
    scopes: list(SCOPES.length, isScope),
    hash: id,
    createdBy: text(64),
    createdAt: time,
    expiresAt: either(nothing, time),
  },
  "token",
);
const session = object<SessionRecord>(
  {
    id,
    version,
    user: isName,
    stamp,
    proof: id,
    from: text(64),
    startedAt: time,
    lastSeenAt: time,
    tickets: list(TICKETS_MAX, id),
  },
  "session",
);
const seen = object<SeenRecord>({ name: isName, version, at: time, sources: list(SOURCES_MAX, source) }, "seen");
const gone = object<GoneRecord>(
  { of: oneOf("user", "token", "session"), key: either(isName, stamp, id), version, at: time },
  "gone",
);
const certificate = object<CertificateRecord>(
  { version, certificate: text(PEM_LENGTH_MAX), key: text(PEM_LENGTH_MAX), selfSigned: flag },
  "certificate",
);

/** All of a box, or those that changed. A certificate is read for that, so there is one at most. */
export function isRecords(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > RECORDS_TOLD_MAX) return false;
  const certificates = value.filter(certificate);
  return (
    certificates.length <= 1 &&
    value.every(either(user, token, session, seen, gone, certificate)) &&
    certificates.every(isIdentity)
  );
}

/** It can be shown to browsers; when it ends says nothing here. */
function isIdentity(record: CertificateRecord): boolean {
  return readIdentity(record.certificate, record.key, 0).ok;
}
