/**
 * Connections through two whole boxes: what the box that serves has in its table is in the other's, and `status` says
 * so. Then the box that serves loses its power, and every connection goes on, the idle ones too.
 */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { listensOn } from "../lab/processes.ts";
import { Pair, pairDocument, VIP } from "./pair-fixture.ts";

const SERVER = "10.2.0.11";
const COUNT = 40;
const backends = [{ name: "s1", address: SERVER, port: 7000 }];
const service = (name: string, port: number, mode: string) => ({
  name,
  address: VIP,
  port,
  protocol: "tcp",
  mode,
  pool: `pool-${name}`,
});

const document = {
  ...pairDocument(),
  pools: [
    { name: "pool-routed", check: { type: "tcp" }, backends },
    { name: "pool-armed", check: { type: "tcp" }, backends: [{ ...backends[0], port: 7001 }] },
  ],
  services: [service("routed", 80, "nat"), service("armed", 81, "one-arm")],
};

/** Echoes on both ports. */
const ECHO = `for (const port of [7000, 7001]) require("node:net").createServer((s) => s.on("error", () => s.destroy()).pipe(s)).listen(port, "${SERVER}")`;
/** Opens connections to both services; a line on standard input is sent over each, and the echoes are counted. */
const CLIENT = `
const net = require("node:net");
const sockets = Array.from({ length: ${COUNT} }, (_, i) => net.connect({ host: "${VIP}", port: 80 + (i % 2) }));
let echoes = 0, lost = 0, open = 0;
const say = () => console.log(JSON.stringify({ open, echoes, lost }));
for (const s of sockets) {
  s.on("connect", () => { open++; say(); });
  s.on("data", () => { echoes++; say(); });
  s.on("error", () => {}); s.on("close", () => { lost++; say(); });
}
process.stdin.on("data", () => { echoes = 0; say(); for (const s of sockets) s.write("x"); });`;

let pair: Pair;
let client: ChildProcess;
const said: { open: number; echoes: number; lost: number }[] = [];
/** Every connection says something, and hears it back or is lost. */
async function speakOverAll(): Promise<typeof ALL_HEARD> {
  said.length = 0;
  client.stdin?.write("go\n");
  await vi.waitUntil(() => now().echoes + now().lost >= COUNT, { timeout: 20_000 });
  return now();
}
const ALL_HEARD = { open: COUNT, echoes: COUNT, lost: 0 };
const now = () => said.at(-1) ?? { open: 0, echoes: 0, lost: 0 };

beforeAll(async () => {
  pair = await Pair.start({ document });
  await pair.stranger.ip(`addr add ${SERVER}/24 dev eth1`);
  await pair.stranger.ip("route add default via 10.2.0.1");
  for (const command of ["eth0", "eth1"])
    await pair.stranger.tryRun(["ethtool", "-K", command, "tx", "off", "tso", "off"]);
  await pair.client.tryRun(["ethtool", "-K", "eth0", "tx", "off", "tso", "off"]);
  const server = pair.stranger.spawn([process.execPath, "-e", ECHO], { stdio: "ignore" });
  await vi.waitUntil(() => listensOn(server.pid, 7000), { timeout: 10_000 });
  await pair.settled("a");
  // Until a check has said so: what nobody has looked at yet counts as healthy, and these began before the server.
  const checked = ({ services }: BoxStatus) =>
    services.every((one) =>
      one.backends.every(({ healthy, reason }) => healthy && reason === "accepted the connection"),
    );
  await pair.until("a", "healthy backends", checked);
  await pair.until("b", "the same ring", checked);
});
afterAll(() => pair.destroy());

describe("connections through a pair", () => {
  it("are all in the other box's table, and the status says that they would survive", async () => {
    client = pair.client.spawn([process.execPath, "-e", CLIENT], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: client.stdout! }).on("line", (line) => said.push(JSON.parse(line)));
    await vi.waitUntil(() => now().open === COUNT, { timeout: 20_000 });
    const status = await pair.until(
      "a",
      `${COUNT} that would survive`,
      ({ connections }) => connections.established === COUNT && connections.replicated === COUNT,
    );
    expect(status.replication).toMatchObject({ linked: true, whole: true });
    expect(status.services.map(({ connections }) => connections.replicated)).toEqual([COUNT / 2, COUNT / 2]);
    const standby = await pair.until("b", "told flows", ({ connections }) => connections.established === COUNT);
    expect(standby.connections.replicated).toBeNull();
  });

  it("live on when the box that serves loses its power", async () => {
    await pair.powerOff("a");
    await pair.role("b", "active");
    expect(await speakOverAll()).toEqual(ALL_HEARD);
  });

  it("are told to the box that comes back, which then holds them all", async () => {
    for (const port of ["wan", "lan", "sync"] as const) await pair.setCable("a", port, true);
    await pair.startBox("a");
    const survives = ({ connections }: { connections: { replicated: number | null } }) =>
      connections.replicated === COUNT;
    await pair.until("b", "all told to a", survives);
    await pair.settled("b");
    expect(await speakOverAll()).toEqual(ALL_HEARD);
  });

  it("live on through a planned hand-over back", async () => {
    await pair.bringTo("a");
    expect(await speakOverAll()).toEqual(ALL_HEARD);
    const { counters } = await pair.until("a", "all told to b", ({ connections }) => connections.replicated === COUNT);
    expect(counters["sentReset"]).toBe(0);
  });

  it("live on through a drill there and back, which counts them", async () => {
    const { code, stdout } = await pair.box("a").futago("drill", "--return", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ back: "ordered", connections: { before: COUNT, after: COUNT } });
    await pair.settled("a");
    expect(await speakOverAll()).toEqual(ALL_HEARD);
  });

  it("are known to be gone when they end", async () => {
    client.kill();
    const gone = ({ connections }: { connections: { established: number } }) => connections.established === 0;
    await pair.until("a", "an empty table", gone);
    const { connections } = await pair.until("b", "an empty table", gone);
    expect(connections.replicated).toBeNull();
  });
});
