/** Checks against real sockets on loopback; echo in memory. */
import { createSocket as createUdpSocket } from "node:dgram";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Dialing } from "@futago/hal/contract/dial.ts";
import { openDialing } from "@futago/hal/dial/dialer.ts";
import { FakeIcmp } from "@futago/hal/fake/icmp.ts";
import { FakeNetwork } from "@futago/hal/fake/network.ts";
import type { Ifindex, Ifname, IpAddress } from "@futago/hal/units/address.ts";
import { instant } from "@futago/hal/units/time.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestAuthority } from "./certificates.suite.ts";
import { CheckRunner } from "./check-runner.ts";
import type { Probe, Subject } from "./subjects.ts";

const timing = { intervalMs: 300, timeoutMs: 250, rise: 1, fall: 2 };
const WAIT = { timeout: 5_000 };
const loopback = "127.0.0.1" as IpAddress;
const gateway = "10.1.0.254" as IpAddress;

let icmp: FakeIcmp;
let network: FakeNetwork;
let runner: CheckRunner;
let verdicts: string[];
const servers: Server[] = [];
const now = () => instant(performance.now() * 1_000);

beforeEach(() => {
  icmp = new FakeIcmp(now);
  network = new FakeNetwork();
  verdicts = [];
  runner = new CheckRunner({
    machine: { clock: { now }, dialing: openDialing(), icmp, network },
    onVerdict: ({ path }, { verdict }) => verdicts.push(`${path} ${verdict}`),
  });
});
afterEach(async () => {
  runner.close();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, loopback, () => resolve((server.address() as { port: number }).port));
  });
}

function subject(probe: Probe, port: number, address = loopback): Subject {
  const about = { kind: "backend", pool: "web", backend: "s", at: "" } as const;
  return { path: "s", about, probe, address, port, device: undefined, source: undefined };
}

const tcp: Probe = { kind: "tcp", port: undefined, ...timing };
const http: Probe = {
  kind: "http",
  port: undefined,
  path: "/alive",
  host: undefined,
  expectStatus: [{ from: 200, to: 299 }],
  expectBody: undefined,
  ...timing,
};
const reason = () => runner.stateOf("s")?.reason;

