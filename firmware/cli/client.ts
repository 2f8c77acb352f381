/** The command line's end of the control socket: one connection per command. */
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import {
  CONTROL_LINE_BYTES_MAX,
  type ControlMethod,
  type ControlMethods,
  type ControlReply,
  type ControlStream,
  type ControlStreams,
  type SupervisorReport,
} from "../runtime/control.ts";
import type { SignedIn } from "../runtime/control-access.ts";
import { ExitCode, type Refusal, RefusalError } from "../runtime/exit-code.ts";
import { LineReader, parseObject } from "../runtime/line-reader.ts";

/** A box that does not answer a request in this time is treated as not running. */
const ANSWER_MILLIS_MAX = 15_000;
/** What waits for the other box, too: for its judgement, its disk and its kernel, one after the other. */
const BOTH_BOXES_MILLIS_MAX = 90_000;
const OF_BOTH_BOXES: readonly ControlMethod[] = ["apply", "commit", "confirm", "rollback", "restore"];

export async function ask<Method extends ControlMethod>(
  stateDirectory: string,
  method: Method,
  params: ControlMethods[Method]["params"],
): Promise<ControlMethods[Method]["result"]> {
  const socket = await dial(stateDirectory);
  try {
    return await new Promise((resolve, reject) => {
      const millis = OF_BOTH_BOXES.includes(method) ? BOTH_BOXES_MILLIS_MAX : ANSWER_MILLIS_MAX;
      const late = setTimeout(() => reject(silent(stateDirectory, millis)), millis);
      readReplies(socket, (reply) => {
        clearTimeout(late);
        if (reply === undefined) reject(noAnswer(stateDirectory));
        else if ("error" in reply) reject(new RefusalError(reply.error));
        else resolve(("result" in reply ? reply.result : undefined) as ControlMethods[Method]["result"]);
      });
      socket.write(`${JSON.stringify({ id: 1, method, params })}\n`);
    });
  } finally {
    socket.destroy();
  }
}

/** Whether it is an account's password, as anybody who asks the web process would be told. Throws RefusalError where it is none. */
export async function signInAtBox(stateDirectory: string, name: string, password: string): Promise<SignedIn> {
  const outcome = await open(join(stateDirectory, "web", "core.sock"));
  if (outcome.kind !== "open") throw new RefusalError(await notReachable(stateDirectory, outcome.code));
  const { socket } = outcome;
  const asked = <Result>(method: ControlMethod, more: object) =>
    new Promise<Result>((resolve, reject) => {
      const late = setTimeout(() => reject(silent(stateDirectory, ANSWER_MILLIS_MAX)), ANSWER_MILLIS_MAX);
      readReplies(socket, (reply) => {
        clearTimeout(late);
        if (reply === undefined) reject(noAnswer(stateDirectory));
        else if ("error" in reply) reject(new RefusalError(reply.error));
        else resolve(("result" in reply ? reply.result : undefined) as Result);
      });
      // The console's own address: wrong passwords are counted there as everywhere.
      socket.write(`${JSON.stringify({ id: 1, method, params: {}, from: "::1", ...more })}\n`);
    });
  try {
    const signedIn = await asked<SignedIn>("signIn", { params: { name, password } });
    const { session, proof } = signedIn;
    await asked("signOut", { credential: { kind: "session", session, proof } });
    return signedIn;
  } finally {
    socket.destroy();
  }
}

/** Calls back for every event until the callback returns true (then resolves true) or the box goes away (false). */
export async function watch<Stream extends ControlStream>(
  stateDirectory: string,
  stream: Stream,
  onEvent: (event: ControlStreams[Stream]["event"]) => boolean,
  signal?: AbortSignal,
  params?: ControlStreams[Stream]["params"],
): Promise<boolean> {
  const socket = await dial(stateDirectory);
  try {
    return await new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => resolve(false));
      readReplies(socket, (reply) => {
        if (reply === undefined) resolve(false);
        else if ("error" in reply) reject(new RefusalError(reply.error));
        else if ("event" in reply && onEvent(reply.event as ControlStreams[Stream]["event"])) resolve(true);
      });
      socket.write(`${JSON.stringify({ id: 1, method: stream, params: params ?? {} })}\n`);
    });
  } finally {
    socket.destroy();
  }
}

