/**
 * Lets a request of a control socket through, or not: who asks, whether that may be asked, in whose name it is carried
 * out, and what is put down of it. The web process is believed in one thing: from which address somebody came.
 */
import type { AuditEntry, Credential, Scope } from "../../control-access.ts";
import { badParameter } from "../control/handlers.ts";
import type { Entered, Gate, RawRequest } from "../control/control-server.ts";
import { sourceOf } from "../../../access/lockout.ts";
import { isName } from "../../../access/rules.ts";
import type { Asker } from "./asker.ts";
import type { Door } from "./door.ts";
import { METHOD_NEEDS, type MethodNeed } from "./method-needs.ts";
import { type AccessRefusal, notAllowed, notForTokens, notSignedIn } from "./refusals.ts";

export interface GateOptions {
  readonly door: Pick<Door, "person">;
  /** The letter of the box; "alone". */
  readonly box: string;
  /** RFC 3339. */
  readonly time: () => string;
  /** `knock`: whoever asked had no right to. */
  readonly audit: (entry: AuditEntry, knock: boolean) => void;
}

const ROOT: Asker = { kind: "root" };
const AUTHOR_LENGTH_MAX = 64;
/** Why an attempt failed that the limits of attempts let through. */
const ATTEMPTS: readonly (string | undefined)[] = ["wrongPassword", "wrongCode"] satisfies readonly AccessRefusal[];

/** Of `DIR/control.sock`: whoever connects is root. */
export function rootGate(options: GateOptions): Gate {
  return ({ method, params }) => {
    const need = needOf(method);
    if (need?.need === "web" && need.ofWeb === undefined) throw notAllowed(method);
    if (need?.need === "session") throw notSignedIn();
    return entered(options, { need, method, params, asker: ROOT });
  };
}

/** Of `DIR/web/core.sock`. */
export function webGate(options: GateOptions): Gate {
  return (request) => {
    const { method, params } = request;
    const need = needOf(method);
    // What there is no method of is told so by whoever looks for it.
    if (need === undefined) return entered(options, { need, method, params, asker: { kind: "web" } });
    const asker = askerOf(options, request, need);
    const entering = { need, method, params, asker };
    try {
      demand(need, method, asker);
    } catch (error) {
      // What strangers ask in vain is as much as they like.
      if (asker.kind === "person") entered(options, entering).over("refused", "notAllowed");
      throw error;
    }
    return entered(options, entering);
  };
}

function needOf(method: string): MethodNeed | undefined {
  return Object.hasOwn(METHOD_NEEDS, method) ? METHOD_NEEDS[method as keyof typeof METHOD_NEEDS] : undefined;
}

/** Throws RefusalError. */
function askerOf({ door }: GateOptions, { credential, from }: RawRequest, { need }: MethodNeed): Asker {
  if (from === undefined) {
    if (credential === undefined) return { kind: "web" };
    throw badParameter("whoever has a credential comes from an address");
  }
  if (typeof from !== "string" || from.length > 64 || sourceOf(from) === undefined)
    throw badParameter("from is an address");
  // Signing in is for whoever is not, or not any more.
  if (credential === undefined || need === "public") return { kind: "stranger", from };
  if (!isCredential(credential)) throw notSignedIn();
  return { kind: "person", person: door.person(credential), from };
}

function isCredential(value: unknown): value is Credential {
  if (typeof value !== "object" || value === null) return false;
  const { kind, session, proof, token } = value as Readonly<Record<string, unknown>>;
  if (kind === "session") return typeof session === "string" && typeof proof === "string";
  return kind === "token" && typeof token === "string";
}

function demand({ need, ofWeb }: MethodNeed, method: string, asker: Asker): void {
  if (need === "public" || (asker.kind === "web" && (need === "web" || ofWeb === true))) return;
  if (need === "web" || need === "root") throw notAllowed(method);
  if (asker.kind !== "person") throw notSignedIn();
  const { scopes, session } = asker.person;
  if (need === "session") {
    if (method !== "whoAmI" && session === undefined) throw notForTokens(method);
  } else if (!isAmong(scopes, need)) throw notAllowed(method, need);
}

function isAmong(scopes: readonly Scope[], need: Scope): boolean {
  return scopes.includes(need);
}

interface Entering {
  readonly need: MethodNeed | undefined;
  readonly method: string;
  readonly params: unknown;
  readonly asker: Asker;
}

function entered({ box, time, audit }: GateOptions, { need, method, params, asker }: Entering): Entered {
  const raw = isObject(params) ? params : {};
  const author = asker.kind === "person" ? asker.person.name : undefined;
  const forced = need?.author === true && asker.kind !== "root" ? { ...raw, author: author ?? "web" } : params;
  return {
    asker,
    params: forced,
    over: (outcome, reason) => {
      if (need?.about === undefined || reason === "tooManyAttempts") return;
      const isStranger = asker.kind === "stranger" && outcome === "refused";
      // The same: only what costs an attempt, of which nobody has many. It would fill the log, and wear the disk.
      if (isStranger && !ATTEMPTS.includes(reason)) return;
      const entry = { at: time(), box, ...whoOf(asker, raw), what: method, about: need.about(raw), outcome };
      audit(entry, isStranger || reason === "notAllowed");
    },
  };
}

function whoOf(asker: Asker, params: Readonly<Record<string, unknown>>): Pick<AuditEntry, "who" | "from"> {
  switch (asker.kind) {
    case "root":
      return {
        who: typeof params["author"] === "string" ? params["author"].slice(0, AUTHOR_LENGTH_MAX) : "root",
        from: "console",
      };
    case "person":
      return { who: asker.person.name, from: asker.from };
    case "stranger":
      return { who: isName(params["name"]) ? params["name"] : "", from: asker.from };
    case "web":
      return { who: "web", from: "" };
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
