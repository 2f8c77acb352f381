/** Who may use the API, and the configuration's past and candidate, as JSON Schema. */
import type {
  AccessState,
  AuditEntry,
  CertificateShown,
  SessionShown,
  TokenShown,
  UserShown,
  WhoIs,
} from "@futago/firmware/runtime/control-access.ts";
import type { Restored } from "@futago/firmware/runtime/control-backup.ts";
import type {
  CandidateChanged,
  CandidateDiff,
  Committed,
  HistoryEntry,
} from "@futago/firmware/runtime/control-configuration.ts";
import { type Static, Type } from "typebox";
import { orNull, type Same, Time, words } from "./schema-parts.ts";

export const ROLES = ["viewer", "operator", "admin"] as const;
export const SCOPES = ["metrics", "read", "operate", "configure", "admin"] as const;

export const RoleSchema = words(ROLES);
export const ScopesSchema = Type.Array(words(SCOPES));

export const AccessStateSchema = Type.Object({
  claimed: Type.Boolean(),
  box: Type.String(),
  hostname: Type.String(),
  version: Type.String(),
});

/** What core answers but for the session itself, which goes into the cookie. */
export const SignedInSchema = Type.Object({
  proof: Type.String({ description: "To be sent as the header futago-proof with every request of the session." }),
  user: Type.Object({ name: Type.String(), role: RoleSchema }),
  expiresAt: Time,
});

export const WhoIsSchema = Type.Object({
  name: Type.String(),
  role: orNull(RoleSchema),
  scopes: ScopesSchema,
  expiresAt: orNull(Time),
});

export const UserSchema = Type.Object({
  name: Type.String(),
  role: RoleSchema,
  createdAt: Time,
  passwordChangedAt: Time,
  lastSignInAt: orNull(Time),
});

const tokenFields = {
  id: Type.String(),
  name: Type.String(),
  scopes: ScopesSchema,
  createdBy: Type.String(),
  createdAt: Time,
  expiresAt: orNull(Time),
};
export const TokenSchema = Type.Object(tokenFields);
export const NewTokenSchema = Type.Object({
  ...tokenFields,
  token: Type.String({ description: "Told once, here." }),
});

export const SessionSchema = Type.Object({
  id: Type.String(),
  user: Type.String(),
  from: Type.String(),
  startedAt: Time,
  lastSeenAt: Time,
  own: Type.Boolean(),
});

export const AuditSchema = Type.Object({
  at: Time,
  box: Type.String(),
  who: Type.String(),
  from: Type.String(),
  what: Type.String(),
  about: Type.String(),
  outcome: words(["done", "refused"]),
});

export const CertificateSchema = Type.Object({
  fingerprint: Type.String(),
  subject: Type.String(),
  notAfter: Type.String(),
  selfSigned: Type.Boolean(),
});

const ChangeSchema = Type.Object({
  kind: words(["set", "remove", "order"]),
  path: Type.String(),
  before: Type.Optional(Type.Unknown()),
  after: Type.Optional(Type.Unknown()),
  text: Type.String(),
});

export const ChangedSchema = Type.Object({
  changes: Type.Array(ChangeSchema),
  remarks: Type.Array(Type.String()),
});

export const DiffSchema = Type.Object({
  changes: Type.Array(ChangeSchema),
  remarks: Type.Array(Type.String()),
  base: Type.String(),
  authors: Type.Array(Type.Object({ author: Type.String(), time: Time })),
  problems: Type.Array(
    Type.Object({
      what: Type.String(),
      where: Type.Optional(Type.String()),
      mend: Type.Optional(Type.String()),
    }),
  ),
});

export const CommittedSchema = Type.Object({
  revision: Type.String(),
  changed: Type.Boolean(),
  warnings: Type.Array(Type.String()),
  remarks: Type.Array(Type.String()),
  confirmBy: orNull(Time),
});

export const HistorySchema = Type.Array(
  Type.Object({
    id: Type.String(),
    parent: Type.Optional(Type.String()),
    author: Type.String(),
    comment: Type.String(),
    time: Time,
    confirmSeconds: Type.Optional(Type.Number()),
    confirmedBy: Type.Optional(Type.String()),
    age: Type.Integer({ description: "Steps back from the newest; -1 where it is not among its ancestors." }),
    whole: Type.Boolean(),
  }),
);

export const RestoredSchema = Type.Object({
  revision: Type.String(),
  letter: orNull(words(["a", "b"])),
  whole: Type.Boolean(),
  remarks: Type.Array(Type.String()),
});

/** Each line compiles only while a schema says what core's type says. */
export const TWINS = [
  true satisfies Same<Static<typeof AccessStateSchema>, AccessState>,
  true satisfies Same<Static<typeof WhoIsSchema>, WhoIs>,
  true satisfies Same<Static<typeof UserSchema>, UserShown>,
  true satisfies Same<Static<typeof TokenSchema>, TokenShown>,
  true satisfies Same<Static<typeof SessionSchema>, SessionShown>,
  true satisfies Same<Static<typeof AuditSchema>, AuditEntry>,
  true satisfies Same<Static<typeof CertificateSchema>, CertificateShown>,
  true satisfies Same<Static<typeof ChangedSchema>, CandidateChanged>,
  true satisfies Same<keyof Static<typeof DiffSchema>, keyof CandidateDiff>,
  true satisfies Same<Static<typeof CommittedSchema>, Committed>,
  true satisfies Same<keyof Static<typeof HistorySchema>[number], keyof HistoryEntry>,
  true satisfies Same<Static<typeof RestoredSchema>, Restored>,
] as const;
