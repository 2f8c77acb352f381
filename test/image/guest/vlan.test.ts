/**
 * Each mode in each family over VLANs, with the programs of test/servers: a box with one cable, on which its two sides
 * are two VLANs. The balancer sits on the VLANs' own devices, where XDP runs in generic mode.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Namespace } from "../../netns/namespaces.ts";
import { sha256 } from "../../servers/clients.ts";
import { KNOWN, nameOf } from "../../servers/document.ts";
import { type Fixture, startFixture } from "../../servers/fixture.ts";
import { CLIENT, FAMILIES, type Family, MODES, type Mode, SERVERS, VIPS } from "../../servers/network.ts";
import { BIG_STRINGS, SMALL_BYTES } from "../../servers/servers.ts";

const CELLS = FAMILIES.flatMap((family) => MODES.map((mode) => ({ family, mode })));
/** What passes in both directions at the box; `direct` answers past it. */
const BOTH_WAYS = FAMILIES.flatMap((family) => (["nat", "one-arm"] as const).map((mode) => ({ family, mode })));

let all: Fixture;

beforeAll(async () => {
  all = await startFixture("vlans");
});
afterAll(async () => {
  await all?.destroy();
});
afterEach(async () => {
  expect(await all.evidence.complaints()).toEqual([]);
});

