/**
 * Hosts that go on sending to the old box after a hand-over, because no announcement reached them, on the real kernel:
 * they are told again until they send to the right one, and named as long as they do not. Takes wall time, for the
 * tests wait until the last of the first announcements is over, which would mend the hosts as well.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Alarm } from "@futago/firmware/runtime/messages.ts";
import type { Namespace } from "./namespaces.ts";
import { CLIENT, type Document, LAN_VIP, Pair, pairDocument, pause, VIP } from "./pair-fixture.ts";

const VIP6 = "fd00:1::1";
const CLIENT6 = "fd00:1::10";
const LAN_HOST = "10.2.0.10";
const PORT = 80;
/** The rounds of announcing end five seconds after a take-over; the next is a minute after it. */
const ANNOUNCED_MILLIS = 6_000;
const POLL = { timeout: 10_000, interval: 100 };

let pair: Pair;
let macA: string;
let macB: string;
let clientMac: string;

function document(): Document {
  const plain = pairDocument();
  const [wan, ...others] = plain.interfaces as { addresses: Record<"a" | "b", string[]> }[];
  const [group] = plain.failoverGroups as { virtualRouters: object[] }[];
  const addresses = { a: [...wan!.addresses.a, "fd00:1::2/64"], b: [...wan!.addresses.b, "fd00:1::3/64"] };
  const ipv6 = { interface: "wan", vrid: 12, addresses: [`${VIP6}/64`] };
  const backend = { name: "s1", address: LAN_HOST, port: PORT };
  return {
    ...plain,
    pools: [{ name: "web", backends: [backend], check: { type: "none" } }],
    services: [{ name: "www", address: "front", protocol: "tcp", port: PORT, pool: "web", mode: "nat" }],
    interfaces: [{ ...wan, addresses }, ...others],
    failoverGroups: [{ ...group, virtualRouters: [...group!.virtualRouters, ipv6] }],
  };
}

beforeAll(async () => {
  pair = await Pair.start({ document: document() });
  macA = await pair.mac(pair.hosts.a);
  macB = await pair.mac(pair.hosts.b);
  clientMac = await pair.mac(pair.client);
  await pair.client.ip(`addr add ${CLIENT6}/64 dev eth0`);
  await pair.stranger.ip(`addr add ${LAN_HOST}/24 dev eth1`);
  await pair.stranger.ip(`route add 10.1.0.0/24 via ${LAN_VIP}`);
  // Senders on virtual links must not leave checksums to a device that is none.
  for (const [host, device] of [
    [pair.client, "eth0"],
    [pair.stranger, "eth1"],
  ] as const) {
    await host.run(["ethtool", "-K", device, "tx", "off"]);
  }
  const server = `require("node:net").createServer((s) => s.on("error", () => 0).resume()).listen(${PORT}, "${LAN_HOST}")`;
  pair.stranger.spawn([process.execPath, "-e", server], { stdio: "ignore" });
  // So long a host believes its neighbour table; by itself it would find out within a minute or so.
  await pair.client.sysctl("net.ipv4.neigh.eth0.base_reachable_time_ms", 600_000);
  await pair.client.sysctl("net.ipv6.neigh.eth0.base_reachable_time_ms", 600_000);
  await pair.stranger.sysctl("net.ipv4.neigh.eth1.base_reachable_time_ms", 600_000);
  await pair.settled("a");
  await pair.bringTo("b");
  await pause(ANNOUNCED_MILLIS);
});
afterAll(() => pair.destroy());

async function sendsTo(host: Namespace, address: string, device = "eth0"): Promise<string | undefined> {
  const text = await host.ip(`-j neigh show to ${address} dev ${device}`);
  return (JSON.parse(text === "" ? "[]" : text) as { lladdr?: string }[])[0]?.lladdr;
}

/** Ten echo requests a second, lost or answered, for some seconds; ends by itself. */
function ping(host: Namespace, address: string): void {
  host.spawn(["ping", "-q", "-i", "0.1", "-w", "12", address], { stdio: "ignore" });
}

async function answers(host: Namespace, address: string): Promise<boolean> {
  return (await host.tryRun(["ping", "-c1", "-W1", address])).code === 0;
}

/** Whether the client gets a connection to the service. The wait is shorter than TCP's first repetition. */
async function connects(): Promise<boolean> {
  const code = `const s = require("node:net").connect(${PORT}, "${VIP}", () => process.exit(0));
    s.on("error", () => process.exit(1)); setTimeout(() => process.exit(1), 800);`;
  return (await pair.client.tryRun([process.execPath, "-e", code])).code === 0;
}

