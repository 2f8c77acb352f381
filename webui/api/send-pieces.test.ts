import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { fastify, type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sendPieces } from "./send-pieces.ts";

const body = randomBytes(32 << 20);
let app: FastifyInstance;
let response: ServerResponse | undefined;
let reader: Socket | undefined;

beforeEach(async () => {
  app = fastify();
  app.get("/", async (_request, reply) => {
    response = reply.raw;
    await sendPieces(reply.type("application/octet-stream"), body);
    return reply;
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  reader?.destroy();
  await app.close();
});

it("comes whole, with its length", async () => {
  const answer = await app.inject("/");
  expect(answer.rawPayload.equals(body)).toBe(true);
  expect(answer.headers["content-length"]).toBe(String(body.length));
});

it("waits in the memory of nobody while nothing of it is read", async () => {
  reader = connect((app.server.address() as AddressInfo).port, "127.0.0.1").pause();
  reader.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  await expect.poll(() => response?.writableNeedDrain).toBe(true);
  expect(response?.socket?.writableLength).toBeLessThan(256 << 10);
});
