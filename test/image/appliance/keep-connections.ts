/** The process of {@link KeptConnections}: `keep-connections.ts ADDRESS COUNT`; a line on its input asks on each of them. */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

const ANSWER_MILLIS_MAX = 60_000;
const [address = "", count = "0"] = process.argv.slice(2);

const sockets = await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    const socket = connect(80, address);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    // Told by what it answers to the next question.
    socket.on("error", () => undefined);
    return socket;
  }),
);
process.stdout.write("open\n");
for await (const _ of createInterface({ input: process.stdin })) {
  const answers = await Promise.all(sockets.map(ask));
  const told = { answered: answers.filter(Boolean).length, ended: sockets.filter(({ destroyed }) => destroyed).length };
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
for (const socket of sockets) socket.destroy();

async function ask(socket: Socket): Promise<boolean> {
  if (socket.destroyed) return false;
  socket.write("GET / HTTP/1.1\r\nHost: vip\r\n\r\n");
  return await new Promise((resolve) => {
    const limit = setTimeout(() => resolve(false), ANSWER_MILLIS_MAX);
    const done = (is: boolean) => {
      clearTimeout(limit);
      resolve(is);
    };
    socket.once("data", (data) => done(data.toString("latin1").startsWith("HTTP/1.1 200")));
    socket.once("close", () => done(false));
  });
}
