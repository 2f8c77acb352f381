/** What makes a box of a pair less fit: a dead local server, a pulled cable, a core that hangs. And who comes back. */
import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { listensOn } from "../lab/processes.ts";
import { type Box, BOXES } from "../lab/topology.ts";
import type { Namespace } from "./namespaces.ts";
import { Pair, pairDocument, pause, VIP } from "./pair-fixture.ts";

const WEB_PORT = 8080;
const track = [
  { check: { type: "tcp", port: WEB_PORT, intervalMs: 200, timeoutMs: 100, rise: 1, fall: 2 }, weight: -50 },
];
const SERVER = `require("node:http").createServer((_, r) => r.end()).listen(${WEB_PORT}, "0.0.0.0")`;

let pair: Pair;
const servers: Partial<Record<Box, ChildProcess>> = {};

async function startServer(box: Box, host: Namespace = pair.hosts[box]): Promise<void> {
  const server = host.spawn([process.execPath, "-e", SERVER], { stdio: "ignore" });
  servers[box] = server;
  await vi.waitUntil(() => listensOn(server.pid, WEB_PORT), { timeout: 10_000 });
}

function stopServer(box: Box): void {
  servers[box]?.kill("SIGKILL");
}

/** The fitness of a box as `status` shows it. */
async function priority(box: Box, wanted: number): Promise<void> {
  await pair.until(box, `priority ${wanted}`, ({ groups }) => groups[0]?.priority === wanted);
}

async function startWithServers(group: object): Promise<void> {
  const before = async (hosts: Readonly<Record<Box, Namespace>>) => {
    for (const box of BOXES) await startServer(box, hosts[box]);
  };
  pair = await Pair.start({ document: pairDocument({}, { track, ...group }), before });
}

const newest = async (box: Box) => (await pair.why(box)).findLast(({ event }) => event === "role");
const vipAnswers = async () => (await pair.client.tryRun(["ping", "-c1", "-W1", VIP])).code === 0;

describe("a group without preemption", () => {
  beforeAll(async () => {
    await startWithServers({});
    await pair.settled("a");
  });
  afterAll(() => pair.destroy());

  it("leaves the box whose own server dies, by a planned hand-over, and stays when the server is back", async () => {
    stopServer("a");
    await pair.settled("b");
    await priority("a", 150);
    expect(await pair.alarm("a", "unfit")).toContain(`edge: check tcp 127.0.0.1:${WEB_PORT} failed`);
    expect(await newest("b")).toMatchObject({ to: "active", reason: "planned hand-over" });
    const before = await pair.moves();
    await startServer("a");
    await priority("a", 200);
    await pause(1_000);
    await pair.settled("b");
    expect(await pair.moves()).toEqual(before);
  });

  it("leaves the box whose core hangs, and is no worse off when the core goes on", async () => {
    const core = pair.box("b").pid("core");
    process.kill(core, "SIGSTOP");
    try {
      await pair.role("a", "active");
      expect(await vipAnswers()).toBe(true);
    } finally {
      process.kill(core, "SIGCONT");
    }
    await priority("b", 100);
    await pair.settled("a");
    expect(pair.box("b").pid("core")).toBe(core);
    expect(await newest("a")).toMatchObject({ to: "active", reason: "planned hand-over" });
  });

  it("leaves the box that loses the cable of a VIP, and stays when the cable is back", async () => {
    await pair.setCable("a", "wan", false);
    await pair.role("b", "active");
    expect(await vipAnswers()).toBe(true);
    expect(await pair.alarm("a", "unfit")).toContain("edge: eth0 has no carrier");
    await pair.setCable("a", "wan", true);
    await priority("a", 200);
    await pair.settled("b");
  });

  it("stays on a box whose core hangs when the peer is dead, and answers all the while", async () => {
    await pair.powerOff("a");
    await pair.alarm("b", "peer-lost");
    const core = pair.box("b").pid("core");
    const before = (await pair.why("b")).length;
    process.kill(core, "SIGSTOP");
    try {
      // Longer than a hung core is put up with while there is a peer.
      for (let second = 0; second < 6; second++) {
        expect(await vipAnswers()).toBe(true);
        await pause(1_000);
      }
    } finally {
      process.kill(core, "SIGCONT");
    }
    await priority("b", 100);
    expect((await pair.why("b")).slice(before).filter(({ event }) => event === "role")).toEqual([]);
  });
});

describe("a group with preemption", () => {
  const routers = [
    { interface: "wan", vrid: 10, addresses: [`${VIP}/24`], priority: { a: 90, b: 180 } },
    { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"], priority: { a: 90, b: 180 } },
  ];
  beforeAll(async () => {
    await startWithServers({ preempt: true, preferred: undefined, virtualRouters: routers });
  });
  afterAll(() => pair.destroy());

  it("goes to the box of the higher priority by itself", async () => {
    await pair.settled("b");
    await priority("b", 180);
    await priority("a", 90);
    expect(await newest("b")).toMatchObject({ to: "active" });
  });

  it("leaves it when its server dies, and returns when the server is back", async () => {
    stopServer("b");
    await pair.settled("a");
    await startServer("b");
    await pair.settled("b");
    expect(await newest("b")).toMatchObject({ to: "active", reason: "planned hand-over" });
  });

  it("is held down after three moves within a minute, with a countdown, except by a lost cable or a person", async () => {
    const countdown = /edge changed hands three times within a minute; .* wait \d+ s more/;
    expect(await pair.alarm("b", "held-down")).toMatch(countdown);
    stopServer("b");
    await priority("b", 130);
    await pause(1_000);
    await pair.settled("b");
    await pair.setCable("b", "lan", false);
    await pair.role("a", "active");
    expect(await pair.alarm("a", "held-down")).toMatch(countdown);
    await pair.setCable("b", "lan", true);
    await startServer("b");
    await priority("b", 180);
    await pause(1_000);
    await pair.settled("a");
    expect((await pair.box("a").futago("switchover")).code).toBe(0);
    await pair.settled("b");
  });
});
