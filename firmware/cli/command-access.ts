/** Reads the words of the verbs about who may use the web UI and the API. Pure. */
import { isScope, isWebRole, type Scope, SCOPES, WEB_ROLES, type WebRole } from "../access/scopes.ts";
import { count, given, isRefused, quote, type Refused, text, texts, usageOf, type Values } from "./command-words.ts";
import type { Verb } from "./verb.ts";

export type AccessCommand =
  | { readonly kind: "web" }
  | { readonly kind: "users" }
  | {
      readonly kind: "userAdd";
      readonly name: string;
      readonly role: WebRole;
      readonly passwordFile: string | undefined;
    }
  | {
      readonly kind: "userSet";
      readonly name: string;
      readonly role: WebRole | undefined;
      readonly passwordFile: string | undefined;
    }
  | { readonly kind: "userDelete"; readonly name: string }
  | { readonly kind: "tokens" }
  | {
      readonly kind: "tokenCreate";
      readonly name: string;
      readonly scopes: readonly Scope[];
      readonly expires: string | undefined;
    }
  | { readonly kind: "tokenRevoke"; readonly id: string }
  | { readonly kind: "sessions" }
  | { readonly kind: "sessionEnd"; readonly id: string }
  | { readonly kind: "audit"; readonly query: { readonly limit?: number; readonly before?: string } };

export function buildAccess(verb: Verb, values: Values, operands: readonly string[]): AccessCommand | Refused {
  if (verb.name === "web") return { kind: "web" };
  if (verb.name === "audit") {
    const limit = count(verb, values, "limit");
    return isRefused(limit) ? limit : { kind: "audit", query: given({ limit, before: text(values, "before") }) };
  }
  const [word = "", object = ""] = operands;
  const stray = strayOption(values, word);
  if (stray !== undefined) return usageOf(verb, `--${stray} is not for ${word}`);
  if (word === "list") {
    return object === "" ? LISTS[verb.name as "user"] : usageOf(verb, `${quote(object)} is one word too many`);
  }
  if (object === "") return usageOf(verb, `${word} needs ${word === "revoke" || word === "end" ? "an ID" : "a NAME"}`);
  switch (word) {
    case "add":
    case "set":
      return user(verb, values, word, object);
    case "delete":
      return { kind: "userDelete", name: object };
    case "create":
      return token(verb, values, object);
    case "revoke":
      return { kind: "tokenRevoke", id: object };
  }
  return { kind: "sessionEnd", id: object };
}

const LISTS = { user: { kind: "users" }, token: { kind: "tokens" }, session: { kind: "sessions" } } as const;
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  add: ["role", "password-file"],
  set: ["role", "password-file"],
  create: ["scope", "expires"],
};

function strayOption(values: Values, word: string): string | undefined {
  const all = ["role", "password-file", "scope", "expires"];
  return all.find((name) => values[name] !== undefined && OPTIONS[word]?.includes(name) !== true);
}

function user(verb: Verb, values: Values, word: "add" | "set", name: string): AccessCommand | Refused {
  const role = text(values, "role");
  const passwordFile = text(values, "password-file");
  if (role !== undefined && !isWebRole(role)) {
    return usageOf(verb, `${quote(role)} is no role; the roles are ${WEB_ROLES.join(", ")}`);
  }
  if (word === "set") return { kind: "userSet", name, role, passwordFile };
  return role === undefined ? usageOf(verb, "add needs --role") : { kind: "userAdd", name, role, passwordFile };
}

function isExpiry(written: string): boolean {
  return /^\d{1,5}[hdw]$/.test(written) || !Number.isNaN(Date.parse(written));
}

function token(verb: Verb, values: Values, name: string): AccessCommand | Refused {
  const words = texts(values, "scope").flatMap((each) => each.split(","));
  const wrong = words.find((each) => !isScope(each));
  if (wrong !== undefined) return usageOf(verb, `${quote(wrong)} is no scope; the scopes are ${SCOPES.join(", ")}`);
  const scopes = SCOPES.filter((scope) => words.includes(scope));
  if (scopes.length === 0) return usageOf(verb, "create needs --scope");
  const expires = text(values, "expires");
  if (expires !== undefined && !isExpiry(expires)) {
    return usageOf(verb, `${quote(expires)} is no time; write it like 12h, 90d, 4w or 2027-01-31T00:00:00Z`);
  }
  return { kind: "tokenCreate", name, scopes, expires };
}
