/**
 * What asks a box's web process, in the client's namespace: pages that watch, sessions that ask, strangers that flood or
 * dawdle. Reads its orders as one JSON object on standard input, goes on until standard input ends, then prints what came.
 */
import { randomBytes } from "node:crypto";
import { Agent, request } from "node:https";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

export interface WebLoad {
  readonly host: string;
  readonly port: number;
  /** Where the requests come from, one host after the other. */
  readonly from: readonly string[];
  readonly sessions: readonly { readonly session: string; readonly proof: string }[];
  /** Of the sessions as many hold an event stream; the others ask for the status once a second. */
  readonly watching: number;
  /** Connections that ask without a session, as fast as they are answered. */
  readonly flooding: number;
  /** Connections that send a header one byte a second. */
  readonly dawdling: number;
}

export interface WebLoaded {
  /** Events that came to those who watch. */
  readonly events: number;
  /** Of the sessions that ask, milliseconds each. */
  readonly answers: readonly number[];
  readonly refused: number;
  readonly floodAnswers: number;
  readonly broken: number;
  /** Of those who dawdle, connections that the box ended. */
  readonly shut: number;
}

const SECOND = 1_000;
const found = { events: 0, answers: [] as number[], refused: 0, floodAnswers: 0, broken: 0, shut: 0 };
const over = new AbortController();

const [line, rest] = await firstLine();
const load = JSON.parse(line) as WebLoad;
const timers: NodeJS.Timeout[] = [];

load.sessions.forEach((session, i) => {
  const localAddress = load.from[i % load.from.length];
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  if (i < load.watching) return watch(session, agent, localAddress);
  const askNow = () => void ask(session, agent, localAddress);
  // Spread over the second.
  setTimeout(() => timers.push(setInterval(askNow, SECOND)), (i * SECOND) / load.sessions.length);
});
for (let i = 0; i < load.flooding; i++) void flood(load.from[i % load.from.length]);
for (let i = 0; i < load.dawdling; i++) dawdle(load.from[i % load.from.length]);

await rest;
over.abort();
process.stdout.write(`${JSON.stringify(found satisfies WebLoaded)}\n`);
process.exit(0);

type Session = WebLoad["sessions"][number];

function headersOf({ session, proof }: Session) {
  return { cookie: `__Host-futago=${session}`, "futago-proof": proof };
}

function options(path: string, localAddress: string | undefined) {
  const { host, port } = load;
  return { host, port, path, ...(localAddress === undefined ? {} : { localAddress }), rejectUnauthorized: false };
}

function watch(session: Session, agent: Agent, localAddress: string | undefined): void {
  const sent = request(
    { ...options("/api/v1/events", localAddress), agent, headers: headersOf(session) },
    (response) => {
      if (response.statusCode !== 200) found.refused += 1;
      response.on("data", (chunk: Buffer) => (found.events += chunk.toString().split("\nevent: ").length - 1));
      response.on("error", () => (found.broken += 1));
    },
  );
  sent.on("error", () => (found.broken += 1));
  sent.end();
}

async function ask(session: Session, agent: Agent, localAddress: string | undefined): Promise<void> {
  const from = performance.now();
  const status = await get("/api/v1/status", agent, headersOf(session), localAddress);
  if (status === 200) found.answers.push(performance.now() - from);
  else if (status === undefined) found.broken += 1;
  else found.refused += 1;
}

async function flood(localAddress: string | undefined): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  while (!over.signal.aborted) {
    const headers = { authorization: `Bearer futago_${randomBytes(16).toString("hex")}` };
    const status = await get("/api/v1/status", agent, headers, localAddress);
    if (status === undefined) found.broken += 1;
    else found.floodAnswers += 1;
  }
}

function get(
  path: string,
  agent: Agent,
  headers: Readonly<Record<string, string>>,
  localAddress: string | undefined,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sent = request({ ...options(path, localAddress), agent, headers }, (response) => {
      response.on("end", () => resolve(response.statusCode));
      response.on("error", () => resolve(undefined));
      response.resume();
    });
    sent.setTimeout(20 * SECOND, () => sent.destroy());
    sent.on("error", () => resolve(undefined));
    sent.end();
  });
}

/** A slow-loris: never done with its first line. */
function dawdle(localAddress: string | undefined): void {
  const { host, port } = load;
  const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
  const timer = setInterval(() => socket.write(Buffer.of(0x16)), SECOND);
  timers.push(timer);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    clearInterval(timer);
    if (over.signal.aborted) return;
    found.shut += 1;
    setTimeout(() => dawdle(localAddress), SECOND).unref();
  });
}

async function firstLine(): Promise<readonly [string, Promise<unknown>]> {
  return new Promise((resolve) => {
    process.stdin.once("data", (chunk: Buffer) => resolve([chunk.toString(), text(process.stdin)]));
  });
}
