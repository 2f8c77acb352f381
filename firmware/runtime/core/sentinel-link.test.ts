import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseObject } from "../line-reader.ts";
import type { Orders, SentinelStatus, StaleSighting } from "../messages.ts";
import { SentinelLink } from "./sentinel-link.ts";

const orders: Orders = { revision: "ab".repeat(32), box: undefined, pair: undefined, interfaces: [], groups: [] };
const status: SentinelStatus = { role: "standby", groups: [], peer: undefined, heartbeat: undefined, alarms: [] };
const penalty = { group: undefined, cause: "gateway", weight: 40, sentence: "gone" } as const;

let directory = "";
let server: Server | undefined;
let link: SentinelLink | undefined;
let sockets: Socket[] = [];
let heard: Record<string, unknown>[] = [];
let told: string[] = [];

function listen(): Promise<void> {
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on("data", (chunk) => {
      for (const line of chunk.toString().trim().split("\n")) heard.push(parseObject(line) ?? {});
    });
  });
  return new Promise((resolve) => server?.listen({ path: join(directory, "sentinel.sock") }, resolve));
}

function stopServer(): Promise<void> {
  for (const socket of sockets.splice(0)) socket.destroy();
  return new Promise((resolve) => {
    if (server === undefined) resolve();
    else server.close(() => resolve());
    server = undefined;
  });
}

function open(): SentinelLink {
  const mine = told;
  link = new SentinelLink(join(directory, "sentinel.sock"), {
    onStatus: (one) => mine.push(`status ${one.role}`),
    onEvent: (one) => mine.push(`event ${one.event}`),
    onStale: (hosts) => mine.push(`stale ${hosts[0]?.host.address}`),
    onHardware: () => 0,
    onConnected: () => mine.push("connected"),
    onLost: () => mine.push("lost"),
  });
  return link;
}

const kinds = () => heard.map((message) => message["kind"]);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "futago-link-"));
  sockets = [];
  heard = [];
  told = [];
});
afterEach(async () => {
  link?.close();
  link = undefined;
  await stopServer();
  rmSync(directory, { recursive: true });
});

describe("core's end of the sentinel's socket", () => {
  it("waits for a sentinel that is not there yet, and says orders and health first thing", async () => {
    const made = open();
    made.sendOrders(orders);
    made.sendHealth([penalty]);
    await listen();
    await expect.poll(kinds).toEqual(["orders", "health"]);
    expect(heard[0]).toMatchObject({ orders: { revision: orders.revision } });
    // JSON leaves an undefined group out, which means every group all the same.
    expect(heard[1]).toMatchObject({ penalties: [{ cause: "gateway", weight: 40, sentence: "gone" }] });
  });

  it("says that the peer lacks connections, once, and first thing while it does", async () => {
    const made = open();
    made.sendTold(false);
    await listen();
    await expect.poll(kinds).toEqual(["health", "connections"]);
    expect(heard[1]).toMatchObject({ told: false });
    made.sendTold(false);
    made.sendTold(true);
    await expect.poll(kinds).toEqual(["health", "connections", "connections"]);
    expect(heard[2]).toMatchObject({ told: true });
  });

  it("says everything again to a sentinel that was restarted", async () => {
    await listen();
    open().sendOrders(orders);
    await expect.poll(kinds).toEqual(["orders", "health"]);
    await stopServer();
    await expect.poll(() => told).toContain("lost");
    await listen();
    await expect.poll(kinds).toEqual(["orders", "health", "orders", "health"]);
  });

  it("does not repeat health that did not change", async () => {
    await listen();
    const made = open();
    await expect.poll(() => told).toContain("connected");
    made.sendHealth([penalty]);
    made.sendHealth([{ ...penalty }]);
    made.sendHealth([]);
    await expect.poll(kinds).toEqual(["health", "health", "health"]);
    expect(heard[2]).toEqual({ kind: "health", penalties: [] });
  });

  it("hands on status and events, however the bytes are cut, and survives nonsense", async () => {
    await listen();
    open();
    await expect.poll(() => sockets.length).toBe(1);
    const text = `${JSON.stringify({ kind: "status", status })}\nnonsense\n{"kind":"other"}\n`;
    sockets[0]?.write(text.slice(0, 10));
    await new Promise((resolve) => setImmediate(resolve));
    sockets[0]?.write(text.slice(10));
    await expect.poll(() => told).toEqual(["connected", "status standby"]);
  });

  it("carries hosts that missed a take-over both ways", async () => {
    await listen();
    const made = open();
    await expect.poll(() => told).toContain("connected");
    const hosts = [{ interface: "wan", host: { address: "10.1.0.9" } }] as unknown as readonly StaleSighting[];
    sockets[0]?.write(`${JSON.stringify({ kind: "stale", hosts })}\n`);
    await expect.poll(() => told).toContain("stale 10.1.0.9");
    made.sendStale(hosts);
    await expect.poll(() => heard.at(-1)).toEqual({ kind: "stale", hosts });
  });

  it("answers a command with the sentinel's result, and with a refusal when it dies meanwhile or is away", async () => {
    const made = open();
    const refused = { kind: "result", ok: false, exitCode: 1 };
    expect(await made.command({ kind: "maintenance", on: true })).toMatchObject(refused);
    await listen();
    await expect.poll(() => told).toContain("connected");
    const first = made.command({ kind: "switchover", group: undefined });
    await expect.poll(kinds).toContain("command");
    const { id } = heard.at(-1) as { id: number };
    sockets[0]?.write(`${JSON.stringify({ kind: "result", id, ok: true, message: "done", exitCode: 0 })}\n`);
    expect(await first).toMatchObject({ ok: true, message: "done" });
    const second = made.command({ kind: "switchover", group: undefined });
    await stopServer();
    expect(await second).toMatchObject(refused);
  });
});
