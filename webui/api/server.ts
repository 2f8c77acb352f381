/**
 * The HTTP side of the web process: each route of the table, the pages, the metrics. It decides nothing about rights;
 * core does, for every request.
 */
import type { Server } from "node:http";
import { ExitCode, type Refusal, RefusalError } from "@futago/firmware/runtime/exit-code.ts";
import rateLimit from "@fastify/rate-limit";
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { CoreClient } from "../client/control.ts";
import { checkQuery, checkValue } from "./check-request.ts";
import { addressOf, askerOf, sourceOf } from "./credential.ts";
import { LargeBodies } from "./large-bodies.ts";
import { type Exchange, headerOf, sendJson } from "./exchange.ts";
import type { Live } from "./live.ts";
import type { Pages } from "./pages.ts";
import { PROBLEM_TYPE, problemOf, retryAfter } from "./problem.ts";
import { rootRoutes } from "./root-routes.ts";
import type { Asked, Route } from "./route.ts";
import { securityHeaders } from "./security-headers.ts";

export const BASE = "/api/v1";
const BODY_BYTES_MAX = 64 << 10;
/** Of one source, to the API: fifty pages are less. */
const REQUESTS_MAX = 1_500;
const REQUESTS_MILLIS = 10_000;
const SOURCES_MAX = 5_000;

export interface ServerOptions {
  readonly core: CoreClient;
  readonly live: Live;
  readonly pages: Pages;
  readonly routes: readonly Route[];
  readonly version: string;
  /** Makes the server that listens. */
  readonly listener: (handler: Parameters<ServerFactory>[0]) => Server;
  /** Where else the pair's pages are, for the policy of a page. */
  readonly origins: () => Promise<readonly string[]>;
  /** An error that is our own fault. */
  readonly onFault: (route: string, error: unknown) => void;
  readonly requestsMax?: number;
}
type ServerFactory = (handler: (request: never, response: never) => void) => Server;

export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = fastify({
    serverFactory: (handler) => options.listener(handler as never),
    bodyLimit: BODY_BYTES_MAX,
    exposeHeadRoutes: false,
    logger: false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    return503OnClosing: false,
    // Of a path that cannot be read; no hook sees it.
    frameworkErrors: (error, request, reply) => {
      for (const [name, value] of Object.entries(securityHeaders([]))) void reply.header(name, value);
      void refuse(reply, refusalOf(error, request, options));
    },
  });
  parsers(app);
  await limit(app, options.requestsMax ?? REQUESTS_MAX);
  app.addHook("onRequest", async (request, reply) => guard(request, reply));
  app.setErrorHandler((error: FastifyError, request, reply) => refuse(reply, refusalOf(error, request, options)));
  app.setNotFoundHandler((request, reply) => refuse(reply, nothingHere(request, options.routes)));
  const large = new LargeBodies();
  for (const route of options.routes) addRoute(app, route, options, large);
  rootRoutes(app, options);
  await app.ready();
  return app;
}

/** JSON is the only thing that is taken, but for where a route says otherwise. */
function parsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    try {
      const text = body as string;
      const value: unknown = text === "" ? undefined : JSON.parse(text);
      done(null, (request.routeOptions.config as RouteConfig).keepText === true ? text : value);
    } catch {
      done(badJson());
    }
  });
}

interface RouteConfig {
  readonly keepText?: boolean;
}

/** By the route that was found, too: a path can be written in many ways, and with a host before it. */
function isOfApi({ url, routeOptions }: FastifyRequest): boolean {
  const found = routeOptions.url;
  return found === undefined || [url, found].some((path) => path.startsWith(`${BASE}/`));
}

/** A browser that another site sent here is told so before anything is done, whatever it brings along. */
function guard(request: FastifyRequest, reply: FastifyReply): void {
  for (const [name, value] of Object.entries(securityHeaders([]))) void reply.header(name, value);
  if (!isOfApi(request)) return;
  void reply.header("cache-control", "no-store");
  const origin = headerOf(request, "origin");
  if (origin === undefined || origin === `https://${headerOf(request, "host") ?? ""}`) return;
  throw new RefusalError({
    exitCode: ExitCode.failed,
    what: "this was asked by a page of another site",
    reason: "foreignOrigin",
    parameters: {},
  });
}

async function limit(app: FastifyInstance, max: number): Promise<void> {
  await app.register(rateLimit, { global: false, cache: SOURCES_MAX });
  const look = app.createRateLimit({
    max,
    timeWindow: REQUESTS_MILLIS,
    keyGenerator: ({ socket }) => sourceOf(addressOf(socket.remoteAddress)),
  });
  app.addHook("onRequest", async (request) => {
    // Pages are in memory and cost nothing.
    if (!isOfApi(request) && request.routeOptions.url !== "/metrics") return;
    const found = await look(request);
    if (found.isAllowed || !found.isExceeded) return;
    throw new RefusalError({
      exitCode: ExitCode.failed,
      what: "there were too many requests from your address",
      mend: "Wait as long as Retry-After says.",
      reason: "tooManyRequests",
      parameters: { seconds: found.ttlInSeconds },
    });
  });
}

