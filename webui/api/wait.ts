/** Answers that come from the status: waiting for a role, and the services alone. */
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { type Exchange, sendJson } from "./exchange.ts";

const TIMEOUT_SECONDS = 30;

export async function waitForRole(
  exchange: Exchange,
  { role, timeout = TIMEOUT_SECONDS }: { readonly role: string; readonly timeout?: number },
): Promise<void> {
  const { core, live, asker, request } = exchange;
  const now = await core.ask("status", { services: [] }, asker);
  const reached = now.role === role || (await live.untilRole(role, timeout * 1_000, request.socket));
  if (reached) return sendJson(exchange, JSON.stringify({ role }));
  throw new RefusalError({
    exitCode: ExitCode.failed,
    what: `the box was not ${role} within ${timeout} s`,
    reason: "waitedTooLong",
    parameters: { role, seconds: timeout },
  });
}

export async function services(exchange: Exchange, { service }: { readonly service?: string }): Promise<void> {
  const query = service === undefined ? {} : { services: [service] };
  const text = await exchange.core.askText("status", query, exchange.asker);
  await sendJson(exchange, JSON.stringify((JSON.parse(text) as BoxStatus).services));
}
