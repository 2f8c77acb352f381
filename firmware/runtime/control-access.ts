/**
 * What can be asked about who may use the web UI and the API. Two sockets speak the same protocol: `DIR/control.sock` is
 * root's and needs no credential; `DIR/web/core.sock` is the web process's, whose every request names who asks and from
 * where, so that core, not the process that strangers talk to, decides what they may.
 */
import type { Scope, WebRole } from "../access/scopes.ts";
import type { ControlRequest } from "./control.ts";

export type { Scope, WebRole } from "../access/scopes.ts";

/** `session` is the cookie, `proof` what the page keeps beside it: a cookie goes to every port of a host, the proof does not. */
export type Credential =
  | { readonly kind: "session"; readonly session: string; readonly proof: string }
  | { readonly kind: "token"; readonly token: string };

/** On the web process's socket. */
export interface WebRequest extends ControlRequest {
  /** Left out: nobody signed in, or the web process asks for itself. */
  readonly credential?: Credential;
  /** The address of whoever asks; left out, the web process itself. */
  readonly from?: string;
}

/** For everybody, signed in or not. */
export interface AccessState {
  /** Somebody has an account. An unclaimed box offers nothing but to be claimed. */
  readonly claimed: boolean;
  readonly box: string;
  readonly hostname: string;
  readonly version: string;
}

export interface SignedIn {
  readonly session: string;
  readonly proof: string;
  readonly user: { readonly name: string; readonly role: WebRole };
  /** RFC 3339 with milliseconds; each request puts it off. */
  readonly expiresAt: string;
}

export interface WhoIs {
  /** Of a person, or of a token: "token deploy". It is the author of what is changed. */
  readonly name: string;
  /** Null for a token. */
  readonly role: WebRole | null;
  readonly scopes: readonly Scope[];
  readonly expiresAt: string | null;
}

export interface UserShown {
  readonly name: string;
  readonly role: WebRole;
  readonly createdAt: string;
  readonly passwordChangedAt: string;
  /** The newest time anybody signed in by that name; null: nobody did. */
  readonly lastSignInAt: string | null;
}

export interface TokenShown {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdBy: string;
  readonly createdAt: string;
  /** Null: never. */
  readonly expiresAt: string | null;
}

export interface SessionShown {
  /** Names it, and opens nothing. */
  readonly id: string;
  readonly user: string;
  readonly from: string;
  readonly startedAt: string;
  readonly lastSeenAt: string;
  /** The one that asks. */
  readonly own: boolean;
}

export interface AuditEntry {
  readonly at: string;
  /** The letter of the box where it was asked; "alone". */
  readonly box: string;
  readonly who: string;
  /** An address; "console" where root asked on the box. */
  readonly from: string;
  /** The name of what was asked: "commit", "signIn". */
  readonly what: string;
  /** A sentence of what it was about, without secrets. */
  readonly about: string;
  readonly outcome: "done" | "refused";
}

export interface CertificateShown {
  /** SHA-256 of the DER form, in hexadecimal. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly notAfter: string;
  /** Made by the box itself. */
  readonly selfSigned: boolean;
}

/** For whoever stands before the box. */
export interface WebAccess {
  /** Where the web process listens, as URLs of this box's own addresses; nothing while there is none. */
  readonly urls: readonly string[];
  readonly certificate: CertificateShown | null;
  /** Null on a box that is claimed. */
  readonly claimCode: string | null;
  readonly users: number;
}

export interface AccessMethods {
  /** Public. */
  accessState: { params: Record<string, never>; result: AccessState };
  /** Public: the first account, an admin's, with the code that the console shows. */
  claim: { params: { readonly code: string; readonly name: string; readonly password: string }; result: SignedIn };
  /** Public. */
  signIn: { params: { readonly name: string; readonly password: string }; result: SignedIn };
  /** Public: a page goes on on the other box, or by another address of the pair. A ticket works once. */
  resume: { params: { readonly ticket: string }; result: SignedIn };
  whoAmI: { params: Record<string, never>; result: WhoIs };
  /** For `resume`; good as long as the session is. */
  ticket: { params: Record<string, never>; result: { readonly ticket: string } };
  signOut: { params: Record<string, never>; result: { readonly message: string } };
  passwordChange: {
    params: { readonly old: string; readonly password: string };
    result: { readonly message: string };
  };

  users: { params: Record<string, never>; result: readonly UserShown[] };
  userAdd: {
    params: { readonly name: string; readonly role: WebRole; readonly password: string };
    result: { readonly message: string };
  };
  /** A changed role or password ends the user's sessions. */
  userSet: {
    params: { readonly name: string; readonly role?: WebRole; readonly password?: string };
    result: { readonly message: string };
  };
  /** Not the last admin. */
  userDelete: { params: { readonly name: string }; result: { readonly message: string } };
  tokens: { params: Record<string, never>; result: readonly TokenShown[] };
  /** `token` is told once, here. */
  tokenCreate: {
    params: { readonly name: string; readonly scopes: readonly Scope[]; readonly expiresAt?: string };
    result: TokenShown & { readonly token: string };
  };
  tokenRevoke: { params: { readonly id: string }; result: { readonly message: string } };
  sessions: { params: Record<string, never>; result: readonly SessionShown[] };
  sessionEnd: { params: { readonly id: string }; result: { readonly message: string } };
  /** The newest first, of both boxes. */
  audit: {
    params: { readonly limit?: number; readonly before?: string };
    result: readonly AuditEntry[];
  };
  webCertificate: { params: Record<string, never>; result: CertificateShown };
  /** PEM: the certificate with its chain, and its key. */
  webCertificateSet: {
    params: { readonly certificate: string; readonly key: string };
    result: CertificateShown;
  };
  /** A fresh one that the box signs itself. */
  webCertificateNew: { params: Record<string, never>; result: CertificateShown };

  /** Root's alone. */
  webAccess: { params: Record<string, never>; result: WebAccess };
  /** The web process's alone. */
  webIdentity: { params: Record<string, never>; result: { readonly certificate: string; readonly key: string } };
  /** The web process's alone: where it listens. */
  webListens: { params: { readonly address: string; readonly port: number }; result: Record<string, never> };
}

/** Accounts, sessions, tokens or the certificate changed: whoever keeps a connection open asks again whether it may. */
export interface AccessEvent {
  readonly claimed: boolean;
  /** SHA-256 of the certificate to be shown to browsers, in hexadecimal; "" while there is none. */
  readonly fingerprint: string;
}

export interface AccessStreams {
  /** How it stands at once, then each change. */
  watchAccess: { params: Record<string, never>; event: AccessEvent };
}
