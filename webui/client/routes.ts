/** The routes of `/api/v1` that the page uses: what each is asked with, and what it answers. */
import type {
  AccessMethods,
  AccessState,
  Scope,
  SignedIn,
  WebRole,
  WhoIs,
} from "@futago/firmware/runtime/control-access.ts";
import type {
  CandidateChanged,
  CandidateDiff,
  Committed,
  ConfigShown,
  ConfigurationMethods,
} from "@futago/firmware/runtime/control-configuration.ts";
import type { DrillsShown } from "@futago/firmware/runtime/control-drill.ts";
import type { PairingShown } from "@futago/firmware/runtime/control-pairing.ts";
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import type { SpareDone } from "@futago/firmware/runtime/control-spare.ts";
import type { Restored, StickFiles, StickWish } from "@futago/firmware/runtime/control-backup.ts";
import type { UpdateShown } from "@futago/firmware/runtime/control-update.ts";
import type {
  BoxStatus,
  ControlMethods,
  DrainShown,
  FlowsQuery,
  FlowsShown,
  TimelineEvent,
  TraceQuery,
  TraceShown,
} from "@futago/firmware/runtime/control.ts";

interface Message {
  readonly message: string;
}
export type Session = Pick<SignedIn, "proof" | "user" | "expiresAt">;
export interface CommitWish {
  readonly comment?: string;
  readonly confirmSeconds?: number;
}
type ResultOf<Method extends keyof AccessMethods> = AccessMethods[Method]["result"];
type ParamsOf<Method extends keyof AccessMethods> = AccessMethods[Method]["params"];
type HistoryShown = ConfigurationMethods["history"]["result"];

/** `query` and `body` are left out where the route has none; `:name` in a path is filled from `path`. */
export interface Routes {
  "GET access": { answer: AccessState };
  "POST claim": { body: ParamsOf<"claim">; answer: Session };
  "POST session": { body: ParamsOf<"signIn">; answer: Session };
  "POST session/resume": { body: ParamsOf<"resume">; answer: Session };
  "GET session": { answer: WhoIs };
  "DELETE session": { answer: Message };
  "POST session/ticket": { answer: { readonly ticket: string } };
  "PUT session/password": { body: ParamsOf<"passwordChange">; answer: Message };

  "GET status": { query: { readonly services?: string }; answer: BoxStatus };
  "GET boxes": { answer: BoxesShown };
  "GET config": { query: { readonly revision?: string }; answer: ConfigShown };
  "GET candidate": { answer: ConfigShown };
  "GET diff": { answer: CandidateDiff };
  "GET history": { query: { readonly limit?: number; readonly before?: string }; answer: HistoryShown };
  "GET health": { query: { readonly service?: string }; answer: ControlMethods["health"]["result"] };
  "GET flows": { query: FlowsQuery; answer: FlowsShown };
  "GET neighbours": { answer: ControlMethods["neighbours"]["result"] };
  "GET why": { answer: readonly TimelineEvent[] };
  "GET log": { answer: ControlMethods["log"]["result"] };
  "GET pair": { answer: PairingShown };
  "GET drill": { answer: DrillsShown };
  "GET trace": { query: TraceQuery; answer: TraceShown };
  "GET certificate": { answer: ResultOf<"webCertificate"> };
  "GET schema": { answer: unknown };
  "GET update": { answer: UpdateShown };

  "POST switchover": { body: { readonly group?: string }; answer: Message };
  "POST maintenance": { body: { readonly on: boolean }; answer: Message };
  "POST locate": { body: { readonly on: boolean }; answer: Message };
  "POST drain": { body: { readonly backend: string }; answer: DrainShown };
  "POST undrain": { body: { readonly backend: string }; answer: DrainShown };
  "POST drill": {
    body: { readonly how?: "planned" | "killed"; readonly back?: boolean };
    answer: { readonly id: string };
  };
  "POST spare/activate": { body: { readonly force?: boolean }; answer: SpareDone };
  "POST spare/release": { body: { readonly force?: boolean }; answer: SpareDone };

  "PUT candidate": { body: unknown; answer: CandidateChanged };
  "DELETE candidate": { query: { readonly force?: boolean }; answer: Message };
  "POST commit": { body: CommitWish; answer: Committed };
  "POST confirm": { body: { readonly revision?: string; readonly force?: boolean }; answer: Message };
  "POST rollback": { body: CommitWish & { readonly to: string }; answer: Committed };

  "GET users": { answer: ResultOf<"users"> };
  "POST users": { body: ParamsOf<"userAdd">; answer: Message };
  "PATCH users/:name": {
    path: { readonly name: string };
    body: { readonly role?: WebRole; readonly password?: string };
    answer: Message;
  };
  "DELETE users/:name": { path: { readonly name: string }; answer: Message };
  "GET tokens": { answer: ResultOf<"tokens"> };
  "POST tokens": {
    body: { readonly name: string; readonly scopes: readonly Scope[]; readonly expiresAt?: string };
    answer: ResultOf<"tokenCreate">;
  };
  "DELETE tokens/:id": { path: { readonly id: string }; answer: Message };
  "GET sessions": { answer: ResultOf<"sessions"> };
  "DELETE sessions/:id": { path: { readonly id: string }; answer: Message };
  "GET audit": { query: { readonly limit?: number; readonly before?: string }; answer: ResultOf<"audit"> };
  "PUT certificate": { body: ParamsOf<"webCertificateSet">; answer: ResultOf<"webCertificateSet"> };
  "POST certificate/new": { body: Record<string, never>; answer: ResultOf<"webCertificateNew"> };
  "POST pair/invite": { body: { readonly replace?: boolean }; answer: PairingShown };
  "POST pair/join": { body: { readonly code: string; readonly replace?: boolean }; answer: PairingShown };
  "POST pair/answer": { body: { readonly yes: boolean }; answer: PairingShown };
  "POST pair/cancel": { body: Record<string, never>; answer: PairingShown };
  "POST pair/rotate": { body: Record<string, never>; answer: PairingShown };
  "POST pair/unpair": { body: Record<string, never>; answer: Message };
  "POST reboot": { body: { readonly force?: boolean }; answer: Message };
  "POST poweroff": { body: { readonly force?: boolean }; answer: Message };
  "POST factory-reset": { body: { readonly force?: boolean }; answer: Message };
  "POST update/back": { body: { readonly force?: boolean }; answer: Message };
  "POST update/stop": { body: Record<string, never>; answer: Message };
  "POST restore": { body: Uint8Array; answer: Restored };
  "GET restore": { answer: StickFiles };
  "POST restore/stick": { body: Omit<StickWish, "author">; answer: Restored };
}

export type Route = keyof Routes;
type Part<Name extends Route, Key extends string> =
  Routes[Name] extends Record<Key, infer Value> ? { readonly [K in Key]: Value } : { readonly [K in Key]?: never };
export type Wish<Name extends Route> = Part<Name, "body"> &
  (Routes[Name] extends { query: infer Query } ? { readonly query?: Query } : { readonly query?: never }) &
  Part<Name, "path"> & {
    readonly ifMatch?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  };
export type Answer<Name extends Route> = Routes[Name]["answer"];
