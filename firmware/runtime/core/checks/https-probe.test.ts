/** HTTPS checks against real TLS servers on loopback, with certificates made for the purpose. */
import { utimesSync } from "node:fs";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { IpAddress } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Outcome } from "../../../health/check.ts";
import { type ServerCertificate, TestAuthority } from "./certificates.suite.ts";
import { probeHttps } from "./https-probe.ts";
import type { RunningProbe } from "./probe.ts";
import type { Probe, Subject } from "./subjects.ts";
import { TrustedAuthorities } from "./trusted-authorities.ts";

type HttpsProbe = Extract<Probe, { kind: "https" }>;

const loopback = "127.0.0.1" as IpAddress;
const now = () => instant(performance.now() * 1_000);
const DAY = 86_400_000;
const https: HttpsProbe = {
  kind: "https",
  port: undefined,
  path: "/alive",
  host: undefined,
  sni: "a.test",
  verify: true,
  expectStatus: [{ from: 200, to: 299 }],
  expectBody: undefined,
  intervalMs: 1_000,
  timeoutMs: 500,
  rise: 1,
  fall: 1,
};
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalive";

const servers: Server[] = [];
const running: RunningProbe[] = [];
let authority: TestAuthority;
let fine: ServerCertificate;

beforeAll(() => {
  authority = new TestAuthority();
  fine = authority.sign("DNS:a.test,IP:127.0.0.1", 30);
});
afterAll(() => authority.remove());
afterEach(async () => {
  for (const probe of running.splice(0)) probe.end();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function listen(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, loopback, () => resolve((server.address() as AddressInfo).port));
  });
}

function serve(certificate: ServerCertificate, answer: string, onRequest?: (text: string, socket: TLSSocket) => void) {
  const server = createTlsServer({ ...certificate, ALPNProtocols: ["http/1.1"] }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (bytes) => {
      onRequest?.(bytes.toString(), socket);
      socket.end(answer);
    });
  });
  server.on("tlsClientError", () => undefined);
  return listen(server);
}

function start(port: number, probe: HttpsProbe, trust = authority.listPath) {
  const about = { kind: "backend", pool: "web", backend: "s", at: "" } as const;
  const subject: Subject = { path: "s", about, probe, address: loopback, port, device: undefined, source: undefined };
  const trusting = { clock: { now }, authorities: new TrustedAuthorities(trust), wallMillis: Date.now };
  let attempt: RunningProbe | undefined;
  const outcome = new Promise<Outcome>((resolve) => (attempt = probeHttps(subject, probe, trusting, resolve)));
  if (attempt === undefined) throw new Error("no attempt");
  running.push(attempt);
  return { outcome, missing: attempt.missing };
}

const probe = (port: number, changed: Partial<HttpsProbe> = {}, trust?: string) =>
  start(port, { ...https, ...changed }, trust).outcome;