const staleAlarms = async (name: "a" | "b"): Promise<readonly Alarm[]> =>
  (await pair.status(name)).alarms.filter(({ kind }) => kind === "stale-neighbour");
const named = async (who: string, vip: string): Promise<string | undefined> =>
  (await staleAlarms("b")).find(({ sentence }) => sentence.startsWith(who) && sentence.includes(`where ${vip} was`))
    ?.sentence;

describe("a host that still sends to the box that handed over", () => {
  it("is none of those that the announcements reached", async () => {
    expect(await answers(pair.client, VIP)).toBe(true);
    expect([await staleAlarms("a"), await staleAlarms("b")]).toEqual([[], []]);
  });

  it.each([
    [VIP, CLIENT],
    [VIP6, CLIENT6],
  ])("for %s is told again, sends to the new box from then on, and is named", async (vip, source) => {
    await pair.client.ip(`neigh replace ${vip} lladdr ${macA} dev eth0 nud reachable`);
    expect(await answers(pair.client, vip)).toBe(false);
    ping(pair.client, vip);
    await expect.poll(() => sendsTo(pair.client, vip), POLL).toBe(macB);
    expect(await answers(pair.client, vip)).toBe(true);
    const sentence = await named(clientMac, vip);
    expect(sentence).toMatch(`${clientMac} on wan (packets from ${source}) still sends to ${macA}`);
    expect(sentence).toMatch(/[1-9]\d* packets? so far; told again (once|2 times);/);
    // The other box's words came at once; what a says of itself is a second old at most.
    await expect.poll(async () => (await pair.counters("a"))["staleReported"], POLL).toBeGreaterThan(0);
    expect((await pair.counters("b"))["staleTold"]).toBeGreaterThan(0);
    expect(await staleAlarms("a")).toEqual([]);
  });

  it("through its gateway is told the gateway's new Ethernet address", async () => {
    const [oldGateway, newGateway] = [await pair.mac(pair.hosts.a, "eth1"), await pair.mac(pair.hosts.b, "eth1")];
    await pair.stranger.ip(`neigh replace ${LAN_VIP} lladdr ${oldGateway} dev eth1 nud reachable`);
    expect(await answers(pair.stranger, VIP)).toBe(false);
    ping(pair.stranger, VIP);
    await expect.poll(() => sendsTo(pair.stranger, LAN_VIP, "eth1"), POLL).toBe(newGateway);
    expect(await named(await pair.mac(pair.stranger, "eth1"), LAN_VIP)).toMatch(`on lan (packets from ${LAN_HOST})`);
  });

  it("with its replies, being a backend, is told its gateway's new Ethernet address", async () => {
    const [oldGateway, newGateway] = [await pair.mac(pair.hosts.a, "eth1"), await pair.mac(pair.hosts.b, "eth1")];
    expect(await connects()).toBe(true);
    await pair.stranger.ip(`neigh replace ${LAN_VIP} lladdr ${oldGateway} dev eth1 nud reachable`);
    expect(await connects()).toBe(false);
    await expect.poll(() => sendsTo(pair.stranger, LAN_VIP, "eth1"), POLL).toBe(newGateway);
    expect(await connects()).toBe(true);
    expect((await pair.status("a")).counters["dropReplyClosed"]).toBeGreaterThan(0);
  });

  it("with a fixed entry is told again and again, and counted", async () => {
    const times = async () => (await pair.counters("b"))["staleTold"] ?? 0;
    const before = await times();
    await pair.client.ip(`neigh replace ${VIP} lladdr ${macA} dev eth0 nud permanent`);
    ping(pair.client, VIP);
    await expect.poll(times, POLL).toBeGreaterThanOrEqual(before + 2);
    expect(await named(clientMac, VIP)).toMatch(/told again \d+ times;/);
    const packets = /: (\d+) packets so far/.exec((await named(clientMac, VIP)) ?? "")?.[1];
    expect(Number(packets)).toBeGreaterThan(10);
    expect(await sendsTo(pair.client, VIP)).toBe(macA);
    await pair.client.ip(`neigh del ${VIP} dev eth0`);
    expect(await answers(pair.client, VIP)).toBe(true);
  });

  it("is forgotten when the VIP comes back to where it sends", async () => {
    await pair.client.ip(`neigh replace ${VIP} lladdr ${macA} dev eth0 nud permanent`);
    await pair.bringTo("a");
    expect(await answers(pair.client, VIP)).toBe(true);
    await pause(ANNOUNCED_MILLIS);
    expect([await staleAlarms("a"), await staleAlarms("b")]).toEqual([[], []]);
    expect((await pair.counters("b"))["staleRefused"]).toBe(0);
  });
});
