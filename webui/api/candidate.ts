/**
 * The candidate, with an ETag that is the hash of its text. Whoever replaces it says which one they saw: what somebody
 * else changed in between is refused here, or, when it comes between the look and the change, joined or refused by core.
 */
import { createHash } from "node:crypto";
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import { type Exchange, headerOf, sendJson } from "./exchange.ts";

/** In front of the document's text in core's answer, which is canonical and so as good as the document for a hash. */
const DOCUMENT = /^\{"revision":"[^"]*","document":/;

interface Seen {
  /** The whole answer. */
  readonly answer: string;
  readonly document: string;
  readonly etag: string;
}

async function look({ core, asker }: Exchange): Promise<Seen> {
  const answer = await core.askText("config", { candidate: true }, asker);
  const head = DOCUMENT.exec(answer)?.[0];
  const document =
    head === undefined
      ? JSON.stringify((JSON.parse(answer) as { readonly document: unknown }).document)
      : answer.slice(head.length, -1);
  return { answer, document, etag: etagOf(document) };
}

export function etagOf(document: string): string {
  return `"${createHash("sha256").update(document).digest("hex").slice(0, 32)}"`;
}

/** Whether an If-Match names the ETag. @see RFC 9110 §13.1.1 */
export function names(ifMatch: string, etag: string): boolean {
  const list = ifMatch.split(",").map((one) => one.trim());
  return list.includes("*") || list.includes(etag);
}

export async function readCandidate(exchange: Exchange): Promise<void> {
  const { answer, etag } = await look(exchange);
  void exchange.reply.header("etag", etag);
  await sendJson(exchange, answer);
}

export async function putCandidate(exchange: Exchange): Promise<void> {
  const ifMatch = headerOf(exchange.request, "if-match");
  if (ifMatch === undefined) throw ifMatchNeeded();
  const { document: was } = await seenAs(exchange, ifMatch);
  const document = exchange.request.body as string;
  const { core, asker } = exchange;
  // `author` is whom core finds behind the credential.
  const answer = await core.askText("edit", { document, was, anyway: true, author: "" }, asker);
  await changed(exchange, answer);
}

/** One place is changed as it is by the command line: If-Match is for whoever wants it. */
export async function editCandidate(
  exchange: Exchange,
  method: "set" | "delete",
  body: { readonly path: string; readonly value?: string },
): Promise<void> {
  await seenAs(exchange, headerOf(exchange.request, "if-match"));
  const { path, value = "" } = body;
  const { core, asker } = exchange;
  const answer =
    method === "set"
      ? await core.askText("set", { path, value, author: "" }, asker)
      : await core.askText("delete", { path, author: "" }, asker);
  await changed(exchange, answer);
}

export async function discardCandidate(exchange: Exchange, force: boolean): Promise<void> {
  await seenAs(exchange, headerOf(exchange.request, "if-match"));
  const { core, asker } = exchange;
  await sendJson(exchange, await core.askText("discard", { author: "", force }, asker));
}

async function changed(exchange: Exchange, answer: string): Promise<void> {
  void exchange.reply.header("etag", (await look(exchange)).etag);
  await sendJson(exchange, answer);
}

async function seenAs(exchange: Exchange, ifMatch: string | undefined): Promise<Seen> {
  const seen = ifMatch === undefined ? { answer: "", document: "", etag: "*" } : await look(exchange);
  if (ifMatch === undefined || names(ifMatch, seen.etag)) return seen;
  throw new RefusalError({
    exitCode: ExitCode.conflict,
    what: "the candidate is another one by now: somebody else changed it",
    mend: "Read it again, then make your change to what it is now.",
    reason: "changedMeanwhile",
    parameters: {},
  });
}

function ifMatchNeeded(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.usage,
    what: "whoever replaces the candidate says which one they saw",
    mend: "Send the ETag of GET /api/v1/candidate as If-Match.",
    reason: "ifMatchNeeded",
    parameters: {},
  });
}
