/**
 * Sends datagrams to an echo server from many sockets, ten a second from each, inside the client's namespace, and
 * notes which server answers. Writes a JSON line of counts ten times a second. Ends when its standard input does.
 *
 *   node datagram-load.ts ADDRESS PORT CLIENTS
 */
import { createSocket } from "node:dgram";

export interface DatagramCounts {
  readonly clients: number;
  readonly sent: number;
  readonly answered: number;
  /** Not answered within {@link GIVE_UP_MILLIS}. */
  readonly lost: number;
  /** Answers by another server than the one before of the same client. */
  readonly moved: number;
}

const GIVE_UP_MILLIS = 1_000;
const PERIOD_MILLIS = 100;
const REPORT_MILLIS = 100;

const counts = { sent: 0, answered: 0, lost: 0, moved: 0 };

function ask(address: string, port: number): void {
  const waiting = new Map<number, number>();
  let sequence = 0;
  let server: string | undefined;
  const socket = createSocket("udp4");
  // Refusals are answers that do not come.
  socket.on("error", () => undefined);
  socket.on("message", (data) => {
    const [name, number] = data.toString("latin1").split(" ");
    if (!waiting.delete(Number(number))) return;
    counts.answered += 1;
    if (server !== undefined && server !== name) counts.moved += 1;
    server = name;
  });
  socket.connect(port, address, () => {
    setInterval(() => {
      const now = performance.now();
      for (const [number, sentAt] of waiting) {
        if (now - sentAt < GIVE_UP_MILLIS) break;
        waiting.delete(number);
        counts.lost += 1;
      }
      sequence += 1;
      waiting.set(sequence, now);
      counts.sent += 1;
      socket.send(String(sequence));
    }, PERIOD_MILLIS);
  });
}

if (import.meta.main) {
  const [address = "", port, clients] = process.argv.slice(2);
  process.stdin.resume().on("end", () => process.exit(0));
  process.stdout.on("error", () => process.exit(0));
  for (let i = 0; i < Number(clients); i++) setTimeout(() => ask(address, Number(port)), i * 7);
  setInterval(
    () => process.stdout.write(`${JSON.stringify({ clients: Number(clients), ...counts })}\n`),
    REPORT_MILLIS,
  );
}
