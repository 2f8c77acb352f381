/** Probes of health checks against another namespace: what only a network between the two can show. */
import { createServer, type Server } from "node:net";
import { openClock } from "@futago/hal/board/clock.ts";
import type { Dialer } from "@futago/hal/contract/dial.ts";
import { openDialing } from "@futago/hal/dial/dialer.ts";
import type { IpAddress } from "@futago/hal/units/address.ts";
import type { Outcome } from "@futago/firmware/health/check.ts";
import type { RunningProbe } from "@futago/firmware/runtime/core/checks/probe.ts";
import type { Probe, Subject } from "@futago/firmware/runtime/core/checks/subjects.ts";
import { probeHttp, probeTcp } from "@futago/firmware/runtime/core/checks/tcp-probe.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";

type HttpProbe = Extract<Probe, { kind: "http" }>;

const WAIT = { timeout: 10_000 };
const clock = openClock();
const http: HttpProbe = {
  kind: "http",
  port: undefined,
  path: "/",
  host: undefined,
  expectStatus: [{ from: 200, to: 299 }],
  expectBody: "alive",
  intervalMs: 1_000,
  timeoutMs: 500,
  rise: 1,
  fall: 1,
};

let network: TestNetwork;
let box: Namespace;
let backend: Namespace;
let dialer: Dialer;
const servers: Server[] = [];

beforeAll(async () => {
  network = await createNetwork();
  box = await network.namespace("box");
  backend = await network.namespace("backend");
  await network.link(box, "eth0", backend, "eth0");
  await box.ip("addr add 10.2.0.2/24 dev eth0");
  await box.ip("addr add fd00::2/64 dev eth0 nodad");
  await backend.ip("addr add 10.2.0.11/24 dev eth0");
  await backend.ip("addr add fd00::11/64 dev eth0 nodad");
  dialer = openDialing().open();
  serve(80, "HTTP/1.1 200 OK\r\n\r\nalive");
  serve(81, undefined);
});
afterAll(async () => {
  dialer.close();
  for (const server of servers) server.close();
  await network.destroy();
});

/** Answers every connection, or never one. */
function serve(port: number, answer: string | undefined): void {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).resume();
    if (answer !== undefined) socket.once("data", () => socket.end(answer));
  });
  backend.inside(() => server.listen(port));
  servers.push(server);
}

interface Attempt {
  readonly probe: RunningProbe;
  readonly outcomes: readonly Outcome[];
}

function ask(address: string, port: number, kind: "tcp" | "http" = "tcp", source?: string): Attempt {
  const about = { kind: "backend", pool: "web", backend: "s", at: "" } as const;
  const [to, from] = [address as IpAddress, source as IpAddress | undefined];
  const subject: Subject = { path: "s", about, probe: http, address: to, port, device: undefined, source: from };
  const outcomes: Outcome[] = [];
  const onOutcome = (outcome: Outcome) => void outcomes.push(outcome);
  const start = () =>
    kind === "tcp"
      ? probeTcp(subject, { dialer, clock }, onOutcome)
      : probeHttp(subject, http, { dialer, clock }, onOutcome);
  return { probe: box.inside(start), outcomes };
}

describe("a probe over a network", () => {
  it.each(["10.2.0.11", "fd00::11"])("reaches %s, and hears what it asked for", async (address) => {
    const source = address.includes(":") ? "fd00::2" : "10.2.0.2";
    const [tcp, asked] = [ask(address, 80, "tcp", source), ask(address, 80, "http", source)];
    await expect.poll(() => tcp.outcomes, WAIT).toMatchObject([{ kind: "good", sentence: "accepted the connection" }]);
    const sentence = 'answered 200 OK, with "alive"';
    await expect.poll(() => asked.outcomes, WAIT).toMatchObject([{ kind: "good", sentence }]);
  });

  it("is refused by a host where nobody listens", async () => {
    const { outcomes } = ask("10.2.0.11", 82);
    await expect.poll(() => outcomes, WAIT).toEqual([{ kind: "refused" }]);
  });

  it("tells a host that does not connect from one that does not answer", async () => {
    const [nobody, mute] = [ask("10.2.0.99", 80, "http"), ask("10.2.0.11", 81, "http")];
    await expect.poll(() => mute.probe.missing(), WAIT).toBe("connected, but no answer");
    expect(nobody.probe.missing()).toBe("no connection");
    mute.probe.end();
    // No neighbour answers for it: the kernel gives up after three requests, a second each.
    const sentence = "host unreachable";
    await expect.poll(() => nobody.outcomes, WAIT).toEqual([{ kind: "failed", sentence, silent: true }]);
    expect(mute.outcomes).toEqual([]);
  });

  it("says which of the box's own routes stand in the way", async () => {
    await box.ip("route add unreachable 10.7.0.0/16");
    await box.ip("route add prohibit 10.8.0.0/16");
    const attempts = ["10.7.0.1", "10.8.0.1", "10.9.0.1"].map((address) => ask(address, 80));
    await expect
      .poll(() => attempts.flatMap(({ outcomes }) => outcomes), WAIT)
      .toEqual([
        { kind: "failed", sentence: "host unreachable", silent: true },
        { kind: "failed", sentence: "forbidden by the box's own rules", silent: true },
        { kind: "failed", sentence: "network unreachable", silent: true },
      ]);
  });

  it("leaves no connection behind on either side, not even in TIME_WAIT", async () => {
    const attempts = Array.from({ length: 50 }, (_, i) => ask("10.2.0.11", 80, i % 2 === 0 ? "tcp" : "http"));
    await expect.poll(() => attempts.every(({ outcomes }) => outcomes.length === 1), WAIT).toBe(true);
    for (const side of [box, backend]) {
      const connections = () => side.run(["ss", "-Htan", "state", "connected"]);
      await expect.poll(connections, WAIT).toBe("");
    }
  });
});
