/** One request and its answer, with what a route needs to work on it. */
import type { Scope, WhoIs } from "@futago/firmware/runtime/control-access.ts";
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Asker, CoreClient } from "../client/control.ts";
import type { Live } from "./live.ts";
import type { Route } from "./route.ts";

export interface Exchange {
  readonly core: CoreClient;
  readonly live: Live;
  /** Of this software. */
  readonly version: string;
  readonly routes: readonly Route[];
  readonly asker: Asker;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Sends what core answered, as it is. */
export async function sendJson({ reply }: Pick<Exchange, "reply">, text: string): Promise<void> {
  await reply.type("application/json; charset=utf-8").send(text);
}

/** A header that is there once. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

/** What core does not have to be asked for is shown to whom core knows with that right. Throws RefusalError. */
export async function demand({ core, asker }: Pick<Exchange, "core" | "asker">, scope: Scope): Promise<WhoIs> {
  const who = await core.ask("whoAmI", {}, asker);
  if (who.scopes.includes(scope)) return who;
  throw new RefusalError({
    exitCode: ExitCode.failed,
    what: `${who.name} may not do that: it needs the scope ${scope}`,
    mend: "Ask an admin for a role or a token that has it.",
    reason: "notAllowed",
    parameters: { scope },
  });
}
