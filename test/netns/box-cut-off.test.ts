/**
 * A box that loses sight of its backends: by its own cable, by the switch behind it, or because one of them died. Only
 * the last is a reason to end connections.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";
import { Talker } from "./talker.ts";

const PEER = fileURLToPath(new URL("../xdp/peer.ts", import.meta.url));
const VIP = "10.1.0.1";
const NAMES = ["s1", "s2"] as const;
type Name = (typeof NAMES)[number];
const addressOf = (name: Name) => `10.2.0.1${name.slice(1)}`;

const PORTS = { nat: 7001, "one-arm": 7002 } as const;
type Mode = keyof typeof PORTS;
const MODES: readonly Mode[] = ["nat", "one-arm"];
const CONNECTIONS = 12;
const PATIENCE = { timeout: 20_000 };

const document = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
  ],
  failoverGroups: [
    {
      name: "edge",
      virtualRouters: [
        { interface: "wan", vrid: 10, name: "front", addresses: [`${VIP}/24`], advertisementIntervalMs: 100 },
        { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"], advertisementIntervalMs: 100 },
      ],
    },
  ],
  pools: MODES.map((mode) => ({
    name: mode,
    // Together longer than the ports of `plug` take to come up.
    check: { type: "tcp", intervalMs: 500, timeoutMs: 200, rise: 2, fall: 4 },
    backends: NAMES.map((name) => ({ name, address: addressOf(name), port: PORTS[mode] })),
  })),
  services: MODES.map((mode) => ({
    name: mode,
    address: "front",
    protocol: "tcp",
    port: PORTS[mode],
    pool: mode,
    mode,
  })),
};

let net: TestNetwork;
let host: Namespace;
let client: Namespace;
let lan: Namespace;
let boxes: Boxes;
let box: RunningBox;

beforeAll(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  client = await net.namespace("client");
  lan = await net.namespace("lan");
  await lan.ip("link add lan type bridge");
  await lan.ip("link set lan up");
  await net.link(host, "eth0", client, "eth0");
  await net.link(host, "eth1", lan, "box");
  await lan.ip("link set box master lan");
  await client.ip("addr add 10.1.0.9/24 dev eth0");
  await takesFrames(client);
  for (const name of NAMES) await startServer(name);
  box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document));
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
  await allStand("healthy");
});
afterAll(async () => {
  await boxes?.destroy([host]);
  await net?.destroy();
});

async function startServer(name: Name): Promise<void> {
  const server = await net.namespace(name);
  await net.link(server, "eth0", lan, name);
  await lan.ip(`link set ${name} master lan`);
  await server.ip(`addr add ${addressOf(name)}/24 dev eth0`);
  await server.ip("route add default via 10.2.0.1");
  await takesFrames(server);
  for (const port of Object.values(PORTS)) {
    server.spawn([process.execPath, PEER, "serve", name, String(port)], { stdio: "ignore" });
  }
}

/** What XDP sends over a veth arrives only where the far end takes frames by itself, and has checksums only then. */
async function takesFrames(namespace: Namespace): Promise<void> {
  await namespace.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gro", "on"]);
}

async function pull(cables: readonly string[]): Promise<void> {
  for (const cable of cables) await lan.ip(`link set ${cable} down`);
}

/** One after the other, as the ports of a switch that restarts. */
async function plug(cables: readonly string[]): Promise<void> {
  for (const [i, cable] of cables.entries()) {
    if (i > 0) await pause(800);
    await lan.ip(`link set ${cable} up`);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function standing(name: Name): Promise<readonly string[]> {
  const { services } = await box.status();
  return services.map(({ backends }) => {
    const { healthy, reason = "" } = backends.find((one) => one.name === name) ?? {};
    if (healthy === true) return "healthy";
    return reason.includes("may be cut off itself") ? "in doubt" : "dead";
  });
}

async function allStand(as: string): Promise<void> {
  const isThere = async () => (await Promise.all(NAMES.map(standing))).flat().every((one) => one === as);
  await vi.waitUntil(isThere, PATIENCE);
}

interface Held {
  readonly talkers: readonly Talker[];
  /** The server of each connection, by its place. */
  readonly servers: readonly string[];
  /** What all of them hear now, in their order. */
  readonly speak: () => Promise<readonly string[]>;
}

async function hold(): Promise<Held> {
  const talkers = MODES.map((mode) => {
    return new Talker(client, [process.execPath, PEER, "talk", VIP, String(PORTS[mode])]);
  });
  const ids = Array.from({ length: CONNECTIONS }, (_, id) => id);
  const everywhere = async (ask: (talker: Talker, id: number) => Promise<string>) =>
    (await Promise.all(talkers.map((talker) => Promise.all(ids.map((id) => ask(talker, id)))))).flat();
  const speak = () => everywhere((talker, id) => talker.speak(id));
  const servers = await everywhere((talker, id) => talker.open(id));
  expect(new Set(servers)).toEqual(new Set(NAMES));
  expect(new Set(await speak())).toEqual(new Set(["right"]));
  return { talkers, servers, speak };
}

describe("connections of a box that sees no backend any more", () => {
  it.each([
    ["its own cable is pulled", ["box"]],
    ["its own cable and that of one of them are pulled", ["box", "s2"]],
    ["everything behind its switch is cut off", NAMES],
  ] as const)("go on when %s, and return", async (_, cables) => {
    const { talkers, speak } = await hold();
    await pull(cables);
    await allStand("in doubt");
    // Each of these is sent again and again, so one meets the box right after it can send them on.
    const spoken = speak();
    await pause(1_500);
    await plug(cables);
    expect(new Set(await spoken)).toEqual(new Set(["right"]));
    await allStand("healthy");
    expect(new Set(await speak())).toEqual(new Set(["right"]));
    for (const talker of talkers) talker.close();
  });

  it("end when their backend alone is cut off: the others show that the box is not", async () => {
    const { talkers, servers, speak } = await hold();
    await pull(["s1"]);
    await expect.poll(() => standing("s1"), PATIENCE).toEqual(MODES.map(() => "dead"));
    expect(await standing("s2")).toEqual(MODES.map(() => "healthy"));
    const expected = servers.map((name) => (name === "s1" ? "ECONNRESET" : "right"));
    expect(await speak()).toEqual(expected);
    await plug(["s1"]);
    await allStand("healthy");
    for (const talker of talkers) talker.close();
  });
});
