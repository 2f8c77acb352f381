/** Signing in and out, and who may: accounts, tokens, sessions, the audit log and the certificate. */
import { Type } from "typebox";
import { coreRoute, ownRoute, type Route } from "./route.ts";
import {
  AccessStateSchema,
  AuditSchema,
  CertificateSchema,
  NewTokenSchema,
  RoleSchema,
  ScopesSchema,
  SessionSchema,
  SignedInSchema,
  TokenSchema,
  UserSchema,
  WhoIsSchema,
} from "./schema-access.ts";
import { asked, Message, ShortText } from "./schema-parts.ts";
import { signIn, signOut } from "./sign-in.ts";

const Name = Type.String({ minLength: 1, maxLength: 64 });
/** Longer ones cost the box work and protect nobody. */
const Password = Type.String({ minLength: 1, maxLength: 1_024 });
const Pem = Type.String({ minLength: 1, maxLength: 256 << 10 });
const ofName = asked({ name: Name });
const ofId = asked({ id: Name });

const SIGNING_IN: readonly Route[] = [
  coreRoute(
    {
      method: "GET",
      path: "/access",
      scope: "public",
      verb: null,
      summary: "Whether the box is claimed, and which one it is",
      answer: AccessStateSchema,
    },
    () => ["accessState", {}],
  ),
  ownRoute(
    {
      method: "POST",
      path: "/claim",
      scope: "public",
      verb: null,
      summary: "Make the first account, an admin's, with the code that the console shows",
      body: asked({ code: ShortText, name: Name, password: Password }),
      answer: SignedInSchema,
    },
    (exchange, { body }) => signIn(exchange, "claim", body),
  ),
  ownRoute(
    {
      method: "POST",
      path: "/session",
      scope: "public",
      verb: null,
      summary: "Sign in",
      body: asked({ name: Name, password: Password }),
      answer: SignedInSchema,
    },
    (exchange, { body }) => signIn(exchange, "signIn", body),
  ),
  ownRoute(
    {
      method: "POST",
      path: "/session/resume",
      scope: "public",
      verb: null,
      summary: "Go on by another address of the pair, with a ticket that works once",
      body: asked({ ticket: Type.String({ minLength: 1, maxLength: 1_024 }) }),
      answer: SignedInSchema,
    },
    (exchange, { body }) => signIn(exchange, "resume", body),
  ),
  coreRoute(
    {
      method: "GET",
      path: "/session",
      scope: "session",
      verb: null,
      summary: "Who asks, and what they may",
      answer: WhoIsSchema,
    },
    () => ["whoAmI", {}],
  ),
  ownRoute(
    { method: "DELETE", path: "/session", scope: "session", verb: null, summary: "Sign out", answer: Message },
    (exchange) => signOut(exchange),
  ),
  coreRoute(
    {
      method: "POST",
      path: "/session/ticket",
      scope: "session",
      verb: null,
      summary: "A ticket with which the session goes on by another address",
      answer: Type.Object({ ticket: Type.String() }),
    },
    () => ["ticket", {}],
  ),
  coreRoute(
    {
      method: "PUT",
      path: "/session/password",
      scope: "session",
      verb: null,
      summary: "Change one's own password",
      body: asked({ old: Password, password: Password }),
      answer: Message,
    },
    ({ body }) => ["passwordChange", body],
  ),
];

const ACCOUNTS: readonly Route[] = [
  coreRoute(
    {
      method: "GET",
      path: "/users",
      scope: "admin",
      verb: "user list",
      summary: "The accounts",
      answer: Type.Array(UserSchema),
    },
    () => ["users", {}],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/users",
      scope: "admin",
      verb: "user add",
      summary: "Make an account",
      body: asked({ name: Name, role: RoleSchema, password: Password }),
      answer: Message,
    },
    ({ body }) => ["userAdd", body],
  ),
  coreRoute(
    {
      method: "PATCH",
      path: "/users/{name}",
      scope: "admin",
      verb: "user set",
      summary: "Change an account's role or password, which ends its sessions",
      place: ofName,
      body: asked({ role: Type.Optional(RoleSchema), password: Type.Optional(Password) }),
      answer: Message,
    },
    ({ place, body }) => ["userSet", { ...body, name: place.name }],
  ),
  coreRoute(
    {
      method: "DELETE",
      path: "/users/{name}",
      scope: "admin",
      verb: "user delete",
      summary: "Remove an account, but not the last admin's",
      place: ofName,
      answer: Message,
    },
    ({ place }) => ["userDelete", place],
  ),
];

const TOKENS: readonly Route[] = [
  coreRoute(
    {
      method: "GET",
      path: "/tokens",
      scope: "admin",
      verb: "token list",
      summary: "The tokens for scripts",
      answer: Type.Array(TokenSchema),
    },
    () => ["tokens", {}],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/tokens",
      scope: "admin",
      verb: "token create",
      summary: "Make a token; it is told once, in the answer",
      body: asked({ name: Name, scopes: ScopesSchema, expiresAt: Type.Optional(ShortText) }),
      answer: NewTokenSchema,
    },
    ({ body }) => ["tokenCreate", body],
  ),
  coreRoute(
    {
      method: "DELETE",
      path: "/tokens/{id}",
      scope: "admin",
      verb: "token revoke",
      summary: "Make a token worthless",
      place: ofId,
      answer: Message,
    },
    ({ place }) => ["tokenRevoke", place],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/sessions",
      scope: "admin",
      verb: "session list",
      summary: "Who is signed in, and from where",
      answer: Type.Array(SessionSchema),
    },
    () => ["sessions", {}],
  ),
  coreRoute(
    {
      method: "DELETE",
      path: "/sessions/{id}",
      scope: "admin",
      verb: "session end",
      summary: "End a session",
      place: ofId,
      answer: Message,
    },
    ({ place }) => ["sessionEnd", place],
  ),
  coreRoute(
    {
      method: "GET",
      path: "/audit",
      scope: "admin",
      verb: "audit",
      summary: "Who changed what from where, on both boxes, the newest first",
      query: asked({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
        before: Type.Optional(ShortText),
      }),
      answer: Type.Array(AuditSchema),
    },
    ({ query }) => ["audit", query],
  ),
];

const CERTIFICATE: readonly Route[] = [
  coreRoute(
    {
      method: "GET",
      path: "/certificate",
      scope: "read",
      verb: null,
      summary: "The certificate that browsers see",
      answer: CertificateSchema,
    },
    () => ["webCertificate", {}],
  ),
  coreRoute(
    {
      method: "PUT",
      path: "/certificate",
      scope: "admin",
      verb: null,
      summary: "Use a certificate of one's own: PEM, with its chain and its key",
      body: asked({ certificate: Pem, key: Pem }),
      answer: CertificateSchema,
      bodyBytesMax: 1 << 20,
    },
    ({ body }) => ["webCertificateSet", body],
  ),
  coreRoute(
    {
      method: "POST",
      path: "/certificate/new",
      scope: "admin",
      verb: null,
      summary: "Make a fresh certificate that the box signs itself",
      answer: CertificateSchema,
    },
    () => ["webCertificateNew", {}],
  ),
];

export const ACCESS_ROUTES: readonly Route[] = [...SIGNING_IN, ...ACCOUNTS, ...TOKENS, ...CERTIFICATE];
