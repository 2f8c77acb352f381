/**
 * Asks addresses in turn for their page, from inside the client's namespace: new connections at a steady rate, and a
 * number of connections that stay open and ask again and again. Writes a JSON line of counts ten times a second, and
 * one for each time without a page and for each failure. Ends when its standard input does.
 *
 *   node http-load.ts ADDRESS[,ADDRESS…] PORT REQUESTS_PER_SECOND KEPT_CONNECTIONS
 */
import { connect, type Socket } from "node:net";
import { monotonicMicros } from "./prober.ts";

export interface HttpCounts {
  readonly kind: "http";
  /** Requests on new connections. */
  readonly started: number;
  readonly served: number;
  /** Refused, reset, or not answered within {@link GIVE_UP_MILLIS}, by errno name or "timeout". */
  readonly failed: Readonly<Record<string, number>>;
  /** Served, but only after {@link LATE_MILLIS}: the client's SYN was lost and sent again a second later. */
  readonly late: number;
  /** Answers by the server that gave them, over new connections. */
  readonly byServer: Readonly<Record<string, number>>;
  /** The same by the address that was asked. */
  readonly byAddress: Readonly<Record<string, number>>;
  /** Connections kept open that have answered; an open one that is waiting for its answer counts. */
  readonly keptOpen: number;
  /** Kept connections that somebody ended, since the start. */
  readonly keptBroken: number;
  /** Of those, the ones that the client ended, because no answer came for {@link KEPT_GIVE_UP_MILLIS}. */
  readonly keptHung: number;
  readonly keptServed: number;
}

/** A time in which no new connection was served; microseconds of CLOCK_MONOTONIC. */
export interface HttpGap {
  readonly kind: "gap";
  readonly start: number;
  readonly end: number;
}

/** A request on a new connection that got no answer, told when it is given up. */
export interface HttpFailure {
  readonly kind: "failure";
  /** Microseconds of CLOCK_MONOTONIC. */
  readonly askedAt: number;
}

const GIVE_UP_MILLIS = 10_000;
/** A little below the second after which Linux repeats a SYN (TCP_TIMEOUT_INIT, RFC 6298 §2.1). */
const LATE_MILLIS = 900;
const GAP_MICROS = 50_000;
const KEPT_GIVE_UP_MILLIS = 5_000;
const KEPT_PAUSE_MILLIS = 100;
const REOPEN_MILLIS = 500;
const BATCH_MILLIS = 5;
const REPORT_MILLIS = 100;

const counts = { started: 0, served: 0, late: 0, keptOpen: 0, keptBroken: 0, keptHung: 0, keptServed: 0 };
const failed: Record<string, number> = {};
const byServer: Record<string, number> = {};
const byAddress: Record<string, number> = {};
let servedAt: number | undefined;
let port = 80;

function count(into: Record<string, number>, key: string): void {
  into[key] = (into[key] ?? 0) + 1;
}

/** The answering server's name once the whole answer is there. */
function servedBy(answer: string): string | undefined {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(answer)?.[1]);
  if (answer.length < end + 4 + length) return undefined;
  return /\r\nx-server: *(\w+)/i.exec(answer)?.[1] ?? "nobody";
}

function say(line: HttpCounts | HttpGap | HttpFailure): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function countServed(host: string, server: string, askedAt: number): void {
  const now = monotonicMicros();
  if (servedAt !== undefined && now - servedAt >= GAP_MICROS) say({ kind: "gap", start: servedAt, end: now });
  servedAt = now;
  counts.served += 1;
  if (now - askedAt >= LATE_MILLIS * 1_000) counts.late += 1;
  count(byServer, server);
  count(byAddress, host);
}

function request(host: string, connection: "close" | "keep-alive"): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: ${connection}\r\n\r\n`;
}

function askOnce(host: string): void {
  counts.started += 1;
  const askedAt = monotonicMicros();
  let answer = "";
  let done = false;
  const socket = connect({ host, port });
  const finish = (problem: string | undefined) => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    socket.destroy();
    if (problem === undefined) return;
    count(failed, problem);
    say({ kind: "failure", askedAt });
  };
  const timer = setTimeout(() => finish("timeout"), GIVE_UP_MILLIS);
  socket.setEncoding("latin1");
  socket.on("connect", () => socket.write(request(host, "close")));
  socket.on("data", (text: string) => {
    answer += text;
    const server = servedBy(answer);
    if (server === undefined || done) return;
    countServed(host, server, askedAt);
    finish(undefined);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? "error"));
  socket.on("end", () => finish("cut short"));
}

function keepAsking(host: string): void {
  let open = false;
  let answer = "";
  const socket: Socket = connect({ host, port, noDelay: true });
  let patience: NodeJS.Timeout | undefined;
  const giveUp = () => {
    if (open) counts.keptHung += 1;
    socket.destroy();
  };
  const ask = () => {
    if (socket.destroyed) return;
    answer = "";
    patience = setTimeout(giveUp, KEPT_GIVE_UP_MILLIS);
    socket.write(request(host, "keep-alive"));
  };
  socket.setEncoding("latin1");
  socket.on("connect", ask);
  socket.on("data", (text: string) => {
    answer += text;
    if (servedBy(answer) === undefined) return;
    clearTimeout(patience);
    if (!open) counts.keptOpen += 1;
    open = true;
    counts.keptServed += 1;
    setTimeout(ask, KEPT_PAUSE_MILLIS);
  });
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.destroy());
  socket.on("close", () => {
    clearTimeout(patience);
    if (open) {
      counts.keptOpen -= 1;
      counts.keptBroken += 1;
    }
    setTimeout(() => keepAsking(host), REOPEN_MILLIS);
  });
}

function run(hosts: readonly string[], rate: number, kept: number): void {
  const inTurn = (turn: number) => hosts[turn % hosts.length] ?? "";
  for (let i = 0; i < kept; i++) setTimeout(() => keepAsking(inTurn(i)), i * 10);
  let due = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    // After a stall at most a tenth of a second is made up for: a burst would measure the burst.
    due += (rate * Math.min(now - last, REPORT_MILLIS)) / 1_000;
    last = now;
    for (; due >= 1; due -= 1) askOnce(inTurn(counts.started));
  }, BATCH_MILLIS);
  setInterval(() => {
    say({ kind: "http", ...counts, failed, byServer, byAddress });
  }, REPORT_MILLIS);
}

if (import.meta.main) {
  const [hosts = "", where, rate, kept] = process.argv.slice(2);
  port = Number(where);
  process.stdin.resume().on("end", () => process.exit(0));
  process.stdout.on("error", () => process.exit(0));
  run(hosts.split(","), Number(rate), Number(kept));
}
