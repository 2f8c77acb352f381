/** What the two cores of a pair do together: one ring on both boxes, revisions compared, roles moved by command. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CheckStatus } from "@futago/firmware/runtime/control.ts";
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { balancerTables } from "@futago/hal/xdp/tables.ts";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

const document = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: { a: ["10.1.0.2/24"], b: ["10.1.0.3/24"] } },
    { name: "lan", device: "eth1", addresses: { a: ["10.2.0.2/24"], b: ["10.2.0.3/24"] } },
  ],
  pair: { heartbeat: { profile: "calm" } },
  failoverGroups: [
    {
      name: "edge",
      preferred: "a",
      virtualRouters: [
        { interface: "wan", vrid: 10, name: "front", addresses: ["10.1.0.1/24"] },
        { interface: "lan", vrid: 11, addresses: ["10.2.0.1/24"] },
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
      check: { type: "http", intervalMs: 400, timeoutMs: 200, rise: 1, fall: 3 },
    },
  ],
  services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web" }],
};

let net: TestNetwork;
let boxes: Boxes;
let hosts: Namespace[];
let servers: Namespace;
let a: RunningBox;
let b: RunningBox;

beforeEach(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  const middle = await net.namespace("switch");
  hosts = [await net.namespace("a"), await net.namespace("b")];
  servers = await net.namespace("servers");
  for (const host of hosts) {
    await net.link(host, "eth0", middle, `${host.name}0`);
    await net.link(host, "eth1", middle, `${host.name}1`);
  }
  await net.link(servers, "eth0", middle, "s1");
  await middle.bridge("wan", ["a0", "b0"]);
  await middle.bridge("lan", ["a1", "b1", "s1"]);
  for (const address of ["10.2.0.11", "10.2.0.12"]) {
    await servers.ip(`addr add ${address}/24 dev eth0`);
    const code = `require("node:http").createServer((_, r) => r.end()).listen(80, "${address}")`;
    servers.spawn([process.execPath, "-e", code], { stdio: "ignore" });
  }
  const key = boxes.file("pair.key", randomBytes(32).toString("hex"));
  const imported = boxes.document("pair.json", document);
  const start = (name: "a" | "b", host: Namespace) =>
    boxes.start(host, boxes.state(name), "--box", name, "--pair-key", key, "--import", imported);
  [a, b] = [start("a", hosts[0]!), start("b", hosts[1]!)];
  await Promise.all([a.ready(), b.ready()]);
  const waited = await Promise.all([waitFor(a, "active"), waitFor(b, "standby")]);
  if (waited.includes(false)) throw new Error(`no roles\n${a.stderr()}\n${b.stderr()}`);
});
afterEach(async () => {
  await boxes.destroy(hosts);
  await net.destroy();
});

async function waitFor(box: RunningBox, role: string): Promise<boolean> {
  return (await box.futago("wait", "--role", role, "--timeout", "15")).code === 0;
}

async function checkOf(box: RunningBox, backend: string): Promise<string> {
  const checks = JSON.parse((await box.futago("show", "health", "--json")).stdout) as CheckStatus[];
  const check = checks.find((one) => one.subject === `pools.web.backends.${backend}`);
  return `${check?.healthy === true ? "healthy" : "dead"} by ${check?.source}`;
}

/** The slots of the service's ring as the kernel holds them. */
function ringOf(box: RunningBox): string {
  const object = openBpf().load("balancer", `${box.state}/bpf`);
  const rings = balancerTables(object)
    .read()
    .flatMap((entry) => (entry.kind === "ring" ? [entry.ordinals] : []));
  object.close();
  return rings.map((ordinals) => ordinals.join()).join("\n");
}

describe("the two cores of a pair", () => {
  it("hold one ring: the standby follows the active's eyes, and after a hand-over its own after a while", async () => {
    await vi.waitUntil(async () => (await checkOf(b, "s1")) === "healthy by active", { timeout: 5_000 });
    const whole = ringOf(a);
    expect(ringOf(b)).toBe(whole);
    // Only b loses sight of the servers: its own checks fail, and count for nothing while it is standby.
    await servers.ip("route add unreachable 10.2.0.3/32");
    await vi.waitUntil(() => b.stderr().includes('"verdict":"unhealthy"'), { timeout: 5_000 });
    expect(await checkOf(b, "s1")).toBe("healthy by active");
    expect(ringOf(b)).toBe(whole);

    expect(await b.futago("switchover")).toMatchObject({ code: 0 });
    expect(await waitFor(b, "active")).toBe(true);
    expect(await checkOf(b, "s1")).toBe("healthy by active");
    await vi.waitUntil(async () => (await checkOf(b, "s1")) === "dead by own", { timeout: 5_000 });
    await vi.waitUntil(async () => (await checkOf(a, "s1")) === "dead by active", { timeout: 5_000 });
    expect(ringOf(a)).toBe(ringOf(b));
    expect(ringOf(a)).not.toBe(whole);
  });

  it("drain a backend together, whichever was told, and know it when they hear each other again", async () => {
    const draining = async (box: RunningBox) =>
      (await box.status()).services[0]?.backends.filter((backend) => backend.draining).map((backend) => backend.name);
    const whole = ringOf(a);
    expect(await b.futago("drain", "s1")).toMatchObject({ code: 0 });
    for (const box of [a, b])
      await vi.waitUntil(async () => (await draining(box))?.join() === "s1", { timeout: 5_000 });
    await vi.waitUntil(() => ringOf(a) === ringOf(b) && ringOf(a) !== whole, { timeout: 5_000 });
    expect(await b.stop()).toMatchObject({ code: 0 });
    expect(await a.futago("undrain", "web/s1")).toMatchObject({ code: 0 });
    expect(await a.futago("drain", "web/s2")).toMatchObject({ code: 0 });
    const again = boxes.start(hosts[1]!, b.state, "--box", "b", "--pair-key", `${boxes.directory}/pair.key`);
    await again.ready();
    await vi.waitUntil(async () => (await draining(again))?.join() === "s2", { timeout: 10_000 });
    expect(await draining(a)).toEqual(["s2"]);
    await vi.waitUntil(() => ringOf(a) === ringOf(again), { timeout: 5_000 });
  });

  it("keep maintenance over the death of core, and leave it on command", async () => {
    expect(await a.futago("maintenance", "on")).toMatchObject({ code: 0 });
    expect(await waitFor(b, "active")).toBe(true);
    expect(await waitFor(a, "maintenance")).toBe(true);
    expect((await a.stop()).code).toBe(0);
    const again = boxes.start(hosts[0]!, a.state, "--box", "a", "--pair-key", `${boxes.directory}/pair.key`);
    await again.ready();
    expect(await waitFor(again, "maintenance")).toBe(true);
    expect(await again.futago("maintenance", "off")).toMatchObject({ code: 0 });
    expect(await waitFor(again, "standby")).toBe(true);
    expect((await b.status()).role).toBe("active");
  });
});
