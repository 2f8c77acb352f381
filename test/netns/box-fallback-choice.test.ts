/** Whom the rules of nftables give a connection to, and what becomes of it, where XDP cannot serve. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { boxDocument, FallbackRig, pool, STACKS } from "./fallback-rig.ts";
import { putForeignXdp } from "./foreign-xdp.ts";
import type { Talker } from "./talker.ts";

const { vip } = STACKS.ipv4;
const within = { timeout: 10_000, interval: 50 };
const service = (name: string, port: number, more: object = {}) => ({
  name,
  address: vip,
  protocol: "tcp",
  port,
  mode: "one-arm",
  pool: "web",
  ...more,
});
const web = pool("web", STACKS.ipv4);
const [s1, s2] = web.backends as [object, object];
const document = boxDocument(
  [
    web,
    { ...web, name: "heavy", backends: [s1, { ...s2, weight: 3 }] },
    { ...web, name: "narrow", backends: [{ ...s1, maxConnections: 2 }, s2] },
    { ...web, name: "sorry", backends: [{ name: "page", address: "10.2.0.13", port: 7000 }] },
  ],
  [
    service("www", 80, { mode: "nat" }),
    service("names", 53, { protocol: "udp" }),
    service("sticky", 81, { persistence: "source" }),
    service("closed", 82, { deny: ["10.1.0.10/32"] }),
    service("slow", 83, { newConnectionsPerSecond: 5 }),
    service("limited", 84, { pool: "narrow" }),
    service("sorry", 85, { sorryPool: "sorry" }),
    service("weighted", 86, { pool: "heavy" }),
    service("few", 87, { maxConnections: 4 }),
    service("few-each", 88, { maxConnectionsPerClient: 4 }),
  ],
);

let rig: FallbackRig;

beforeAll(async () => {
  rig = await FallbackRig.build();
  await putForeignXdp(rig.host, "eth0");
  await rig.start(document);
  await vi.waitUntil(async () => (await rig.rules()).includes("10.2.0.13"), within);
});
afterAll(() => rig.destroy());

const answering = (port: number, protocol = "tcp") => rig.answering(protocol, vip, port);
const isHealthy = async (name: string) =>
  (await rig.service("www")).backends.find((backend) => backend.name === name)?.healthy;
const flowsOf = async (name: string) =>
  (await rig.service("www")).backends.find((backend) => backend.name === name)?.flows;

/** A connection to the server of that name; others, which the hash gave to somebody else, stay open, too. */
async function openTo(talker: Talker, server: string): Promise<number> {
  for (let id = 1; id <= 32; id++) if ((await talker.open(id)) === server) return id;
  throw new Error(`none of 32 connections came to ${server}`);
}

it("a backend that is drained keeps its connections and gets no new ones", async () => {
  const talker = rig.talk(vip, 80);
  const id = await openTo(talker, "one");
  await expect.poll(() => flowsOf("s1"), within).toBeGreaterThan(0);
  await rig.box.futago("drain", "web/s1");
  await expect.poll(() => answering(80), within).toEqual(["two"]);
  expect(await talker.speak(id)).toBe("right");
  await rig.box.futago("undrain", "web/s1");
  await expect.poll(() => answering(80), within).toEqual(["one", "two"]);
  talker.close();
  await expect.poll(() => flowsOf("s1"), within).toBe(0);
});

it("a backend that dies loses its connections at their next packet, and what is new goes to the others", async () => {
  const talker = rig.talk(vip, 80);
  const id = await openTo(talker, "one");
  await rig.servers[11].ip("link set eth0 down");
  await expect.poll(() => isHealthy("s1"), within).toBe(false);
  expect(await talker.speak(id)).toBe("ECONNRESET");
  talker.close();
  for (const [port, protocol] of [
    [80, "tcp"],
    [53, "udp"],
  ] as const)
    await expect.poll(() => answering(port, protocol), within).toEqual(["two"]);
  await rig.servers[11].ip("link set eth0 up");
  await rig.servers[11].ip("route replace default via 10.2.0.1");
  await expect.poll(() => answering(80), within).toEqual(["one", "two"]);
});

it("a heavier backend gets more, by its weight", async () => {
  const { servers } = await rig.ask("tcp", vip, 86, 120);
  // Three quarters of 120 are 90, and five standard deviations of a fair choice are 24.
  expect(servers["two"]).toBeGreaterThan(66);
  expect(servers["two"]).toBeLessThan(114);
});

it("a client keeps its backend where the service asks for that", async () => {
  expect(await answering(81)).toHaveLength(1);
  expect(await answering(81)).toEqual(await answering(81));
});

it("a client beside the backends is served in nat as in one-arm", async () => {
  await rig.servers[13].ip(`route replace ${vip} via 10.2.0.1`);
  const { servers, errors } = await rig.ask("tcp", vip, 80, 24, 1, rig.servers[13]);
  expect([Object.keys(servers).toSorted(), errors]).toEqual([["one", "two"], []]);
});

it("a client that is denied gets no answer", async () => {
  expect((await rig.ask("tcp", vip, 82, 3)).right).toBe(0);
  expect(await rig.host.run(["conntrack", "-L"])).not.toMatch(/dst=10\.1\.0\.1 sport=\d+ dport=82 /);
});

it("a client begins no more connections in a second than it may", async () => {
  const { right } = await rig.ask("tcp", vip, 83, 40);
  expect(right).toBeGreaterThanOrEqual(5);
  // In three seconds, what was refused having been tried again: five at once, and five in each.
  expect(right).toBeLessThanOrEqual(20);
});

it("a backend that has as many connections as it may gets none until some end", async () => {
  const talker = rig.talk(vip, 84);
  for (let id = 1; id <= 12; id++) expect(await talker.open(id)).toMatch(/one|two/);
  await expect.poll(() => answering(84), within).toEqual(["two"]);
  talker.close();
  await expect.poll(() => answering(84), within).toEqual(["one", "two"]);
});

it("a service that has as many connections as it may takes none until some end", async () => {
  const talker = rig.talk(vip, 87);
  for (let id = 1; id <= 4; id++) expect(await talker.open(id)).toMatch(/one|two/);
  await expect.poll(() => answering(87), within).toEqual([]);
  talker.close();
  await expect.poll(() => answering(87), within).not.toEqual([]);
});

it("a client has no more connections open than it may, until some end", async () => {
  const talker = rig.talk(vip, 88);
  for (let id = 1; id <= 4; id++) expect(await talker.open(id)).toMatch(/one|two/);
  expect((await rig.ask("tcp", vip, 88, 3)).right).toBe(0);
  talker.close();
  await expect.poll(() => answering(88), within).not.toEqual([]);
});

it("the sorry pool serves when nobody else does, and without it a beginning is dropped, not refused", async () => {
  await rig.serve(13);
  for (const last of [11, 12] as const) await rig.servers[last].ip("link set eth0 down");
  await expect.poll(() => answering(85), within).toEqual(["three"]);
  expect((await rig.ask("tcp", vip, 80, 1)).errors).toEqual([expect.stringMatching(/^(?!ECONNREFUSED|ECONNRESET)/)]);
});
