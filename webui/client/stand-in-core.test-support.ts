/** A stand-in for core's end of `core.sock`: what it answers is the test's, and what it was asked is kept. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Refusal } from "@futago/firmware/runtime/exit-code.ts";
import { LineReader, parseObject } from "@futago/firmware/runtime/line-reader.ts";

export interface AskedOfCore {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly credential?: unknown;
  readonly from?: string;
}

type Answer = (asked: AskedOfCore) => unknown;

export class StandInCore {
  readonly directory = mkdtempSync(join(tmpdir(), "futago-web-"));
  readonly path = join(this.directory, "core.sock");
  readonly asked: AskedOfCore[] = [];
  readonly #answers: Record<string, Answer>;
  readonly #streams: { readonly socket: Socket; readonly id: number; readonly method: string }[] = [];
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  /** A method without an answer is never answered; an Error's `refusal` is the refusal. */
  constructor(answers: Record<string, Answer>) {
    this.#answers = answers;
  }

  listen(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    return new Promise((resolve) => server.listen({ path: this.path }, resolve));
  }

  /** As a core that dies: every connection is gone, and so is the socket. */
  die(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#streams.length = 0;
    this.#server?.close();
    rmSync(this.path, { force: true });
  }

  close(): void {
    this.die();
    rmSync(this.directory, { recursive: true, force: true });
  }

  watchers(method: string): number {
    return this.#streams.filter((stream) => stream.method === method && !stream.socket.destroyed).length;
  }

  publish(method: string, event: unknown): void {
    for (const stream of this.#streams) {
      if (stream.method === method) stream.socket.write(`${JSON.stringify({ id: stream.id, event })}\n`);
    }
  }

  #serve(socket: Socket): void {
    const lines = new LineReader(64 << 20);
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#take(socket, line);
    });
  }

  #take(socket: Socket, line: string): void {
    const { id, ...asked } = parseObject(line) as unknown as AskedOfCore & { readonly id: number };
    this.asked.push(asked);
    const { method } = asked;
    if (method.startsWith("watch") || ["ping", "traceroute", "capture"].includes(method))
      this.#streams.push({ socket, id, method });
    const answer = this.#answers[method];
    if (answer === undefined) return;
    try {
      const said = answer(asked);
      const isStream = this.#streams.some((stream) => stream.socket === socket && stream.id === id);
      socket.write(`${JSON.stringify(isStream ? { id, event: said } : { id, result: said })}\n`);
    } catch (error) {
      socket.write(`${JSON.stringify({ id, error: (error as { refusal: Refusal }).refusal })}\n`);
    }
  }
}
