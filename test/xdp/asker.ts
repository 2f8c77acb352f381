/**
 * A client of `peer.ts echo`, run inside a namespace: opens COUNT flows at once, sends BYTES in each and waits for the
 * echo, then prints one line of JSON, {"servers": {NAME: flows}, "right": flows, "errors": [CODE, …]}, and ends.
 *
 *   asker.ts tcp|udp ADDRESS PORT COUNT BYTES
 */
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";

export interface Asked {
  readonly servers: Readonly<Record<string, number>>;
  /** Flows whose echo was what had been sent. */
  readonly right: number;
  readonly errors: readonly string[];
}

const PATIENCE_MILLIS = 3000;
const UDP_TRIES = 5;

const [protocol = "", address = "", port = "0", count = "1", bytes = "1"] = process.argv.slice(2);
const payload = Buffer.from(Uint8Array.from({ length: Number(bytes) }, (_, i) => i % 251));
const ask = protocol === "udp" ? askUdp : askTcp;

const answers = await Promise.allSettled(Array.from({ length: Number(count) }, () => ask()));
const servers: Record<string, number> = {};
const errors: string[] = [];
let right = 0;
for (const answer of answers) {
  if (answer.status === "rejected") {
    errors.push(String((answer.reason as NodeJS.ErrnoException).code ?? answer.reason));
    continue;
  }
  const end = answer.value.indexOf(10);
  const name = answer.value.subarray(0, end).toString();
  servers[name] = (servers[name] ?? 0) + 1;
  if (answer.value.subarray(end + 1).equals(payload)) right += 1;
}
process.stdout.write(`${JSON.stringify({ servers, right, errors } satisfies Asked)}\n`);
process.exit(0);

/** The greeting and the echo. */
function askTcp(): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = createConnection({ host: address, port: Number(port) }, () => socket.write(payload));
    socket.setTimeout(PATIENCE_MILLIS, () => socket.destroy(new Error("silence")));
    socket.on("error", reject);
    socket.on("data", (part: Buffer) => {
      parts.push(part);
      const all = Buffer.concat(parts);
      const end = all.indexOf(10);
      if (end < 0 || all.length < end + 1 + payload.length) return;
      socket.end();
      resolve(all);
    });
  });
}

/** Datagrams may be lost while neighbours are being resolved, so each is sent a few times. */
function askUdp(): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    let tries = 0;
    const send = () => {
      if (tries++ < UDP_TRIES) socket.send(payload);
      else reject(new Error("silence"));
    };
    socket.on("error", reject);
    socket.on("message", (message) => {
      clearInterval(timer);
      socket.close();
      resolve(message);
    });
    const timer = setInterval(send, PATIENCE_MILLIS / UDP_TRIES);
    socket.connect(Number(port), address, send);
  });
}
