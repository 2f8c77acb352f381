import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { boundPauses, boundTime } from "./request-time.ts";

let server: Server | undefined;
afterEach(() => server?.close());

/** What is answered to a body that comes in these many pieces, so many milliseconds apart, and then stays away. */
async function answered(pieces: number, apart: number, length: number, slow: number | undefined): Promise<string> {
  const listening = createServer((request, response) => {
    boundTime(request, response, 300);
    if (slow !== undefined) boundPauses(request, response, slow);
    let bytes = 0;
    request.on("data", (chunk: Buffer) => (bytes += chunk.length));
    request.on("end", () => response.end(`took ${bytes}`));
    request.on("error", () => undefined);
  });
  listening.requestTimeout = 0;
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const socket: Socket = connect((listening.address() as AddressInfo).port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`);
  for (let i = 0; i < pieces && !socket.destroyed; i++) {
    await new Promise((resolve) => setTimeout(resolve, apart));
    if (socket.writable) socket.write("x");
  }
  await closed;
  return `${text.split(" ")[1]} ${text.split("\r\n\r\n")[1] ?? ""}`.trim();
}

it("a request has its time in all, however busily it goes on", async () => {
  expect(await answered(20, 50, 20, undefined)).toBe("408");
});

it("a body that may be slow takes as long as it keeps coming", async () => {
  expect(await answered(20, 50, 20, 5_000)).toContain("took 20");
});

it("and no longer than a pause may be", async () => {
  expect(await answered(3, 20, 20, 400)).toBe("408");
});
