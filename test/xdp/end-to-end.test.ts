/**
 * Real connections through a box: client 10.1.0.9 – box – servers 10.2.0.11 and 10.3.0.12, joined by veth pairs. The
 * programs sit on the box's ports, and its firewall lets nothing through but what the gate has marked.
 */
import { type ChildProcess, execFileSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import type { Ifindex, IpAddress } from "@futago/hal/units/address.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { type BalancerTables, balancerTables, type GateTables, gateTables } from "@futago/hal/xdp/tables.ts";
import { compileServices } from "@futago/firmware/balancer/compile.ts";
import { diffEntries } from "@futago/firmware/balancer/diff.ts";
import { createNetwork, type Namespace, type TestNetwork } from "../netns/namespaces.ts";
import { backend, ipv4Of, service } from "./box.ts";
import { Groups, mountPins, type Pins } from "./pins.ts";

const PEER = fileURLToPath(new URL("./peer.ts", import.meta.url));
const VIP = "10.1.0.1";
const SERVERS = { s1: "10.2.0.11", s2: "10.3.0.12" } as const;
const GROUP = 0;
const BOTH = 3;
const PORTS = ["eth0", "eth1", "eth2"] as const;

/** What the kernel forwards must carry the gate's mark; what comes to the client must not come from a backend. */
const BOX_RULES = `table inet box {
  chain forward {
    type filter hook forward priority 0; policy drop;
    meta mark 0xf07a60 counter accept
    counter
  }
}`;
const CLIENT_RULES = `table inet client {
  chain input {
    type filter hook input priority 0; policy accept;
    ip saddr { 10.2.0.0/24, 10.3.0.0/24 } counter
  }
}`;

interface Answer {
  readonly id: number;
  readonly greeting?: string;
  readonly echoed?: number;
  readonly right?: boolean;
  readonly error?: string;
}

const bpf = openBpf();
let net: TestNetwork;
let box: Namespace;
let client: Namespace;
let pins: Pins;
let gate: BpfObject;
let balancer: BpfObject;
let gateView: GateTables;
let tables: BalancerTables;
let groups: Groups;
let ports: readonly Ifindex[];
let talker: ChildProcess;
let answers: Answer[];
let nextId = 1;

beforeAll(async () => {
  net = await createNetwork();
  box = await net.namespace("box", { forwarding: true });
  client = await net.namespace("client");
  await net.link(box, "eth0", client, "eth0");
  await box.ip("addr add 10.1.0.2/24 dev eth0");
  await box.ip(`addr add ${VIP}/24 dev eth0`);
  await client.ip("addr add 10.1.0.9/24 dev eth0");
  await prepareSender(client);
  for (const [i, [name, address]] of Object.entries(SERVERS).entries()) await startServer(name, address, i + 1);
  for (const key of ["all.accept_local=1", "all.rp_filter=0", "default.rp_filter=0", "all.send_redirects=0"]) {
    const [name = "", value = ""] = key.split("=");
    await box.sysctl(`net.ipv4.conf.${name}`, value);
  }
  for (const port of PORTS) await box.sysctl(`net.ipv4.conf.${port}.rp_filter`, 0);
  await box.run(["nft", "-f", "-"], { input: BOX_RULES });
  await client.run(["nft", "-f", "-"], { input: CLIENT_RULES });
  ports = (await Promise.all(PORTS.map((port) => box.ifindex(port)))) as Ifindex[];

  pins = mountPins(bpf);
  gate = bpf.load("gate", pins.directory);
  gateView = gateTables(gate);
  gateView.setVips(new Map<IpAddress, number>([[ipv4Of(VIP), GROUP]]));
  groups = new Groups(gate.map("futago_groups"));
  load();
  box.inside(() => {
    for (const port of ports) bpf.attachTc(port, gate.program("futago_ingress"), gate.program("futago_egress"));
  });
  talker = client.spawn([process.execPath, PEER, "talk", VIP, "80"], { stdio: ["pipe", "pipe", "inherit"] });
  answers = [];
  createInterface({ input: talker.stdout! }).on("line", (line) => answers.push(JSON.parse(line) as Answer));
});

afterAll(async () => {
  talker?.kill("SIGKILL");
  for (const object of [gate, balancer]) object?.close();
  pins?.remove();
  await net?.destroy();
});

beforeEach(() => {
  groups.set(GROUP, BOTH);
  serve();
  attach("native");
});

/** Checksums are made by the sender, and the far end of a pair takes redirected frames. */
async function prepareSender(namespace: Namespace): Promise<void> {
  await namespace.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gro", "on"]);
}

async function startServer(name: string, address: string, port: number): Promise<void> {
  const server = await net.namespace(name);
  await net.link(box, `eth${port}`, server, "eth0");
  const subnet = address.split(".").slice(0, 3).join(".");
  await box.ip(`addr add ${subnet}.2/24 dev eth${port}`);
  await server.ip(`addr add ${address}/24 dev eth0`);
  await server.ip(`route add default via ${subnet}.2`);
  await prepareSender(server);
  const child = server.spawn([process.execPath, PEER, "serve", name, "8080"], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`server ${name} ended with ${code}`)));
  });
}

