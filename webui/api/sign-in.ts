/** Signing in and out: core decides; here the session becomes a cookie, which no script of a page can read. */
import type { AccessMethods } from "@futago/firmware/runtime/control-access.ts";
import { noCookie, sessionCookie } from "./credential.ts";
import { type Exchange, sendJson } from "./exchange.ts";

type SigningIn = "claim" | "signIn" | "resume";

export async function signIn<Method extends SigningIn>(
  exchange: Exchange,
  method: Method,
  params: AccessMethods[Method]["params"],
): Promise<void> {
  // Whoever signs in is nobody yet: a session that came along is left where it is.
  const { from } = exchange.asker;
  const { session, proof, user, expiresAt } = await exchange.core.ask(method, params, { from });
  void exchange.reply.header("set-cookie", sessionCookie(session));
  await sendJson(exchange, JSON.stringify({ proof, user, expiresAt }));
}

export async function signOut(exchange: Exchange): Promise<void> {
  const answer = await exchange.core.askText("signOut", {}, exchange.asker);
  void exchange.reply.header("set-cookie", noCookie());
  await sendJson(exchange, answer);
}
