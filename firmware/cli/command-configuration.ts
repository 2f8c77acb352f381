/** Reads the words of the verbs that change and show the configuration. Pure. */
import type { HistoryQuery } from "../runtime/control-configuration.ts";
import { count, given, isRefused, type Refused, text, usageOf, type Values } from "./command-words.ts";
import type { Verb } from "./verb.ts";

/** How something is committed. */
export interface CommitWords {
  readonly comment?: string;
  readonly confirmSeconds?: number;
}

export type ConfigurationCommand =
  | { readonly kind: "set"; readonly path: string; readonly value: string }
  | { readonly kind: "delete"; readonly path: string }
  | { readonly kind: "edit" }
  | { readonly kind: "diff" }
  | { readonly kind: "discard"; readonly force: boolean }
  | { readonly kind: "commit"; readonly how: CommitWords }
  | { readonly kind: "confirm"; readonly revision: string | undefined; readonly force: boolean }
  | { readonly kind: "rollback"; readonly to: string; readonly how: CommitWords }
  | { readonly kind: "history"; readonly query: HistoryQuery }
  | { readonly kind: "apply"; readonly file: string; readonly how: CommitWords }
  | { readonly kind: "showConfig"; readonly revision: string | undefined; readonly candidate: boolean };

/** A day, as core takes it. */
const CONFIRM_SECONDS_MAX = 86_400;

export function buildConfiguration(
  verb: Verb,
  values: Values,
  [first = "", second = ""]: readonly string[],
): ConfigurationCommand | Refused {
  const force = values["force"] === true;
  switch (verb.name) {
    case "set":
      return { kind: "set", path: first, value: second };
    case "delete":
      return { kind: "delete", path: first };
    case "edit":
    case "diff":
      return { kind: verb.name };
    case "discard":
      return { kind: "discard", force };
    case "confirm":
      return { kind: "confirm", revision: first === "" ? undefined : first, force };
    case "history": {
      const limit = count(verb, values, "limit");
      if (isRefused(limit)) return limit;
      return { kind: "history", query: given({ limit, before: text(values, "before") }) };
    }
  }
  const confirmSeconds = count(verb, values, "confirm", CONFIRM_SECONDS_MAX);
  if (isRefused(confirmSeconds)) return confirmSeconds;
  const how = given({ comment: text(values, "comment"), confirmSeconds });
  switch (verb.name) {
    case "commit":
      return { kind: "commit", how };
    case "rollback":
      return { kind: "rollback", to: first, how };
    case "config":
      return { kind: "apply", file: second, how };
  }
  throw new Error(`nobody reads the words of ${verb.name}`);
}

export function buildShowConfig(verb: Verb, values: Values): ConfigurationCommand | Refused {
  const stray = ["service", "client", "backend", "limit"].find((name) => values[name] !== undefined);
  if (stray !== undefined) return usageOf(verb, `--${stray} is not for \`show config\``);
  const revision = text(values, "revision");
  const candidate = values["candidate"] === true;
  if (revision !== undefined && candidate) return usageOf(verb, "--revision and --candidate are two documents");
  return { kind: "showConfig", revision, candidate };
}
