/** Answers that may be large, as JSON in pieces. */
import type { Resolved, ResolvedService } from "../../../config/resolved.ts";
import type { CandidateChanged } from "../../control-configuration.ts";
import type { CheckStatus } from "../../control.ts";
import { JsonInPieces, listInPieces, objectInPieces } from "../../json-pieces.ts";
import type { HistoryEntry } from "../../store/store.ts";
import { statusQuery } from "./handlers.ts";
import { serviceNamed } from "./named.ts";

const AT_A_TIME = 50;

/** A ConfigShown. `text` is the document. */
export function configAnswer(revision: string, text: string): JsonInPieces {
  return new JsonInPieces(objectInPieces({ revision }, "document", [text]));
}

/** What was changed in a document, with what else is to be said. */
export function changesAnswer({ changes, ...rest }: CandidateChanged): JsonInPieces {
  return new JsonInPieces(objectInPieces(rest, "changes", listInPieces(someAtATime(changes))));
}

export function historyAnswer(entries: readonly HistoryEntry[]): JsonInPieces {
  return new JsonInPieces(listInPieces(someAtATime(entries)));
}

function* someAtATime<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += AT_A_TIME) yield all.slice(from, from + AT_A_TIME);
}

/** A list of CheckStatus: all, or those of a service. `checks` gives them out some at a time. */
export function healthAnswer(
  config: Resolved | undefined,
  service: string | undefined,
  checks: (only: ResolvedService | undefined) => Iterable<readonly CheckStatus[]>,
): JsonInPieces {
  const only = service === undefined || config === undefined ? undefined : serviceNamed(config, service);
  return new JsonInPieces(listInPieces(checks(only)));
}

/** The names of the services that a status is asked for; undefined: all. Refuses one that there is no service of. */
export function servicesAsked(config: Resolved | undefined, query: unknown): ReadonlySet<string> | undefined {
  const services = statusQuery(query);
  if (config !== undefined) for (const name of services ?? []) serviceNamed(config, name);
  return services;
}