async function service(name: string) {
  const found = (await all.box.status()).services.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

/** Between whom these files go. */
const ENDS = ["client", "server"] as const;

/** Errors that a host got for packets that were too big; of IPv4 the kernel counts them together with others. */
async function tooBigErrors(host: Namespace, family: Family): Promise<number> {
  const name = family === "ipv4" ? "IcmpInDestUnreachs" : "Icmp6InPktTooBigs";
  return Number(new RegExp(`^${name} +(\\d+)`, "m").exec(await host.run(["nstat", "-asz", name]))?.[1]);
}

/** Whom the server takes for its client. */
const seenClient = (family: Family, mode: Mode) => (mode === "one-arm" ? VIPS[family]["one-arm"] : CLIENT[family]);

describe.each(CELLS)("$mode over $family", ({ family, mode }) => {
  const vip = VIPS[family][mode];

  it("fetches and brings a file by HTTP, unharmed and through XDP", async () => {
    const before = await service(nameOf("http", mode, family));
    expect(before.attach).toBe("generic");
    const { hashes } = await all.clients.fetch(vip, all.small, 2);
    expect(hashes).toEqual([all.small.sha256, all.small.sha256]);
    await all.clients.bring(vip, all.small, `${mode}-${family}`);
    expect(sha256(all.broughtPath(mode, `${mode}-${family}`))).toBe(all.small.sha256);
    const after = await service(nameOf("http", mode, family));
    expect(after.traffic.flows - before.traffic.flows).toBe(2);
    expect(after.traffic.bytesIn - before.traffic.bytesIn).toBeGreaterThan(SMALL_BYTES);
    // The servers of `direct` answer past the box.
    const [least, most] = mode === "direct" ? [0, 0] : [2 * SMALL_BYTES, 3 * SMALL_BYTES];
    const out = after.traffic.bytesOut - before.traffic.bytesOut;
    expect(out).toBeGreaterThanOrEqual(least);
    expect(out).toBeLessThanOrEqual(most);
  });

  it("asks DNS over UDP, in fragments too, and over TCP", async () => {
    for (const flag of ["-u", "-t"]) {
      const answer = await all.clients.ask(vip, KNOWN.name, "A", flag);
      expect(answer).toMatch(/^www\.example\.test\.\s+300\s+IN\s+A\s+192\.0\.2\.80$/m);
    }
    const big = await all.clients.ask(vip, "big.example.test", "TXT", "-u", "-b", "8192");
    expect(BIG_STRINGS.filter((text) => !big.includes(`"${text}"`))).toEqual([]);
  });

  it("carries iperf3 both ways, over TCP and UDP", async () => {
    for (const direction of [[], ["-R"]]) {
      // What is still in the buffers of the ends when the sender is done, iperf3 does not count.
      const tcp = await all.clients.iperf(vip, "-n", "2M", "-w", "128K", ...direction);
      expect(tcp.bytes).toBeGreaterThan(1 << 20);
      const udp = await all.clients.iperf(vip, "-u", "-b", "1M", "-l", "1000", "-k", "100", ...direction);
      expect(udp.packets! - udp.lost_packets!).toBeGreaterThan(50);
    }
  });

  it("carries ssh, whose server sees the right client", async () => {
    const [from, , to, port] = (await all.clients.ssh(vip, "echo $SSH_CONNECTION")).trim().split(" ");
    const server = (mode === "direct" ? VIPS : SERVERS)[family][mode];
    expect([from, to, port]).toEqual([seenClient(family, mode), server, "22"]);
  });
});

describe.each([
  ["between the client's routers", 1400],
  ["at the box, towards the clients", 1360],
] as const)("a path that is narrow %s", (place, width) => {
  beforeAll(async () => {
    await all.net.setWidths({ [place]: width });
  });
  afterAll(async () => {
    await all.net.setWidths({});
  });

  it.each(BOTH_WAYS)("is learned both ways: $mode, $family", async ({ family, mode }) => {
    await all.net.forgetPaths();
    const vip = VIPS[family][mode];
    const before = await Promise.all(ENDS.map((end) => tooBigErrors(all.net[end], family)));
    expect((await all.clients.fetch(vip, all.small)).hashes).toEqual([all.small.sha256]);
    // A server that knows the path already would ask the client for segments that fit.
    await all.net.forgetPaths();
    await all.clients.bring(vip, all.small, `${mode}-${family}-${width}`);
    expect(sha256(all.broughtPath(mode, `${mode}-${family}-${width}`))).toBe(all.small.sha256);
    const after = await Promise.all(ENDS.map((end) => tooBigErrors(all.net[end], family)));
    // Each sender was told once at least, and what arrived then went the narrow way.
    expect(after.map((count, i) => count > (before[i] ?? 0))).toEqual([true, true]);
  });
});

describe("a frame with a tag of its own", () => {
  it.each(MODES)("is nobody's packet to a service: %s", async (mode) => {
    const vip = VIPS.ipv4[mode];
    const { near, box } = all.net;
    const [port] = JSON.parse(await box.ip("-j link show dev eth0")) as { address: string }[];
    const before = await service(nameOf("http", mode, "ipv4"));
    const arrives = box.tryRun(["timeout", "20", "tcpdump", "-i", "eth0", "-c", "1", "vlan 10 and vlan 30"]);
    await near.ip("link add link eth0 name eth0.30 type vlan id 30");
    try {
      await near.ip("link set eth0.30 up");
      await near.ip("addr add 10.1.0.99/32 dev eth0.30");
      await near.ip(`route add ${vip}/32 dev eth0.30 src 10.1.0.99 table 30`);
      await near.ip("rule add iif lo from 10.1.0.99 lookup 30 pref 0");
      await near.ip(`neigh add ${vip} lladdr ${port?.address} dev eth0.30`);
      const asked = ["curl", "-s", "-m", "2", "--interface", "10.1.0.99", `http://${vip}/`];
      const [{ code }, { code: unseen }] = await Promise.all([near.tryRun(asked), arrives]);
      expect([unseen, code]).toEqual([0, 28]);
    } finally {
      await near.ip("rule del pref 0 from 10.1.0.99");
      await near.ip("link del eth0.30");
    }
    const after = await service(nameOf("http", mode, "ipv4"));
    expect(after.traffic.packetsIn).toBe(before.traffic.packetsIn);
  });
});

it("the watches for untranslated packets look where they should", async () => {
  await expect(all.evidence.prove()).resolves.toBeUndefined();
});
