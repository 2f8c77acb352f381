/** The clients of the survival tests, in one process of the client's namespace: orders come in, what happened goes out. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { type Dial, onLines, type Order, type Told } from "./survival-talk.ts";

const sockets = new Map<number, Socket>();
const tell = (what: Told) => process.stdout.write(`${JSON.stringify(what)}\n`);

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line) as Order;
    if (order.kind === "dial") order.dials.forEach(dial);
    else for (const id of order.ids) sockets.get(id)?.write(`say ${order.word}\n`);
  })
  .on("close", () => process.exit(0));

function dial({ id, host, port }: Dial): void {
  const socket = connect({ host, port, noDelay: true });
  let reason = "closed by the other end";
  sockets.set(id, socket);
  socket.on("connect", () => socket.write(`hello ${id}\n`));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    reason = error.code ?? error.message;
  });
  socket.on("close", () => {
    sockets.delete(id);
    tell({ kind: "lost", id, reason });
  });
  onLines(socket, (verb, word) => {
    if (verb === "hello") tell({ kind: "open", id });
    else if (verb === "said") tell({ kind: "said", id, word });
    else if (verb === "ask") socket.write(`answer ${word}\n`);
  });
}