function addRoute(app: FastifyInstance, route: Route, options: ServerOptions, large: LargeBodies): void {
  const { core, live, version, routes } = options;
  const media = route.bodyMedia;
  const letIn = large.letIn.bind(large, core);
  const add = (scope: FastifyInstance) => {
    if (media !== undefined) {
      scope.removeAllContentTypeParsers();
      if (route.streamsBody === true) scope.addContentTypeParser(media, (_request, body, done) => done(null, body));
      else scope.addContentTypeParser(media, { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    }
    scope.route({
      method: route.method,
      url: `${BASE}${route.path.replaceAll(/\{(\w+)\}/g, ":$1")}`,
      bodyLimit: route.bodyBytesMax ?? BODY_BYTES_MAX,
      config: { keepText: route.keepText === true } as never,
      ...(route.bodyBytesMax === undefined ? {} : { onRequest: (request, reply) => letIn(route, request, reply) }),
      handler: async (request, reply) => {
        const exchange: Exchange = { core, live, version, routes, request, reply, asker: askerOf(request) };
        const asked = checked(route, request);
        if (route.does.kind === "own") await route.does.run(exchange, asked);
        else {
          const { method, params } = route.does.question(asked);
          await sendJson(exchange, await core.askText(method, params as never, exchange.asker));
        }
        return reply;
      },
    });
  };
  if (media === undefined) add(app);
  else void app.register(async (scope) => add(scope));
}

function checked(route: Route, request: FastifyRequest): Asked {
  const place = route.place === undefined ? {} : checkValue(route.place, request.params);
  const query = checkQuery(route.query, request.query);
  return { place, query, body: checkedBody(route, request) } as Asked;
}

function checkedBody({ body: schema, keepText, bodyMedia }: Route, { body }: FastifyRequest): unknown {
  if (schema === undefined) {
    const isEmpty = body === undefined || (typeof body === "object" && body !== null && Object.keys(body).length === 0);
    if (isEmpty) return {};
    throw new RefusalError({
      exitCode: ExitCode.usage,
      what: "nothing is to be sent with this",
      reason: "unknownKey",
      parameters: {},
    });
  }
  if (body === undefined && (keepText === true || bodyMedia !== undefined))
    throw new RefusalError({
      exitCode: ExitCode.usage,
      what: "a body is needed",
      reason: "missingKey",
      parameters: {},
    });
  if (keepText === true || bodyMedia !== undefined) return body;
  return checkValue(schema, body ?? {});
}

async function refuse(reply: FastifyReply, refusal: Refusal): Promise<FastifyReply> {
  const problem = problemOf(refusal);
  const seconds = retryAfter(problem);
  if (seconds !== undefined) void reply.header("retry-after", String(seconds));
  if (problem.status === 401) void reply.header("www-authenticate", 'Bearer realm="futago"');
  const allow = problem.reason === "wrongMethod" ? String(problem.parameters["allow"]) : undefined;
  if (allow !== undefined) void reply.header("allow", allow);
  void reply.removeHeader("content-disposition");
  await reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
  return reply;
}

/** Of what Fastify refuses by itself, by its codes. */
const FASTIFY: Readonly<Record<string, readonly [reason: string, what: string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["wrongContentType", "the body is to be application/json"],
  FST_ERR_CTP_BODY_TOO_LARGE: ["bodyTooLarge", "the body is larger than it may be"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["wrongForm", "the body is not as long as it says"],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["missingKey", "a body is needed"],
};

function refusalOf(error: FastifyError | RefusalError, request: FastifyRequest, options: ServerOptions): Refusal {
  if (error instanceof RefusalError) return error.refusal;
  const [reason, what] = FASTIFY[error.code] ?? [];
  if (reason !== undefined && what !== undefined) return { exitCode: ExitCode.usage, what, reason, parameters: {} };
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    return { exitCode: ExitCode.usage, what: "the request cannot be understood", reason: "wrongForm", parameters: {} };
  }
  options.onFault(request.routeOptions.url ?? request.url.slice(0, 200), error);
  return {
    exitCode: ExitCode.failed,
    what: "the web process made a mistake; its log tells which",
    reason: "ownFault",
    parameters: {},
  };
}

function nothingHere(request: FastifyRequest, routes: readonly Route[]): Refusal {
  const path = request.url.split("?", 1)[0] ?? "";
  const known = routes.filter(({ path: of }) =>
    new RegExp(`^${BASE}${of.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
  if (known.length === 0)
    return { exitCode: ExitCode.failed, what: "there is nothing by this path", reason: "notFound", parameters: {} };
  const allow = known.map(({ method }) => method).join(", ");
  return { exitCode: ExitCode.usage, what: `this path knows ${allow}`, reason: "wrongMethod", parameters: { allow } };
}

function badJson(): RefusalError {
  return new RefusalError({ exitCode: ExitCode.usage, what: "the body is no JSON", reason: "notJson", parameters: {} });
}
