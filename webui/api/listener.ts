/**
 * The HTTPS listener, bounded in everything that a stranger can spend: time for the handshake, for the headers and for
 * the body, the size of headers, and connections, of which one of whoever has the most makes room for a new one.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server, type ServerOptions } from "node:https";
import type { Socket } from "node:net";
import { addressOf, sourceOf } from "./credential.ts";
import { boundTime } from "./request-time.ts";

export const CONNECTIONS_MAX = 1_024;
const HANDSHAKE_MILLIS = 10_000;
const HEADERS_MILLIS = 10_000;
/** A backup file of the largest size over a slow line. */
const REQUEST_MILLIS = 120_000;
/** Of an open connection between two requests; an answer may be as long in coming as its route lets it. */
const SILENCE_MILLIS = 60_000;
/** Of an answer that nobody takes. */
const STUCK_MILLIS = 60_000;
const KEEP_ALIVE_MILLIS = 30_000;
const CHECK_MILLIS = 2_000;
const HEADER_BYTES_MAX = 16 << 10;
const REQUESTS_PER_CONNECTION_MAX = 1_000;
/** Sent on one connection before the first of them is answered: no browser does, and each costs memory. */
const UNANSWERED_MAX = 4;
const BACKLOG = 511;

export interface Identity {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** TLS 1.2 with forward secrecy, or better. */
function tlsOptions(identity: Identity | undefined): ServerOptions {
  return {
    minVersion: "TLSv1.2",
    honorCipherOrder: true,
    ciphers: [
      "TLS_AES_128_GCM_SHA256",
      "TLS_AES_256_GCM_SHA384",
      "TLS_CHACHA20_POLY1305_SHA256",
      "ECDHE-ECDSA-AES128-GCM-SHA256",
      "ECDHE-RSA-AES128-GCM-SHA256",
      "ECDHE-ECDSA-AES256-GCM-SHA384",
      "ECDHE-RSA-AES256-GCM-SHA384",
      "ECDHE-ECDSA-CHACHA20-POLY1305",
      "ECDHE-RSA-CHACHA20-POLY1305",
    ].join(":"),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  };
}

export interface ListenerBounds {
  readonly connectionsMax?: number;
  readonly stuckMillis?: number;
}

/** Without an identity every handshake fails; {@link wear} gives it one. */
export function createListener(
  handler: (request: never, response: never) => void,
  { connectionsMax = CONNECTIONS_MAX, stuckMillis = STUCK_MILLIS }: ListenerBounds = {},
): Server {
  const options: ServerOptions = {
    ...tlsOptions(undefined),
    handshakeTimeout: HANDSHAKE_MILLIS,
    headersTimeout: HEADERS_MILLIS,
    // Each request has its own.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
    connectionsCheckingInterval: CHECK_MILLIS,
    maxHeaderSize: HEADER_BYTES_MAX,
    noDelay: true,
  };
  const server = createServer(options);
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION_MAX;
  server.maxHeadersCount = 100;
  server.timeout = SILENCE_MILLIS;
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  const mayAsk = boundConnections(server, connectionsMax, stuckMillis);
  server.on("request", (request, response) => {
    if (!mayAsk(request, response)) return void request.socket.destroy();
    boundTime(request, response, REQUEST_MILLIS);
    handler(request as never, response as never);
  });
  return server;
}

export function wear(server: Server, identity: Identity): void {
  server.setSecureContext(tlsOptions(identity));
}

interface Held {
  readonly socket: Socket;
  /** Where it comes from. */
  readonly source: string;
  /** Requests that are not answered yet. */
  busy: number;
  /** What is spoken on the socket, while a request is under way. */
  spoken: Socket | undefined;
  /** Of what was sent, when somebody looked last. */
  sent: number;
}

/** In the order in which they were idle longest. Returns what counts a request, and says whether it is not one too many. */
function boundConnections(
  server: Server,
  max: number,
  stuckMillis: number,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const held = new Map<string, Held>();
  const nameOf = ({ remoteAddress, remotePort, localAddress }: Socket) =>
    `${remoteAddress ?? ""} ${remotePort ?? 0} ${localAddress ?? ""}`;
  const touch = (name: string, one: Held) => {
    held.delete(name);
    held.set(name, one);
  };
  const looking = setInterval(() => letStuckGo(held.values()), stuckMillis);
  server.once("close", () => clearInterval(looking));
  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket);
    const source = sourceOf(addressOf(socket.remoteAddress));
    held.set(name, { socket, source, busy: 0, spoken: undefined, sent: 0 });
    socket.once("close", () => {
      if (held.get(name)?.socket === socket) held.delete(name);
    });
    if (held.size > max) toGo([...held.values()], socket).destroy();
  });
  return (request, response) => {
    const name = nameOf(request.socket);
    const one = held.get(name);
    if (one === undefined || one.busy >= UNANSWERED_MAX) return false;
    one.busy += 1;
    one.spoken = request.socket;
    touch(name, one);
    // The server sets it again when the answer is out.
    request.socket.setTimeout(0);
    response.once("close", () => {
      one.busy -= 1;
      if (held.get(name) === one) touch(name, one);
    });
    return true;
  };
}

/**
 * Of the source with the most connections the one that was idle longest; where all of them work, the newcomer if it is
 * one of them, else the oldest. So nobody keeps others out by holding many.
 */
function toGo(held: readonly Held[], newcomer: Socket): Socket {
  const ofSources = [...Map.groupBy(held, ({ source }) => source).values()];
  const most = ofSources.reduce((one, other) => (other.length > one.length ? other : one));
  const idle = most.find(({ busy, socket }) => busy === 0 && socket !== newcomer);
  const isOne = most.some(({ socket }) => socket === newcomer);
  return (idle ?? (isOne ? undefined : most[0]))?.socket ?? newcomer;
}

/** Whoever took nothing of what is to be sent since the last look is let go. */
function letStuckGo(held: Iterable<Held>): void {
  for (const one of held) {
    const { spoken, sent } = one;
    if (spoken === undefined) continue;
    if (spoken.writableLength > 0 && spoken.bytesWritten === sent) spoken.destroy();
    one.sent = spoken.bytesWritten;
  }
}

/** Resolves with why not when the address cannot be had. */
export function listenOn(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(error);
    server.once("error", onError);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off("error", onError);
      resolve(undefined);
    });
  });
}
