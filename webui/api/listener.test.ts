import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Server, ServerResponse } from "node:http";
import { connect as connectPlain, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type SecureVersion, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createListener, type Identity, listenOn, wear } from "./listener.ts";

const CONNECTIONS = 4;
/** Short, so that a test can wait for it. */
const STUCK_MILLIS = 200;
let identities: readonly Identity[] = [];
let server: Server;
let port = 0;
let waiting: ServerResponse[] = [];
const sockets: Socket[] = [];
const directory = mkdtempSync(join(tmpdir(), "futago-listener-"));

beforeAll(() => {
  identities = ["one", "two"].map((name) => {
    const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
    const subject = ["-subj", `/CN=${name}`, "-days", "2", "-nodes", "-keyout", key, "-out", certificate];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    execFileSync("openssl", ["req", "-x509", ...curve, ...subject], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), certificate: readFileSync(certificate, "utf8") };
  });
});
afterAll(() => rmSync(directory, { recursive: true }));

beforeEach(async () => {
  waiting = [];
  const handler = (request: { url: string }, response: ServerResponse) => {
    if (request.url === "/wait") waiting.push(response);
    else response.end("x");
  };
  server = createListener(handler, { connectionsMax: CONNECTIONS, stuckMillis: STUCK_MILLIS });
  wear(server as never, identities[0] as Identity);
  expect(await listenOn(server as never, "127.0.0.1", 0)).toBeUndefined();
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

interface Opening {
  readonly maxVersion?: SecureVersion;
  readonly ciphers?: string;
  readonly localAddress?: string;
}

function open(options: Opening = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => resolve(socket));
    socket.on("error", reject);
    sockets.push(socket);
  });
}

const get = (socket: Socket, path: string) => socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
const isClosed = (socket: Socket) => expect.poll(() => socket.destroyed || socket.readableEnded).toBe(true);

describe("the listener", () => {
  it("speaks TLS 1.2 and 1.3, and nothing older", async () => {
    expect((await open()).getProtocol()).toBe("TLSv1.3");
    expect((await open({ maxVersion: "TLSv1.2" })).getProtocol()).toBe("TLSv1.2");
    await expect(open({ maxVersion: "TLSv1.1" })).rejects.toThrow(/alert|version|protocol/i);
    await expect(open({ maxVersion: "TLSv1.2", ciphers: "AES128-SHA" })).rejects.toThrow(/alert|no ciphers|handshake/i);
  });

  it("wears another certificate without a break", async () => {
    const before = await open();
    wear(server as never, identities[1] as Identity);
    expect((await open()).getPeerCertificate().subject.CN).toBe("two");
    expect(before.getPeerCertificate().subject.CN).toBe("one");
    get(before, "/");
    await expect.poll(() => before.bytesRead).toBeGreaterThan(0);
    await expect(open({ maxVersion: "TLSv1.1" })).rejects.toThrow(/alert|version|protocol/i);
  });

  it("lets the connection go that was idle longest when there are too many, and none that works", async () => {
    const working = await open();
    get(working, "/wait");
    await expect.poll(() => waiting.length).toBe(1);
    const idle = [await open(), await open(), await open()];
    const [first, second] = idle;
    if (first === undefined || second === undefined) throw new Error("there are three");
    get(first, "/");
    await expect.poll(() => first.bytesRead).toBeGreaterThan(0);
    await open();
    await isClosed(second);
    expect([working.destroyed, first.destroyed]).toEqual([false, false]);
    waiting[0]?.end("done");
    await expect.poll(() => working.bytesRead).toBeGreaterThan(0);
  });

  it("counts those that never shake hands, too", async () => {
    const silent = Array.from({ length: CONNECTIONS }, () => connectPlain(port, "127.0.0.1"));
    sockets.push(...silent);
    await expect.poll(() => silent.every(({ readyState }) => readyState === "open")).toBe(true);
    expect((await open()).getProtocol()).toBe("TLSv1.3");
    await expect.poll(() => silent.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length).toBe(1);
  });

  it("lets somebody go who takes nothing of an answer, and nobody who waits for one", async () => {
    const [stuck, patient] = [await open(), await open()];
    get(patient, "/wait");
    await expect.poll(() => waiting.length).toBe(1);
    get(stuck, "/wait");
    stuck.pause();
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]?.write(Buffer.alloc(32 << 20));
    await expect.poll(() => waiting[1]?.destroyed, { timeout: 10_000 }).toBe(true);
    waiting[0]?.end("done");
    await expect.poll(() => patient.bytesRead).toBeGreaterThan(0);
    expect(patient.destroyed).toBe(false);
  });

  it("lets one of whoever has the most go, though all of them work, and serves somebody else", async () => {
    const crowd: TLSSocket[] = [];
    for (let n = 0; n < CONNECTIONS; n++) crowd.push(await open());
    for (const socket of crowd) get(socket, "/wait");
    await expect.poll(() => waiting.length).toBe(CONNECTIONS);
    const owner = await open({ localAddress: "127.0.0.2" });
    get(owner, "/wait");
    await expect.poll(() => waiting.length).toBe(CONNECTIONS + 1);
    await expect
      .poll(() => crowd.map(({ destroyed, readableEnded }) => destroyed || readableEnded))
      .toEqual([true, false, false, false]);
    // Those who come after it are again of the crowd.
    await expect(open()).rejects.toThrow(/ECONNRESET|disconnected/);
    expect(owner.destroyed || owner.readableEnded).toBe(false);
  });

  it("ends a connection on which somebody asks again and again before there is an answer", async () => {
    const patient = await open();
    for (let n = 0; n < 3; n++) get(patient, "/wait");
    const greedy = await open();
    greedy.write("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n".repeat(40));
    await isClosed(greedy);
    await expect.poll(() => waiting.filter((response) => !response.destroyed).length).toBe(3);
    expect(waiting.length).toBeLessThan(10);
    expect(patient.destroyed || patient.readableEnded).toBe(false);
  });

  it("bounds the time and the size of what a stranger sends", () => {
    // A request's own time: request-time.test.ts.
    const { headersTimeout, keepAliveTimeout, timeout, maxRequestsPerSocket, maxHeadersCount } = server;
    const bounds = [headersTimeout, keepAliveTimeout, timeout, maxRequestsPerSocket, maxHeadersCount];
    expect(bounds.every((bound) => bound !== null && bound > 0)).toBe(true);
  });

  it("says why it cannot listen", async () => {
    const second = createListener(() => undefined);
    expect(await listenOn(second, "127.0.0.1", port)).toMatchObject({ code: "EADDRINUSE" });
    expect(await listenOn(second, "127.0.0.1", 0)).toBeUndefined();
    second.close();
  });
});
