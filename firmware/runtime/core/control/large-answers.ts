/** Answers that may be large, as JSON in pieces. */
import type { Resolved, ResolvedService } from "../../../config/resolved.ts";
import type { CheckStatus } from "../../control.ts";
import { JsonInPieces, listInPieces, objectInPieces } from "../../json-pieces.ts";
import type { Revision } from "../../store/store.ts";
import { statusQuery } from "./handlers.ts";
import { serviceNamed } from "./named.ts";

/** A ConfigShown; undefined where there is no revision yet. */
export function configAnswer(revision: Revision | undefined): JsonInPieces | undefined {
  if (revision === undefined) return undefined;
  return new JsonInPieces(objectInPieces({ revision: revision.id }, "document", [revision.text]));
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
