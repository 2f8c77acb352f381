/** A whole box alone: what it does to the kernel, what it puts right, what it survives, what it takes away again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, mounts, type RunningBox } from "./running-box.ts";

const PSS_KILOBYTES_MAX = 220 * 1_024;

const document = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24"] },
  ],
  routes: [{ to: "default", via: "10.1.0.254" }],
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
    {
      name: "web",
      backends: [
        { name: "s1", address: "10.2.0.11", port: 80 },
        { name: "s2", address: "10.2.0.12", port: 80 },
      ],
      check: { type: "http", intervalMs: 200, timeoutMs: 100, rise: 2, fall: 2 },
    },
  ],
  services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web" }],
};

let net: TestNetwork;
let host: Namespace;
let client: Namespace;
let servers: Namespace;
let boxes: Boxes;

beforeEach(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  client = await net.namespace("client");
  servers = await net.namespace("servers");
  await net.link(host, "eth0", client, "eth0");
  await net.link(host, "eth1", servers, "eth0");
  await client.ip("addr add 10.1.0.254/24 dev eth0");
  for (const address of ["10.2.0.11", "10.2.0.12"]) await servers.ip(`addr add ${address}/24 dev eth0`);
  await servers.ip("route add default via 10.2.0.1");
  for (const namespace of [client, servers]) {
    // Frames that XDP sends on need a checksum that is whole, and a receiver that takes them.
    await namespace.run(["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gro", "on"]);
  }
});
afterEach(async () => {
  await boxes.destroy([host]);
  await net.destroy();
});

function serve(address: string, body: string): void {
  const code = `require("node:http").createServer((_, r) => r.end("${body}")).listen(80, "${address}")`;
  servers.spawn([process.execPath, "-e", code], { stdio: "ignore" });
}

async function start(...argv: string[]): Promise<RunningBox> {
  const box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document), ...argv);
  await box.ready();
  return box;
}

const fetchVip = () => client.tryRun(["curl", "-s", "-m", "2", "http://10.1.0.1/"]).then(({ stdout }) => stdout);
const healthy = async (box: RunningBox) =>
  (await box.status()).services[0]?.backends.filter((backend) => backend.healthy).map((backend) => backend.name);
const activeSince = async (box: RunningBox) => Date.parse((await box.status()).groups[0]?.since ?? "");
const xdpId = async (device: string) => /prog\/xdp id (\d+)/.exec(await host.ip(`link show dev ${device}`))?.[1];

describe("a box", () => {
  it("is ready, within its memory, and serves the VIP through its balancer", { timeout: 60_000 }, async () => {
    serve("10.2.0.11", "one");
    const box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document));
    await box.ready();
    expect((await box.futago("wait", "--role", "active", "--timeout", "10")).code).toBe(0);
    await vi.waitUntil(async () => (await healthy(box))?.join() === "s1", { timeout: 5_000 });
    expect(await fetchVip()).toBe("one");
    const status = await box.status();
    expect(status).toMatchObject({ box: "alone", role: "active", peer: null });
    expect(status.revision).toMatch(/^[0-9a-f]{64}$/);
    expect(status.services[0]).toMatchObject({ name: "www", attach: "native" });
    await vi.waitUntil(async () => ((await box.status()).services[0]?.backends[0]?.flows ?? 0) > 0, { timeout: 3_000 });
    expect(await pssKilobytes()).toBeLessThan(PSS_KILOBYTES_MAX);
    expect(box.stdout()).toBe('{"event":"ready"}\n');
  });

  it("hands over and takes away what it put there when told to stop; its own addresses stay", async () => {
    const box = await start();
    await box.futago("wait", "--role", "active", "--timeout", "10");
    expect(mounts(boxes.directory)).toHaveLength(1);
    const ended = await box.stop();
    expect(ended.code).toBe(0);
    const addresses = await host.ip("-4 addr");
    expect(addresses).toContain("10.1.0.2/24");
    expect(addresses).not.toContain("10.1.0.1/");
    expect([await xdpId("eth0"), await xdpId("eth1")]).toEqual([undefined, undefined]);
    expect(await host.run(["tc", "filter", "show", "dev", "eth0", "ingress"])).toBe("");
    expect(mounts(boxes.directory)).toEqual([]);
  });

  it("keeps one revision over equal imports, and commits only what differs", async () => {
    const first = await start();
    const { revision } = await first.status();
    await first.stop();
    const second = await start();
    expect((await second.status()).revision).toBe(revision);
    const other = boxes.document("other.json", { ...document, routes: [] });
    const applied = await second.futago("config", "apply", other, "--json");
    expect(JSON.parse(applied.stdout)).toMatchObject({ changed: true });
    expect((await second.status()).revision).not.toBe(revision);
    expect(await host.ip("route show default")).toBe("");
    const again = JSON.parse((await second.futago("config", "apply", other, "--json")).stdout) as unknown;
    expect(again).toMatchObject({ changed: false });
  });

  it("refuses a bad change with exit code 3 and goes on untouched", async () => {
    const box = await start();
    const { revision } = await box.status();
    const bad = boxes.document("bad.json", { ...document, services: [{ ...document.services[0], pool: "wbe" }] });
    const refused = await box.futago("config", "apply", bad);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("services.www.pool");
    expect((await box.status()).revision).toBe(revision);
    expect(await host.ip("route show default")).toContain("10.1.0.254");
  });

  it("puts right what somebody else changed, and leaves the VIP to the sentinel", async () => {
    const box = await start();
    await box.futago("wait", "--role", "active", "--timeout", "10");
    await host.ip("addr del 10.2.0.2/24 dev eth1");
    await host.ip("route del default");
    await host.ip("addr add 10.9.0.9/24 dev eth0");
    await vi.waitUntil(
      async () => {
        const text = (await host.ip("-4 addr")) + (await host.ip("route show default"));
        return text.includes("10.2.0.2/24") && text.includes("via 10.1.0.254") && !text.includes("10.9.0.9");
      },
      { timeout: 5_000 },
    );
    expect(await host.ip("-4 addr show dev eth0")).toContain("10.1.0.1/32");
    await host.ip("link set eth1 xdp off");
    await vi.waitUntil(async () => (await xdpId("eth1")) !== undefined, { timeout: 5_000 });
  });

  it("takes a dead backend out and lets a returned one in again", async () => {
    serve("10.2.0.11", "one");
    const box = await start();
    await vi.waitUntil(async () => (await healthy(box))?.join() === "s1", { timeout: 5_000 });
    serve("10.2.0.12", "two");
    await vi.waitUntil(async () => (await healthy(box))?.join() === "s1,s2", { timeout: 5_000 });
    await servers.ip("addr del 10.2.0.12/24 dev eth0");
    await vi.waitUntil(async () => (await healthy(box))?.join() === "s1", { timeout: 5_000 });
    const shown = await box.futago("show", "health");
    expect(shown.stdout).toMatch(/pools\.web\.backends\.s2 +http +10\.2\.0\.12:80 +DEAD/);
  });
});

describe("a box whose core is killed", () => {
  it("loses no packet: the same program stays, the role stays, and a new core takes over what stands", async () => {
    serve("10.2.0.11", "one");
    const box = await start();
    await box.futago("wait", "--role", "active", "--timeout", "10");
    await vi.waitUntil(async () => (await healthy(box))?.join() === "s1", { timeout: 5_000 });
    const before = { id: await xdpId("eth0"), core: box.pid("core"), since: await activeSince(box) };
    process.kill(before.core, "SIGKILL");
    const answers: string[] = [];
    await vi.waitUntil(
      async () => {
        answers.push(await fetchVip());
        const status = await box.futago("status", "--json");
        return status.code === 0 && box.pid("core") !== before.core;
      },
      { timeout: 10_000, interval: 20 },
    );
    for (let i = 0; i < 5; i++) answers.push(await fetchVip());
    expect(new Set(answers)).toEqual(new Set(["one"]));
    expect(await xdpId("eth0")).toBe(before.id);
    expect(Math.abs((await activeSince(box)) - before.since)).toBeLessThan(100);
    expect(box.stdout()).toBe('{"event":"ready"}\n');
  });

  it("says so while the core is away, and keeps the configuration that was applied since the import", async () => {
    const box = await start();
    await box.futago("config", "apply", boxes.document("other.json", { ...document, routes: [] }));
    const { revision } = await box.status();
    process.kill(box.pid("core"), "SIGKILL");
    const away = await box.futago("status");
    // The new core may be there already.
    expect(away.code === 0 ? "" : away.stderr).toMatch(/^$|core is starting.*the sentinel runs and keeps the role/);
    await vi.waitUntil(async () => (await box.futago("status")).code === 0, { timeout: 5_000 });
    expect((await box.status()).revision).toBe(revision);
  });
});

describe("a box that is killed whole", () => {
  it("leaves no process, and the next one takes over what stands and is active again", async () => {
    const first = await start();
    await first.futago("wait", "--role", "active", "--timeout", "10");
    const children = [first.pid("core"), first.pid("sentinel")];
    first.process.kill("SIGKILL");
    await vi.waitUntil(() => children.every((pid) => !isAlive(pid)), { timeout: 5_000 });
    const second = await start();
    expect((await second.futago("wait", "--role", "active", "--timeout", "10")).code).toBe(0);
    expect((await second.stop()).code).toBe(0);
    expect(mounts(boxes.directory)).toEqual([]);
  });

  it("is forced down by a second signal", async () => {
    const box = await start();
    const [sentinel, core] = [box.pid("sentinel"), box.pid("core")];
    for (const pid of [sentinel, core]) process.kill(pid, "SIGSTOP");
    // Two signals at one moment are one, so until it acts; no longer, for one that ends meets them unprepared.
    const insist = () => {
      if (!isAlive(sentinel)) return true;
      box.process.kill("SIGINT");
      return false;
    };
    // By itself it would go on after 8 s: each of the two has 4 s to end after SIGTERM.
    await vi.waitUntil(insist, { timeout: 3_500, interval: 100 });
    const ended = await box.ended();
    expect(ended.code).toBe(1);
  });
});

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended; the test's own process group reaps it later.
    return !/^State:\s+Z/m.test(readFileSync(join("/proc", String(pid), "status"), "utf8"));
  } catch {
    return false;
  }
}

/** Summed over the processes of the namespace that belong to the box. */
async function pssKilobytes(): Promise<number> {
  return (await boxPids()).reduce((sum, pid) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return sum + Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]);
  }, 0);
}

async function boxPids(): Promise<readonly string[]> {
  const text = await client.run(["ip", "netns", "pids", host.fullName]);
  return text.split("\n").filter((pid) => pid !== "");
}