describe("an HTTPS check", () => {
  it("asks with the name of the certificate, over HTTP/1.1, and takes the expected answer", async () => {
    let asked: readonly unknown[] = [];
    const port = await serve(
      fine,
      OK,
      (text, { servername, alpnProtocol }) => (asked = [text, servername, alpnProtocol]),
    );
    const outcome = await probe(port, { expectBody: "alive" });
    expect(outcome).toMatchObject({ kind: "good", sentence: 'answered 200 OK, with "alive"' });
    expect(asked[0]).toMatch(new RegExp(`^GET /alive HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`));
    expect(asked.slice(1)).toEqual(["a.test", "http/1.1"]);
    const endsAt = outcome.kind === "good" ? outcome.certificateEndsAt : undefined;
    expect(Math.abs((endsAt ?? 0) - Date.now() - 30 * DAY)).toBeLessThan(DAY);
  });

  it("looks for the address in the certificate when it has no name", async () => {
    const port = await serve(fine, OK);
    expect(await probe(port, { sni: undefined })).toMatchObject({ kind: "good" });
    const named = await serve(authority.sign("DNS:a.test", 30), OK);
    expect(await probe(named, { sni: undefined })).toMatchObject({ sentence: "certificate is not for 127.0.0.1" });
  });

  it.each([
    [
      "another status",
      "HTTP/1.1 503 Service Unavailable\r\n\r\n",
      "answered 503 Service Unavailable, expected 200-299",
    ],
    [
      "another body",
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndead",
      'answered 200 OK, but the body does not hold "alive"',
    ],
    ["no HTTP", "SSH-2.0-x\r\n", "the answer is not HTTP/1.x"],
    ["nothing", "", "the answer ended before its head did"],
  ])("is bad on %s", async (_name, answer, sentence) => {
    const port = await serve(fine, answer);
    expect(await probe(port, { expectBody: "alive" })).toMatchObject({ kind: "failed", sentence });
  });

  it("is refused where nobody listens", async () => {
    const port = await listen(createTcpServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await probe(port)).toEqual({ kind: "refused" });
  });

  it("is bad where something else than TLS answers, and where the handshake is cut off", async () => {
    const plain = await listen(
      createTcpServer(
        (socket) =>
          void socket
            .on("error", () => undefined)
            .resume()
            .end("HTTP/1.1 400 Bad\r\n\r\n"),
      ),
    );
    expect(await probe(plain)).toMatchObject({ kind: "failed", sentence: "the answer is not TLS" });
    const cut = await listen(
      createTcpServer((socket) => void socket.on("error", () => undefined).once("data", () => socket.end())),
    );
    expect(await probe(cut)).toMatchObject({
      kind: "failed",
      sentence: "connected, but the TLS handshake was cut off",
    });
  });

  it.each([
    [40, "TLS refused: handshake failure"],
    [112, "TLS refused: unrecognized name"],
  ])("says why the server refused the handshake, by alert %i", async (alert, sentence) => {
    // Alert, TLS 1.2, two bytes: fatal, and the number. @see RFC 8446 §6
    const record = Buffer.from([21, 3, 3, 0, 2, 2, alert]);
    const refusing = await listen(
      createTcpServer((socket) => void socket.on("error", () => undefined).once("data", () => socket.write(record))),
    );
    expect(await probe(refusing)).toMatchObject({ kind: "failed", sentence });
  });

  it("says what it waits for", async () => {
    const silent = await listen(createTcpServer((socket) => void socket.on("error", () => undefined).resume()));
    const attempt = start(silent, https);
    expect(attempt.missing()).toBe("no connection");
    await expect.poll(attempt.missing).toBe("connected, but no TLS handshake");
    const mute = await listen(createTlsServer(fine, (socket) => void socket.on("error", () => undefined).resume()));
    await expect.poll(start(mute, https).missing).toBe("connected, but no answer");
  });
});

describe("the certificate", () => {
  it("must be by an authority that the box trusts, unless it is not verified", async () => {
    const port = await serve(fine, OK);
    const stranger = new TestAuthority();
    try {
      const sentence = "certificate is from an authority that the box does not trust";
      expect(await probe(port, {}, stranger.listPath)).toMatchObject({ kind: "failed", sentence });
      expect(await probe(port, { verify: false }, stranger.listPath)).toMatchObject({ kind: "good" });
    } finally {
      stranger.remove();
    }
  });

  it("is not judged with a list of authorities that cannot be read, and by a new list at once", async () => {
    const port = await serve(fine, OK);
    const sentence = "the box cannot read its list of trusted authorities";
    expect(await probe(port, {}, "/proc/self/mem")).toEqual({ kind: "notAsked", sentence });
    expect(await probe(port, {}, "/proc")).toEqual({ kind: "notAsked", sentence });
    const trusted = new TrustedAuthorities(authority.listPath);
    const before = trusted.context();
    expect(trusted.context()).toBe(before);
    utimesSync(authority.listPath, 1, 1);
    expect(trusted.context()).not.toBe(before);
    expect(new TrustedAuthorities("/nowhere/ca.pem").context()).toBeDefined();
  });

  it("must be for the name", async () => {
    const port = await serve(fine, OK);
    expect(await probe(port, { sni: "b.test" })).toMatchObject({
      kind: "failed",
      sentence: "certificate is not for b.test",
    });
  });

  it("is warned about before its end", async () => {
    const port = await serve(authority.sign("DNS:a.test", 5), OK);
    expect(await probe(port)).toMatchObject({ kind: "good", sentence: "answered 200 OK; certificate ends in 5 days" });
  });

  it("counts no more after its end, and is told of even where it is not verified", async () => {
    const port = await serve(authority.sign("DNS:a.test", -4), OK);
    expect(await probe(port)).toMatchObject({ kind: "failed", sentence: "certificate ended 3 days ago" });
    const unverified = await probe(port, { verify: false });
    expect(unverified).toMatchObject({ kind: "good", sentence: "answered 200 OK; certificate ended 3 days ago" });
  });
});
