/**
 * One end of real TCP connections and UDP exchanges, run inside a namespace by the end-to-end tests. Speaks lines of JSON.
 *
 *   peer.ts serve NAME PORT        greets each connection with NAME and echoes what it gets; prints "listening"
 *   peer.ts echo NAME PORT ADDRESS…  the same, and in UDP at each address: NAME, a line feed, and what came
 *   peer.ts talk ADDRESS PORT      keeps one connection per order read from standard input:
 *                                    {"id": 1, "open": true}      → {"id": 1, "greeting": NAME} or {"id": 1, "error": CODE}
 *                                    {"id": 1, "send": BYTES}     → {"id": 1, "echoed": BYTES, "right": BOOLEAN}
 *                                    {"id": 1, "close": true}
 */
import { createSocket } from "node:dgram";
import { createConnection, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

interface Order {
  readonly id: number;
  readonly open?: boolean;
  readonly send?: number;
  readonly close?: boolean;
}

const [mode, first = "", port = "0", ...addresses] = process.argv.slice(2);
if (mode === "serve") serve(first, Number(port));
else if (mode === "echo") echo(first, Number(port), addresses);
else talk(first, Number(port));

function serve(name: string, at: number): void {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  server.listen(at, () => process.stdout.write("listening\n"));
}

/** A datagram's answer comes from the address that it was sent to: each has a socket of its own. */
function echo(name: string, at: number, own: readonly string[]): void {
  let missing = own.length;
  for (const address of own) {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.on("message", (message, { address: to, port: toPort }) =>
      socket.send([Buffer.from(`${name}\n`), message], toPort, to),
    );
    socket.bind(at, address, () => {
      missing -= 1;
      if (missing === 0) serve(name, at);
    });
  }
}

function talk(address: string, at: number): void {
  const connections = new Map<number, Connection>();
  createInterface({ input: process.stdin }).on("line", (line) => {
    const order = JSON.parse(line) as Order;
    if (order.open === true) connections.set(order.id, new Connection(order.id, address, at));
    if (order.send !== undefined) connections.get(order.id)?.send(order.send);
    if (order.close === true) connections.get(order.id)?.close();
  });
}

function tell(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

class Connection {
  readonly #id: number;
  readonly #socket: Socket;
  #greeting = "";
  #greeted = false;
  #wanted = 0;
  #got = 0;
  #right = true;

  constructor(id: number, address: string, at: number) {
    this.#id = id;
    this.#socket = createConnection({ host: address, port: at });
    this.#socket.on("data", (data: Buffer) => this.#receive(data));
    this.#socket.on("error", (error: NodeJS.ErrnoException) => tell({ id, error: error.code }));
  }

  send(bytes: number): void {
    this.#wanted += bytes;
    const start = this.#wanted - bytes;
    this.#socket.write(Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => (start + i) % 251)));
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(data: Buffer): void {
    let rest = data;
    if (!this.#greeted) {
      const end = data.indexOf(10);
      this.#greeting += data.subarray(0, end < 0 ? data.length : end).toString();
      if (end < 0) return;
      this.#greeted = true;
      tell({ id: this.#id, greeting: this.#greeting });
      rest = data.subarray(end + 1);
    }
    for (const byte of rest) this.#right &&= byte === this.#got++ % 251;
    if (rest.length > 0 && this.#got === this.#wanted) tell({ id: this.#id, echoed: this.#got, right: this.#right });
  }
}