function load(): void {
  balancer = bpf.load("balancer", pins.directory);
  tables = balancerTables(balancer);
  tables.setOwn(["10.1.0.2", "10.2.0.2", "10.3.0.2"].map(ipv4Of));
}

function attach(mode: "native" | "generic"): void {
  box.inside(() => ports.forEach((port) => bpf.attachXdp(port, balancer.program("futago_balancer"), mode)));
}

function serve(dead: readonly string[] = []): void {
  const backends = Object.values(SERVERS).map((address) => backend(address, 8080, { alive: !dead.includes(address) }));
  const standing = tables.read();
  const compiled = compileServices(
    { seed: "seed", services: [service(80, backends)], servicesMax: 256, own: new Set() },
    standing,
  );
  if (!compiled.ok) throw new Error(compiled.reason.kind);
  tables.apply(diffEntries(standing, compiled.value));
}

function order(fields: { readonly id: number; open?: boolean; send?: number; close?: boolean }): void {
  talker.stdin?.write(`${JSON.stringify(fields)}\n`);
}

/** The answer that `matches`, within five seconds. */
function answered(id: number, matches: (answer: Answer) => boolean): Promise<Answer> {
  return vi.waitFor(
    () => {
      const answer = answers.find((one) => one.id === id && matches(one));
      if (answer === undefined)
        throw new Error(`connection ${id}: no such answer in ${JSON.stringify(answers.slice(-5))}`);
      return answer;
    },
    { timeout: 5_000, interval: 10 },
  );
}

async function open(): Promise<{ readonly id: number; readonly server: string }> {
  const id = nextId++;
  order({ id, open: true });
  const { greeting } = await answered(id, (answer) => answer.greeting !== undefined);
  return { id, server: greeting ?? "" };
}

async function openMany(count: number): Promise<readonly { readonly id: number; readonly server: string }[]> {
  return Promise.all(Array.from({ length: count }, () => open()));
}

async function echo(id: number, bytes: number, total: number): Promise<void> {
  order({ id, send: bytes });
  const answer = await answered(id, (one) => (one.echoed ?? 0) >= total);
  expect(answer).toMatchObject({ echoed: total, right: true });
}

/** Packets that a rule with "counter" in it has seen. */
function packetsOf(namespace: Namespace, table: string, rule: RegExp): number {
  const text = execFileSync("nsenter", [`--net=${namespace.path}`, "nft", "list", "table", "inet", table], {
    encoding: "utf8",
  });
  const line = text.split("\n").find((one) => rule.test(one)) ?? "";
  return Number(/packets (\d+)/.exec(line)?.[1] ?? Number.NaN);
}

const leaked = () => packetsOf(client, "client", /saddr/);
const forwardedByKernel = () => packetsOf(box, "box", /accept$/);
const refusedByFirewall = () => packetsOf(box, "box", /^\s*counter/);

describe.each(["native", "generic"] as const)("connections through the %s balancer", (mode) => {
  beforeEach(() => attach(mode));

  it("reach both servers and carry a megabyte either way unharmed", { timeout: 30_000 }, async () => {
    const connections = await openMany(24);
    expect(new Set(connections.map(({ server }) => server))).toEqual(new Set(["s1", "s2"]));
    await Promise.all(connections.slice(0, 4).map(({ id }) => echo(id, 1 << 20, 1 << 20)));
    await Promise.all(connections.slice(4).map(({ id }) => echo(id, 10, 10)));
    for (const { id } of connections) order({ id, close: true });
    expect(leaked()).toBe(0);
  });
});