describe("a TCP check", () => {
  it("is good when the connection is accepted, and bad at once when it is refused", async () => {
    const port = await listen((socket) => socket.resume());
    await runner.setSubjects([subject(tcp, port)]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s healthy"]);
    expect(reason()).toBe("accepted the connection");
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await expect.poll(() => verdicts, WAIT).toEqual(["s healthy", "s unhealthy"]);
    expect(reason()).toBe("connection refused");
  });

  it("keeps what it knows over a commit that changes only the timing, and forgets it with the target", async () => {
    const port = await listen((socket) => socket.resume());
    await runner.setSubjects([subject(tcp, port)]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s healthy"]);
    await runner.setSubjects([subject({ ...tcp, intervalMs: 400 }, port)]);
    expect(runner.stateOf("s")?.verdict).toBe("healthy");
    await runner.setSubjects([subject({ ...tcp, port: 1 }, 1)]);
    expect(runner.stateOf("s")?.verdict).toBe("unknown");
    await runner.setSubjects([]);
    expect(runner.stateOf("s")).toBeUndefined();
  });
});

describe("an HTTP check", () => {
  const answer = (text: string) => (socket: Socket) => {
    socket.once("data", () => socket.end(text));
  };

  it("asks as configured and takes an expected status", async () => {
    let request = "";
    const port = await listen((socket) => {
      socket.once("data", (chunk) => {
        request = chunk.toString();
        // In pieces, with an interim response before it.
        socket.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2");
        setImmediate(() => socket.end("04 No Content\r\n\r\n"));
      });
    });
    await runner.setSubjects([subject(http, port)]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s healthy"]);
    expect(request).toMatch(/^GET \/alive HTTP\/1\.1\r\n/);
    expect(reason()).toBe("answered 204 No Content");
  });

  it.each([
    ["HTTP/1.1 503 Busy\r\n\r\n", "answered 503 Busy, expected 200-299"],
    ["SSH-2.0-OpenSSH\r\n", "the answer is not HTTP/1.x"],
    ["HTTP/1.1 200", "the answer ended before its head did"],
    ["", "the answer ended before its head did"],
    [`HTTP/1.1 200 OK\r\nx: ${"y".repeat(20_000)}`, "the answer has a head of more than 16 KiB"],
  ])("is bad on %j", async (text, sentence) => {
    const port = await listen(answer(text));
    await runner.setSubjects([subject(http, port)]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s unhealthy"]);
    expect(reason()).toBe(sentence);
  });

  it("is bad when the answer does not come in time, and the connection is given up", async () => {
    let closed = 0;
    const port = await listen((socket) => socket.resume().on("close", () => closed++));
    await runner.setSubjects([subject(http, port)]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s unhealthy"]);
    expect(reason()).toBe("connected, but no answer within 250 ms");
    await expect.poll(() => closed).toBeGreaterThan(0);
  });
});

describe("the text that a body must hold", () => {
  it("is found in an answer that comes in pieces, and missed in another", async () => {
    let body: readonly [string, string] = ["still al", "ive\n"];
    const port = await listen((socket) => {
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\n\r\n${body[0]}`);
        setImmediate(() => socket.end(body[1]));
      });
    });
    await runner.setSubjects([subject({ ...http, expectBody: "alive" }, port)]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s healthy"]);
    expect(reason()).toBe('answered 200 OK, with "alive"');
    body = ["dead", ""];
    await expect.poll(() => verdicts.at(-1), WAIT).toBe("s unhealthy");
    expect(reason()).toBe('answered 200 OK, but the body does not hold "alive"');
  });
});

describe("what a check could not do", () => {
  it("is told when no connection comes about", async () => {
    const silent = { stands: () => false, close: () => undefined };
    const dialing: Dialing = { open: () => ({ connect: () => silent, close: () => undefined }) };
    runner.close();
    runner = new CheckRunner({
      machine: { clock: { now }, dialing, icmp, network },
      onVerdict: ({ path }, { verdict }) => verdicts.push(`${path} ${verdict}`),
    });
    await runner.setSubjects([subject(http, 80)]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s unhealthy"]);
    expect(reason()).toBe("no connection within 250 ms");
  });

  it("says nothing of the backend when the box itself is at fault", async () => {
    const port = await listen((socket) => socket.resume());
    await runner.setSubjects([{ ...subject(tcp, port), source: "192.0.2.1" as IpAddress }]);
    await expect.poll(reason, WAIT).toBe("the box has lost its own address on that network");
    expect(runner.stateOf("s")?.verdict).toBe("unknown");
  });
});

describe("the other kinds", () => {
  it("are looked at as their probes do: https with its certificate, dns", async () => {
    const server = createUdpSocket("udp4");
    const authority = new TestAuthority();
    try {
      const port = await new Promise<number>((resolve) => {
        server.on("message", (question, from) => {
          question.writeUInt16BE(0x8183, 2);
          server.send(question, from.port, from.address);
        });
        server.bind(0, loopback, () => resolve(server.address().port));
      });
      const dns: Probe = { kind: "dns", port: undefined, query: "a.test", expectAnswer: undefined, ...timing };
      const secure = createTlsServer(authority.sign("DNS:a.test", 5), (socket) => {
        socket.on("error", () => socket.destroy());
        socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
      });
      servers.push(secure);
      await new Promise<void>((resolve) => secure.listen(0, loopback, resolve));
      const https: Probe = { ...http, kind: "https", sni: "a.test", verify: false };
      await runner.setSubjects([
        { ...subject(dns, port), path: "d" },
        { ...subject(https, (secure.address() as AddressInfo).port), path: "h" },
      ]);
      await expect.poll(() => verdicts.toSorted(), WAIT).toEqual(["d unhealthy", "h healthy"]);
      expect(runner.stateOf("d")?.reason).toBe("answered NXDOMAIN");
      expect(runner.stateOf("h")?.certificateEndsAt).toBeGreaterThan(Date.now());
    } finally {
      server.close();
      authority.remove();
    }
  });
});

it("keeps many checks at their pace, each within its own interval", async () => {
  let asked = 0;
  const port = await listen((socket) => {
    asked += 1;
    socket.resume();
  });
  const many = Array.from({ length: 200 }, (_, i) => ({
    ...subject({ ...tcp, intervalMs: 1_000 }, port),
    path: `s${i}`,
  }));
  await runner.setSubjects(many);
  await expect.poll(() => verdicts.length, WAIT).toBe(200);
  const attempts = () => many.map(({ path }) => runner.stateOf(path)?.attempt ?? 0);
  await expect.poll(() => Math.min(...attempts()), WAIT).toBe(4);
  expect(Math.max(...attempts())).toBeLessThanOrEqual(5);
  expect(new Set(verdicts)).toEqual(new Set(many.map(({ path }) => `${path} healthy`)));
  // A connection that is reset before the server took it may never be seen there.
  expect(asked).toBeGreaterThan(700);
});

describe("an ICMP check", () => {
  it("follows whether the host answers, is silent or is unreachable", async () => {
    icmp.setHost(gateway, "answers");
    await runner.setSubjects([subject({ kind: "icmp", ...timing }, 0, gateway)]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s healthy"]);
    icmp.setHost(gateway, "silent");
    await expect.poll(() => verdicts.at(-1), WAIT).toBe("s unhealthy");
    icmp.setHost(gateway, "answers");
    await expect.poll(() => verdicts.at(-1), WAIT).toBe("s healthy");
    icmp.setHost(gateway, "unreachable");
    await expect.poll(() => verdicts.at(-1), WAIT).toBe("s unhealthy");
    expect(reason()).toContain("ENETUNREACH");
  });
});

describe("the check of a gateway", () => {
  const eth0 = "eth0" as Ifname;
  const about = { kind: "gateway", device: eth0 } as const;
  const check: Subject = { ...subject({ kind: "icmp", ...timing }, 0, gateway), about };
  const neighbour = (state: number) =>
    network.setNeighbour({ ifindex: 1 as Ifindex, address: gateway, mac: undefined, state, managed: true });

  it("is content with a gateway that resolves but drops echo requests", async () => {
    icmp.setHost(gateway, "silent");
    neighbour(0x02);
    await runner.setSubjects([check]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s healthy"]);
    expect(reason()).toBe("resolves, but answers no echo requests");
    neighbour(0x20);
    await expect.poll(() => verdicts.at(-1), WAIT).toBe("s unhealthy");
  });

  it("counts only answers once the gateway has answered", async () => {
    icmp.setHost(gateway, "answers");
    neighbour(0x02);
    await runner.setSubjects([check]);
    await expect.poll(() => verdicts, WAIT).toEqual(["s healthy"]);
    icmp.setHost(gateway, "silent");
    await expect.poll(() => verdicts.at(-1), WAIT).toBe("s unhealthy");
  });
});
