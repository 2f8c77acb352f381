/**
 * What a box learns from clients' packets long before its checks look again, and clients that live beside their
 * backends. The checks look once a minute here, so that nothing else can explain what is found.
 */
import type { ChildProcess } from "node:child_process";
import type { BackendStatus } from "@futago/firmware/runtime/control.ts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

const rarely = { intervalMs: 60_000, timeoutMs: 500, rise: 2, fall: 3 };
const pool = (name: string, port: number, check: object) => ({
  name,
  check,
  backends: [
    { name: "s1", address: "10.2.0.11", port },
    { name: "s2", address: "10.2.0.12", port },
  ],
});
const service = (name: string, port: number, mode: string) => ({
  name,
  address: "front",
  protocol: "tcp",
  port,
  pool: name,
  mode,
});
const document = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
  ],
  failoverGroups: [
    {
      name: "edge",
      virtualRouters: [
        { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"], advertisementIntervalMs: 100 },
        { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"], advertisementIntervalMs: 100 },
      ],
    },
  ],
  pools: [
    pool("asked", 80, { type: "tcp", ...rarely }),
    pool("pinged", 81, { type: "icmp", ...rarely }),
    pool("unchecked", 82, { type: "none" }),
    pool("walled", 83, { type: "tcp", ...rarely }),
  ],
  services: [
    service("asked", 80, "nat"),
    service("pinged", 81, "one-arm"),
    service("unchecked", 82, "nat"),
    service("walled", 83, "nat"),
  ],
};

/** Says its address to whoever connects; "close 80" and "open 80" on standard input are for 10.2.0.12. */
const SERVERS = `
const net = require("node:net");
const listen = (port, address) => net.createServer((s) => s.on("error", () => {}).end(address + " to " + s.remoteAddress)).listen(port, address);
const second = new Map();
for (const port of [80, 81, 82, 83]) { listen(port, "10.2.0.11"); second.set(port, listen(port, "10.2.0.12")); }
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [verb, port] = [line.split(" ")[0], Number(line.split(" ")[1])];
  if (verb === "close") second.get(port).close(() => console.log("closed"));
  else second.set(port, listen(port, "10.2.0.12").on("listening", () => console.log("open")));
});`;

let net: TestNetwork;
let host: Namespace;
let client: Namespace;
let servers: Namespace;
let boxes: Boxes;
let box: RunningBox;
let listeners: ChildProcess;

beforeAll(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  client = await net.namespace("client");
  servers = await net.namespace("servers");
  await net.link(host, "eth0", client, "eth0");
  await net.link(host, "eth1", servers, "eth0");
  await client.ip("addr add 10.1.0.9/24 dev eth0");
  for (const address of ["10.2.0.11", "10.2.0.12"]) await servers.ip(`addr add ${address}/24 dev eth0`);
  await servers.ip("route add default via 10.2.0.1");
  for (const namespace of [client, servers]) {
    await namespace.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gro", "on"]);
  }
  listeners = servers.spawn([process.execPath, "-e", SERVERS], { stdio: ["pipe", "pipe", "inherit"] });
  await vi.waitUntil(async () => (await servers.tryRun(["ss", "-ltnH", "sport = :83"])).stdout.includes("10.2.0.12"), {
    timeout: 10_000,
  });
  box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document));
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
  // A backend that a check was too early for is looked at again by what clients see.
  await vi.waitUntil(
    async () => (await box.status()).services.every((one) => one.backends.every(({ healthy }) => healthy)),
    { timeout: 10_000 },
  );
});
afterAll(async () => {
  await boxes?.destroy([host]);
  await net?.destroy();
});

async function turn(what: "close" | "open", port: number): Promise<void> {
  const done = new Promise((resolve) => listeners.stdout?.once("data", resolve));
  listeners.stdin?.write(`${what} ${port}\n`);
  await done;
}

/** What so many connections to the VIP end with: what the server said, or why there was none. */
async function connect(port: number, times: number, from = client, source = "10.1.0.9"): Promise<readonly string[]> {
  const code = `
    const once = () => new Promise((done) => {
      const s = require("node:net").connect({ host: "10.1.0.1", port: ${port}, localAddress: "${source}" });
      s.on("data", (data) => done(data.toString())).on("error", (error) => done(error.code));
    });
    (async () => { const said = []; for (let i = 0; i < ${times}; i++) said.push(await once()); console.log(JSON.stringify(said)); })();`;
  return JSON.parse(await from.run([process.execPath, "-e", code]));
}

async function second(name: string): Promise<BackendStatus | undefined> {
  const found = (await box.status()).services.find((one) => one.name === name);
  return found?.backends.find((one) => one.name === "s2");
}

/** Clients connect until one meets s2; then s2 is out of rotation. Resolves to what `status` says of it. */
async function meetsTrouble(name: string, port: number, trouble: string): Promise<string> {
  const said = await connect(port, 40);
  expect(said).toContain(trouble);
  await vi.waitUntil(async () => (await second(name))?.healthy === false, { timeout: 10_000 });
  const after = await connect(port, 40);
  expect(new Set(after.map((one) => one.split(" ")[0]))).toEqual(new Set(["10.2.0.11"]));
  return (await second(name))?.reason ?? "";
}

describe("a backend that refuses clients", () => {
  it("is asked at once by its check, and out of rotation", async () => {
    await turn("close", 80);
    expect(await meetsTrouble("asked", 80, "ECONNREFUSED")).toBe("connection refused");
  });

  it.each([
    ["pinged", 81],
    ["unchecked", 82],
  ] as const)("is out although its check looks elsewhere, until it accepts again: %s", async (name, port) => {
    await turn("close", port);
    expect(await meetsTrouble(name, port, "ECONNREFUSED")).toContain("connection refused, as clients found");
    await turn("open", port);
    await vi.waitUntil(async () => (await second(name))?.healthy === true, { timeout: 10_000 });
    expect((await connect(port, 40)).some((one) => one.startsWith("10.2.0.12"))).toBe(true);
  });
});

it("a backend that routers call unreachable is out of rotation at once", async () => {
  await servers.run(["nft", "add table ip wall"]);
  await servers.run(["nft", "add chain ip wall in { type filter hook input priority 0; }"]);
  await servers.run(["nft", "add rule ip wall in ip daddr 10.2.0.12 tcp dport 83 reject with icmp host-unreachable"]);
  expect(await meetsTrouble("walled", 83, "EHOSTUNREACH")).toBe("host unreachable");
});

describe("a client beside its nat backend", () => {
  it.each(["10.2.0.12", "10.2.0.11"])("is answered, as %s, and is the VIP to the backend", async (source) => {
    expect(new Set(await connect(80, 10, servers, source))).toEqual(new Set(["10.2.0.11 to 10.1.0.1"]));
    const { stdout } = await box.futago("show", "flows", "--service", "asked", "--client", source);
    expect(stdout).toMatch(/asked +one-arm/);
  });

  it("does not change what others are to the backend", async () => {
    expect(new Set(await connect(80, 10))).toEqual(new Set(["10.2.0.11 to 10.1.0.9"]));
  });
});