describe("the first packets to a neighbour that is not resolved", () => {
  it("go through the kernel and its firewall by the mark, both ways, and the rest does not", async () => {
    await box.ip("neigh flush all");
    await box.ip("neigh flush dev eth1 nud permanent");
    // As core does when it hears of it.
    tables.nextGeneration();
    const before = forwardedByKernel();
    const refused = refusedByFirewall();
    const connections = await openMany(8);
    await Promise.all(connections.map(({ id }) => echo(id, 1000, 1000)));
    expect(forwardedByKernel()).toBeGreaterThan(before);
    const settled = forwardedByKernel();
    await Promise.all(connections.map(({ id }) => echo(id, 50_000, 51_000)));
    expect([forwardedByKernel(), refusedByFirewall()]).toEqual([settled, refused]);
    expect(leaked()).toBe(0);
    for (const { id } of connections) order({ id, close: true });
  });
});

describe("a lease that lapses", () => {
  it("silences the VIP within its time, and connections go on when it is given again", async () => {
    const [connection] = await openMany(1);
    await echo(connection!.id, 10, 10);
    groups.set(GROUP, BOTH, 30_000_000n);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const before = gateView.counters();
    order({ id: connection!.id, send: 10 });
    const lost = await client.tryRun(["arping", "-c", "2", "-w", "1", "-I", "eth0", VIP]);
    expect(lost.code).not.toBe(0);
    expect(answers.some(({ id, echoed }) => id === connection!.id && echoed === 20)).toBe(false);
    const after = gateView.counters();
    expect(after.inPacketLapsed).toBeGreaterThan(before.inPacketLapsed);
    expect(after.inArpLapsed).toBeGreaterThan(before.inArpLapsed);
    expect(tables.counters().passVipClosed).toBeGreaterThan(0);
    groups.set(GROUP, BOTH);
    expect(await answered(connection!.id, ({ echoed }) => echoed === 20)).toMatchObject({ right: true });
    const heard = await client.tryRun(["arping", "-c", "1", "-w", "2", "-I", "eth0", VIP]);
    expect(heard.code).toBe(0);
    order({ id: connection!.id, close: true });
  });
});

describe("a new balancer", () => {
  it("takes over from the old one in the midst of transfers without a connection lost", {
    timeout: 30_000,
  }, async () => {
    const connections = await openMany(4);
    const transfers = connections.map(({ id }) => echo(id, 1 << 20, 1 << 20));
    const roots = box.inside(() => ports.map((port) => bpf.xdpProgramId(port)));
    for (let i = 0; i < 5; i++) {
      balancer.close();
      load();
      attach("native");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(transfers);
    expect(box.inside(() => ports.map((port) => bpf.xdpProgramId(port)))).toEqual(roots);
    for (const { id } of connections) order({ id, close: true });
    expect(leaked()).toBe(0);
  });
});

describe("the loss of the whole connection table", () => {
  it("costs no connection while the ring is the same", async () => {
    const connections = await openMany(16);
    for (const [key] of balancer.map("established").entries()) balancer.map("established").delete(key);
    await Promise.all(connections.map(({ id }) => echo(id, 100, 100)));
    for (const { id } of connections) order({ id, close: true });
    expect(leaked()).toBe(0);
  });
});

describe("a dead server", () => {
  it("gets no new connections", async () => {
    serve([SERVERS.s1]);
    const connections = await openMany(12);
    expect(new Set(connections.map(({ server }) => server))).toEqual(new Set(["s2"]));
    for (const { id } of connections) order({ id, close: true });
  });
});

describe("health checks of the box itself", () => {
  it("reach the servers although their replies come from a service's address and port, with a lease and without", async () => {
    const script = `const s=require("node:net").connect(8080,"${SERVERS.s1}");s.on("data",(d)=>{process.stdout.write(d);s.destroy()})`;
    const ask = () => box.tryRun([process.execPath, "-e", script], { timeoutMillis: 5_000 });
    expect((await ask()).stdout).toBe("s1\n");
    groups.set(GROUP, BOTH, 0n);
    expect((await ask()).stdout).toBe("s1\n");
    expect(tables.counters().passOwn).toBeGreaterThan(0);
  });
});
