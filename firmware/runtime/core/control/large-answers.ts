/** Answers that may be large, as JSON in pieces. */
import type { Resolved, ResolvedService } from "../../../config/resolved.ts";
import type { CheckStatus } from "../../control.ts";
import { JsonInPieces, listInPieces, objectInPieces } from "../../json-pieces.ts";
import type { Revision } from "../../store/store.ts";
import { serviceNamed } from "./named.ts";

/** A ConfigShown. */
export function configAnswer({ id, text }: Revision): JsonInPieces {
  return new JsonInPieces(objectInPieces({ revision: id }, "document", [text]));
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
