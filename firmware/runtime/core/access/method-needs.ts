/**
 * Who may ask what. Each method and stream of the control sockets has its line here, or the program does not compile; a
 * method with a sentence for the audit log is put down there, whoever asks.
 */
import type { Scope } from "../../control-access.ts";
import type { ControlMethod, ControlMethods, ControlStream, ControlStreams } from "../../control.ts";
import type { DiagnosticStreams, PortsMethods } from "../../control-ports.ts";

export type Need =
  | Scope
  /** Anybody. */
  | "public"
  /** Anybody who signed in, for himself. */
  | "session"
  /** Root, on the box. */
  | "root"
  /** The web process, for itself. */
  | "web";

type Raw = Readonly<Record<string, unknown>>;
/** What was asked, without secrets. The parameters were not checked yet. */
type About = (params: Raw) => string;

export interface MethodNeed {
  readonly need: Need;
  /** The web process may ask it for itself, too. */
  readonly ofWeb?: true;
  /** Its parameters name an author, who is whoever asks. */
  readonly author?: true;
  readonly about?: About;
}

type Authored<Params> = Params extends { readonly author: string }
  ? { readonly author: true }
  : { readonly author?: never };
type Methods = ControlMethods & PortsMethods;
type Streams = ControlStreams & DiagnosticStreams;
type Needs = {
  readonly [Method in ControlMethod | keyof PortsMethods]: MethodNeed & Authored<Methods[Method]["params"]>;
} & { readonly [Stream in ControlStream | keyof DiagnosticStreams]: MethodNeed & Authored<Streams[Stream]["params"]> };

const read = { need: "read" } as const;
const nothingMore = () => "";
const to = (params: Raw) => word(params["to"]);
const forced = (params: Raw) => (params["force"] === true ? "forced" : "");
const commented = (params: Raw) => {
  const confirm =
    params["confirmSeconds"] === undefined ? "" : `, to be confirmed in ${word(params["confirmSeconds"])} s`;
  return `${word(params["comment"])}${confirm}`;
};

export const METHOD_NEEDS: Needs = {
  accessState: { need: "public" },
  claim: { need: "public", about: (params) => word(params["name"]) },
  signIn: { need: "public", about: nothingMore },
  resume: { need: "public", about: () => "by a ticket" },
  whoAmI: { need: "session" },
  ticket: { need: "session" },
  signOut: { need: "session", about: nothingMore },
  passwordChange: { need: "session", about: nothingMore },

  watchStatus: { need: "read", ofWeb: true },
  watchEvents: { need: "read", ofWeb: true },
  watchAccess: { need: "web", ofWeb: true },
  status: { need: "read", ofWeb: true },
  boxes: { need: "read", ofWeb: true },
  health: read,
  why: read,
  timeline: read,
  log: read,
  neighbours: read,
  flows: read,
  trace: read,
  config: read,
  diff: read,
  history: read,
  pairing: read,
  drills: read,
  webCertificate: read,

  switchover: { need: "operate", about: (params) => word(params["group"] ?? "all groups") },
  maintenance: { need: "operate", about: (params) => (params["on"] === true ? "on" : "off") },
  locate: { need: "operate", about: (params) => (params["on"] === true ? "on" : "off") },
  drain: {
    need: "operate",
    about: (params) => `${word(params["backend"])} ${params["on"] === true ? "drains" : "takes connections again"}`,
  },
  drill: { need: "operate", author: true, about: (params) => word(params["how"] ?? "planned") },
  spareActivate: { need: "operate", author: true, about: forced },
  spareRelease: { need: "operate", author: true, about: forced },
  capture: {
    need: "operate",
    about: (params) =>
      [params["service"], params["client"]]
        .filter((one) => one !== undefined)
        .map(word)
        .join(" "),
  },
  ping: { need: "operate", about: to },
  traceroute: { need: "operate", about: to },

  // What is not committed is in force nowhere, and who edits it is told beside it.
  set: { need: "configure", author: true },
  delete: { need: "configure", author: true },
  edit: { need: "configure", author: true },
  discard: { need: "configure", author: true, about: forced },
  commit: { need: "configure", author: true, about: commented },
  apply: { need: "configure", author: true, about: commented },
  confirm: { need: "configure", author: true, about: (params) => word(params["revision"]) },
  rollback: { need: "configure", author: true, about: (params) => `to ${word(params["to"])}` },

  users: { need: "admin" },
  userAdd: { need: "admin", about: (params) => `${word(params["name"])}, ${word(params["role"])}` },
  userSet: {
    need: "admin",
    about: (params) => {
      const role = params["role"] === undefined ? "" : `, ${word(params["role"])}`;
      return `${word(params["name"])}${role}${params["password"] === undefined ? "" : ", another password"}`;
    },
  },
  userDelete: { need: "admin", about: (params) => word(params["name"]) },
  tokens: { need: "admin" },
  tokenCreate: { need: "admin", about: (params) => `${word(params["name"])}, ${word(params["scopes"])}` },
  tokenRevoke: { need: "admin", about: (params) => word(params["id"]) },
  sessions: { need: "admin" },
  sessionEnd: { need: "admin", about: (params) => word(params["id"]) },
  audit: { need: "admin" },
  webCertificateSet: { need: "admin", about: nothingMore },
  webCertificateNew: { need: "admin", about: nothingMore },
  pairInvite: { need: "admin", about: nothingMore },
  pairJoin: { need: "admin", about: nothingMore },
  pairAnswer: { need: "admin", about: (params) => (params["yes"] === true ? "the digits are the same" : "refused") },
  pairCancel: { need: "admin", about: nothingMore },
  pairRotate: { need: "admin", about: nothingMore },
  unpair: { need: "admin", about: nothingMore },
  power: { need: "admin", about: (params) => `${word(params["end"])} ${forced(params)}`.trim() },
  factoryReset: { need: "admin", author: true, about: forced },
  backup: { need: "admin", about: nothingMore },
  restore: { need: "admin", author: true, about: forced },
  backupSealed: { need: "admin", about: nothingMore },
  restoreSealed: { need: "admin", author: true, about: forced },
  stickFiles: { need: "admin" },
  restoreStick: {
    need: "admin",
    author: true,
    about: (params) => `${word(params["name"])} ${forced(params)}`.trim(),
  },

  updateStatus: read,
  update: {
    need: "admin",
    author: true,
    about: (params) => `${word(params["file"] ?? "sent")} ${forced(params)}`.trim(),
  },
  updateUpload: { need: "admin", about: (params) => `${word(params["length"])} bytes` },
  updateUploadPart: { need: "admin" },
  updateStop: { need: "admin", author: true, about: nothingMore },
  updateBack: { need: "admin", author: true, about: forced },

  webAccess: { need: "root" },
  webIdentity: { need: "web" },
  webListens: { need: "web" },
};

const WORD_LENGTH_MAX = 200;

/** Of what somebody wrote, on one line. */
function word(value: unknown): string {
  const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out.
  return text.slice(0, WORD_LENGTH_MAX).replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/g, " ");
}
