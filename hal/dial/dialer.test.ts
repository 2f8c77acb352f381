/** Connections of the real kernel over loopback. */
import { readdirSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection, DialEvent, Dialer, DialOptions } from "../contract/dial.ts";
import type { IpAddress } from "../units/address.ts";
import { openDialing } from "./dialer.ts";

const LOOPBACK = "127.0.0.1" as IpAddress;
const REQUEST = new TextEncoder().encode("hello");

let dialer: Dialer;
const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeEach(() => (dialer = openDialing().open()));
afterEach(async () => {
  dialer.close();
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function listen(onConnection: (socket: Socket) => void, host: string = LOOPBACK): Promise<number> {
  const server = createServer((socket) => {
    // A reset is how every one of them ends.
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
    onConnection(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** An event as text: "connected", "bytes hello", "failed ECONNREFUSED". */
function words(event: DialEvent): string {
  switch (event.kind) {
    case "connected":
    case "ended":
      return event.kind;
    case "bytes":
      return `bytes ${Buffer.from(event.bytes).toString("latin1")}`;
    case "failed":
      return `failed ${event.code}`;
  }
}

function dial(port: number, options: Partial<DialOptions> = {}): { events: string[]; connection: Connection } {
  const events: string[] = [];
  const onEvent = (event: DialEvent) => void events.push(words(event));
  const request = new Uint8Array(0);
  return { events, connection: dialer.connect({ to: LOOPBACK, port, from: undefined, request, onEvent, ...options }) };
}

const echo = (socket: Socket) => void socket.on("data", (bytes) => socket.write(bytes));

describe("a connection without a request", () => {
  it("ends as soon as it stands, with a reset", async () => {
    const seen: string[] = [];
    const port = await listen((socket) => {
      socket.on("error", (error: NodeJS.ErrnoException) => seen.push(error.code ?? "")).resume();
    });
    const { events, connection } = dial(port);
    expect(events).toEqual([]);
    await expect.poll(() => events).toEqual(["connected"]);
    await expect.poll(() => seen).toEqual(["ECONNRESET"]);
    expect(connection.stands()).toBe(false);
    connection.close();
  });

  it("fails where nobody listens, over IPv6 too", async () => {
    const port = await listen(() => undefined);
    const port6 = await listen(() => undefined, "::1");
    expect(await settled(dial(port6, { to: "::1" as IpAddress }))).toEqual(["connected"]);
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    expect(await settled(dial(port))).toEqual(["failed ECONNREFUSED"]);
    expect(await settled(dial(port6, { to: "::1" as IpAddress }))).toEqual(["failed ECONNREFUSED"]);
  });
});

async function settled({ events }: { readonly events: readonly string[] }): Promise<readonly string[]> {
  await expect.poll(() => events.length).toBeGreaterThan(0);
  return events;
}

describe("a connection with a request", () => {
  it("sends it from the wanted address, hears the answer and its end", async () => {
    let from: string | undefined;
    const port = await listen((socket) => {
      from = socket.remoteAddress;
      socket.once("data", (bytes) => socket.end(`${bytes.toString()} you`));
    });
    const { events } = dial(port, { request: REQUEST, from: "127.0.0.9" as IpAddress });
    await expect.poll(() => events).toEqual(["bytes hello you", "ended"]);
    expect(from).toBe("127.0.0.9");
  });

  it("stands until it is closed, and tells nothing afterwards", async () => {
    const port = await listen(echo);
    const { events, connection } = dial(port, { request: REQUEST });
    await expect.poll(() => events).toEqual(["bytes hello"]);
    expect(connection.stands()).toBe(true);
    connection.close();
    connection.close();
    expect(connection.stands()).toBe(false);
    await expect.poll(() => sockets.size).toBe(0);
    expect(events).toEqual(["bytes hello"]);
  });

  it("brings a request and an answer larger than any buffer through", async () => {
    const port = await listen((socket) => {
      let bytes = 0;
      socket.on("data", (chunk) => {
        bytes += chunk.length;
        if (bytes === 65_536) socket.end(Buffer.alloc(3_000_000, 1));
      });
    });
    let answered = 0;
    let ended = false;
    const onEvent = (event: DialEvent) => {
      if (event.kind === "bytes") answered += event.bytes.length;
      ended ||= event.kind === "ended";
    };
    dialer.connect({ to: LOOPBACK, port, from: undefined, request: new Uint8Array(65_536), onEvent });
    await expect.poll(() => ended, { timeout: 5_000 }).toBe(true);
    expect(answered).toBe(3_000_000);
  });

  it("can be closed by its own listener, and another begun there", async () => {
    const port = await listen(echo);
    const events: string[] = [];
    const first: Connection = dialer.connect({
      to: LOOPBACK,
      port,
      from: undefined,
      request: REQUEST,
      onEvent: (event) => {
        events.push(`first ${words(event)}`);
        first.close();
        const onEvent = (next: DialEvent) => events.push(`second ${words(next)}`);
        dialer.connect({ to: LOOPBACK, port, from: undefined, request: REQUEST, onEvent });
      },
    });
    await expect.poll(() => events).toEqual(["first bytes hello", "second bytes hello"]);
    // The slot is the second one's now.
    first.close();
    expect(sockets.size).toBeGreaterThan(0);
  });
});

describe("a dialer", () => {
  it("keeps hundreds of connections apart", async () => {
    const port = await listen(echo);
    const all = Array.from({ length: 300 }, (_, i) => dial(port, { request: new TextEncoder().encode(`n${i}`) }));
    await expect.poll(() => all.filter(({ events }) => events.length > 0).length, { timeout: 5_000 }).toBe(300);
    expect(all.map(({ events }) => events.join())).toEqual(all.map((_, i) => `bytes n${i}`));
    for (const { connection } of all.slice(0, 200)) connection.close();
    await expect.poll(() => sockets.size).toBe(100);
    const again = Array.from({ length: 300 }, (_, i) => dial(port, { request: new TextEncoder().encode(`m${i}`) }));
    await expect.poll(() => again.map(({ events }) => events.join())).toEqual(again.map((_, i) => `bytes m${i}`));
  });

  it("may be closed from inside an event, with connections open", async () => {
    const port = await listen(echo);
    const events: string[] = [];
    const onEvent = (event: DialEvent) => {
      events.push(words(event));
      dialer.close();
    };
    for (let i = 0; i < 5; i++) dialer.connect({ to: LOOPBACK, port, from: undefined, request: REQUEST, onEvent });
    await expect.poll(() => events).toEqual(["bytes hello"]);
    await expect.poll(() => sockets.size).toBe(0);
    expect(() => dial(port)).toThrow(expect.objectContaining({ code: "EBADF" }));
  });

  it("loses no descriptor, whatever servers and listeners do", async () => {
    let round = 0;
    const port = await listen((socket) => {
      round += 1;
      if (round % 4 === 0) socket.resetAndDestroy();
      else if (round % 4 === 1) socket.end("early");
      else if (round % 4 === 2) socket.once("data", () => socket.end("x".repeat(100_000)));
    });
    const descriptors = () => readdirSync("/proc/self/fd").length - sockets.size;
    const before = descriptors();
    for (let batch = 0; batch < 10; batch++) {
      const all = Array.from({ length: 50 }, (_, i) => dial(port, i % 3 === 0 ? {} : { request: REQUEST }));
      all.forEach(({ connection }, i) => i % 5 === 0 && connection.close());
      await expect.poll(() => all.filter(({ events }) => events.length > 0).length).toBeGreaterThan(20);
      for (const { connection } of all) connection.close();
    }
    await expect.poll(() => sockets.size).toBe(0);
    expect(descriptors()).toBe(before);
  });

  it("refuses what the kernel refuses, at once", async () => {
    expect(() => dial(1, { from: "192.0.2.1" as IpAddress })).toThrow(
      expect.objectContaining({ code: "EADDRNOTAVAIL" }),
    );
    expect(() => dial(0)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => dial(1, { from: "::1" as IpAddress })).toThrow(expect.objectContaining({ code: "EAFNOSUPPORT" }));
    expect(() => dial(1, { request: new Uint8Array(65_537) })).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });
});