/** What the supervisor says of its children; undefined when none runs. */
export async function askSupervisor(stateDirectory: string): Promise<SupervisorReport | undefined> {
  const socket = await open(join(stateDirectory, "supervisor.sock"));
  if (!(socket.kind === "open")) return undefined;
  const lines = new LineReader(CONTROL_LINE_BYTES_MAX);
  return new Promise((resolve) => {
    socket.socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) resolve(parseObject(line) as SupervisorReport | undefined);
    });
    socket.socket.on("close", () => resolve(undefined));
  });
}

/** Undefined stands for the end of the connection. */
function readReplies(socket: Socket, onReply: (reply: ControlReply | undefined) => void): void {
  const lines = new LineReader(CONTROL_LINE_BYTES_MAX);
  socket.on("data", (chunk: Buffer) => {
    for (const line of lines.push(chunk)) {
      const reply = parseObject(line);
      if (reply !== undefined) onReply(reply as unknown as ControlReply);
    }
    if (lines.overflow) socket.destroy();
  });
  socket.on("close", () => onReply(undefined));
}

async function dial(stateDirectory: string): Promise<Socket> {
  const outcome = await open(join(stateDirectory, "control.sock"));
  if (outcome.kind === "open") return outcome.socket;
  throw new RefusalError(await notReachable(stateDirectory, outcome.code));
}

type Opened = { readonly kind: "open"; readonly socket: Socket } | { readonly kind: "failed"; readonly code: string };

function open(path: string): Promise<Opened> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => resolve({ kind: "open", socket }));
    // Later errors show as "close", which every reader handles.
    socket.on("error", (error: NodeJS.ErrnoException) => resolve({ kind: "failed", code: error.code ?? "unknown" }));
  });
}

async function notReachable(stateDirectory: string, code: string): Promise<Refusal> {
  if (code === "EACCES" || code === "EPERM") {
    return {
      exitCode: ExitCode.failed,
      what: "you may not talk to the box: its control socket belongs to root",
      where: stateDirectory,
      mend: "Run the same command with sudo.",
    };
  }
  const report = await askSupervisor(stateDirectory);
  if (report === undefined) {
    return {
      exitCode: ExitCode.boxNotRunning,
      what: "no box runs in this state directory",
      where: stateDirectory,
      mend: "Start it with `futago run`, or say with --state where it runs.",
    };
  }
  return {
    exitCode: ExitCode.boxNotRunning,
    what: coreAway(report),
    where: stateDirectory,
    mend: "Try again in a moment.",
  };
}

/** The box in one sentence while its core is away: the sentinel keeps the role and the addresses meanwhile. */
function coreAway(report: SupervisorReport): string {
  const core = report.children.find((child) => child.name === "core");
  const sentinel = report.children.find((child) => child.name === "sentinel");
  const last =
    core?.lastEnd === null || core === undefined ? "" : ` (${core.lastEnd}, restarted ${core.restarts} times)`;
  const role = typeof sentinel?.pid === "number" ? "the sentinel runs and keeps the role" : "the sentinel is away too";
  return `the box runs but its core is starting${last}; ${role}`;
}

function silent(stateDirectory: string, millis: number): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.boxNotRunning,
    what: `the box did not answer for ${millis / 1_000} s: its core is frozen or overloaded`,
    where: stateDirectory,
    mend: "The sentinel keeps the role meanwhile. Look at the machine's load; restart the box if it stays so.",
  });
}

function noAnswer(stateDirectory: string): RefusalError {
  return new RefusalError({
    exitCode: ExitCode.boxNotRunning,
    what: "the box went away before it answered",
    where: stateDirectory,
    mend: "Ask again; `futago show log` tells what happened.",
  });
}
