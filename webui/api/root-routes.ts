/** What is not the API: pages, metrics, and whether the box is well. */
import type { BoxesShown } from "@futago/firmware/runtime/control-ports.ts";
import { ExitCode, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { askerOf } from "./credential.ts";
import { demand, headerOf } from "./exchange.ts";
import { METRICS_TYPE, metricsText } from "./metrics.ts";
import { encodingOf, NO_PAGES, type Page } from "./pages.ts";
import { sendPieces } from "./send-pieces.ts";
import { securityHeaders } from "./security-headers.ts";
import { readSecurityTxt } from "./security-txt.ts";
import type { ServerOptions } from "./server.ts";

const METRICS_MILLIS = 1_000;

export function rootRoutes(app: FastifyInstance, options: ServerOptions): void {
  app.get("/healthz", (_request, reply) => healthz(options, reply));
  const metrics = new Metrics(options);
  app.get("/metrics", async (request, reply) => {
    await demand({ core: options.core, asker: askerOf(request) }, "metrics");
    await reply
      .type(METRICS_TYPE)
      .header("cache-control", "no-store")
      .send(await metrics.text());
    return reply;
  });
  const securityText = readSecurityTxt();
  app.get("/.well-known/security.txt", async (_request, reply) => {
    if (securityText === undefined) throw notFound();
    return reply.type("text/plain; charset=utf-8").send(securityText);
  });
  app.get("/assets/:name", (request, reply) => asset(options, request, reply));
  app.get("/*", (request, reply) => page(options, request, reply));
}

/** Public, and readable from everywhere: a page that lost its box looks whether the other one lives. */
async function healthz({ live, core }: ServerOptions, reply: FastifyReply): Promise<FastifyReply> {
  const { box = null, role = null } = live;
  const ok = core.isUp && role !== null;
  await reply
    .code(ok ? 200 : 503)
    .header("access-control-allow-origin", "*")
    .header("cross-origin-resource-policy", "cross-origin")
    .header("cache-control", "no-store")
    .type("application/json; charset=utf-8")
    .send(JSON.stringify({ ok, box, role: ok ? role : null }));
  return reply;
}

/** Of the newest second, for however many ask. */
class Metrics {
  readonly #options: ServerOptions;
  #made: { readonly text: Promise<string>; readonly at: number } | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  text(): Promise<string> {
    const now = performance.now();
    if (this.#made !== undefined && now - this.#made.at < METRICS_MILLIS) return this.#made.text;
    const text = this.#make();
    this.#made = { text, at: now };
    // What failed is not kept.
    text.catch(() => {
      this.#made = undefined;
    });
    return text;
  }

  async #make(): Promise<string> {
    const { core, live } = this.#options;
    const [status, boxes] = await Promise.all([core.ask("status", {}), live.boxesWithin(METRICS_MILLIS)]);
    return metricsText(status, JSON.parse(boxes) as BoxesShown);
  }
}

async function asset({ pages }: ServerOptions, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const found = pages.assets.get(request.url.split("?", 1)[0] ?? "");
  if (found === undefined) throw notFound();
  return sendPage(found, request, reply);
}

async function page(options: ServerOptions, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { pages } = options;
  const path = request.url.split("?", 1)[0] ?? "";
  const file = pages.assets.get(path);
  if (file !== undefined) return sendPage(file, request, reply);
  const wantsHtml = /text\/html|application\/xhtml\+xml|\*\/\*/.test(headerOf(request, "accept") ?? "*/*");
  if (!wantsHtml || path.startsWith("/api/")) throw notFound();
  for (const [name, value] of Object.entries(securityHeaders(await options.origins()))) void reply.header(name, value);
  if (pages.index !== undefined) return sendPage(pages.index, request, reply);
  await reply.code(503).type("text/plain; charset=utf-8").header("cache-control", "no-store").send(NO_PAGES);
  return reply;
}

async function sendPage(found: Page, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  void reply
    .header("etag", found.etag)
    .header("vary", "accept-encoding")
    .header("cache-control", found.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (headerOf(request, "if-none-match") === found.etag) return reply.code(304).send();
  const { name, body } = encodingOf(found, headerOf(request, "accept-encoding") ?? "");
  if (name !== undefined) void reply.header("content-encoding", name);
  await sendPieces(reply.type(found.type), body);
  return reply;
}

function notFound(): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.failed,
    what: "there is nothing by this path",
    reason: "notFound",
    parameters: {},
  });
}
