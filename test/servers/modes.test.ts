/** Each mode in each family, with the servers and clients that people use, through one whole box. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { BoxStatus } from "@futago/firmware/runtime/control.ts";
import { sha256, type Shell } from "./clients.ts";
import { KNOWN, nameOf } from "./document.ts";
import { type Fixture, startFixture } from "./fixture.ts";
import { CLIENT, FAMILIES, type Family, MODES, type Mode, SERVERS, VIPS } from "./network.ts";
import { BIG_STRINGS, LARGE_BYTES } from "./servers.ts";

const CELLS = FAMILIES.flatMap((family) => MODES.map((mode) => ({ family, mode })));

let all: Fixture;
/** Opened first and spoken to last: in between nothing passes over them. */
const shells = new Map<string, Shell>();

beforeAll(async () => {
  all = await startFixture();
  for (const { family, mode } of CELLS) {
    const shell = all.clients.shell(VIPS[family][mode]);
    shells.set(`${family} ${mode}`, shell);
    await shell.ask("before=idle; echo $before");
  }
}, 90_000);
afterAll(async () => {
  await all?.destroy();
});
afterEach(async () => {
  expect(await all.evidence.complaints()).toEqual([]);
});

function traffic(status: BoxStatus, name: string): BoxStatus["services"][number]["traffic"] {
  const service = status.services.find((one) => one.name === name);
  expect(service).toMatchObject({ attach: "native" });
  return service!.traffic;
}

/** IPv4 and IPv6 packets that the box's kernel forwarded: what did not go through XDP. */
async function forwardedByKernel(family: Family): Promise<number> {
  const text = await all.net.box.run(["nstat", "-asz", "IpForwDatagrams", "Ip6OutForwDatagrams"]);
  const name = family === "ipv4" ? "IpForwDatagrams" : "Ip6OutForwDatagrams";
  return Number(new RegExp(`^${name} +(\\d+)`, "m").exec(text)?.[1]);
}

/** Whom the server takes for its client. */
const seenClient = (family: Family, mode: Mode) => (mode === "one-arm" ? VIPS[family]["one-arm"] : CLIENT[family]);
/** At which address the server was asked. */
const seenServer = (family: Family, mode: Mode) => (mode === "direct" ? VIPS : SERVERS)[family][mode];

describe.each(CELLS)("$mode over $family", ({ family, mode }) => {
  const vip = VIPS[family][mode];

  it("fetches 50 MB twice over one kept connection, and brings 50 MB, unharmed and through XDP", async () => {
    const [before, kernelBefore] = [await all.box.status(), await forwardedByKernel(family)];
    const { connections, hashes } = await all.clients.fetch(vip, all.large, 2);
    expect([connections, ...hashes]).toEqual([1, all.large.sha256, all.large.sha256]);
    await all.clients.bring(vip, all.large, `${mode}-${family}`);
    expect(sha256(all.broughtPath(mode, `${mode}-${family}`))).toBe(all.large.sha256);

    const name = nameOf("http", mode, family);
    const [was, is] = [traffic(before, name), traffic(await all.box.status(), name)];
    expect(is.flows - was.flows).toBe(2);
    expect(is.bytesIn - was.bytesIn).toBeGreaterThan(LARGE_BYTES);
    // The servers of `direct` answer past the box.
    const [least, most] = mode === "direct" ? [0, 0] : [2 * LARGE_BYTES, 3 * LARGE_BYTES];
    expect(is.bytesOut - was.bytesOut).toBeGreaterThanOrEqual(least);
    expect(is.bytesOut - was.bytesOut).toBeLessThanOrEqual(most);
    expect((await forwardedByKernel(family)) - kernelBefore).toBeLessThan(100);
  });

  it("shows the server the client's address, or in one-arm the VIP's", async () => {
    const [client, server] = [seenClient(family, mode), seenServer(family, mode)];
    const asked = all
      .servers(mode)
      .requests()
      .filter((line) => line.endsWith("/cargo/large 200"));
    expect(asked).toContain(`${client} ${server} GET /cargo/large 200`);
    const [from, , to, port] = (await all.clients.ssh(vip, "echo $SSH_CONNECTION")).trim().split(" ");
    expect([from, to, port]).toEqual([client, server, "22"]);
  });

  it("asks DNS over UDP and TCP, and takes an answer that comes in fragments", async () => {
    for (const flag of ["-u", "-t"]) {
      const answer = await all.clients.ask(vip, KNOWN.name, "A", flag);
      expect(answer).toMatch(/rcode: NOERROR/);
      expect(answer).toMatch(/^www\.example\.test\.\s+300\s+IN\s+A\s+192\.0\.2\.80$/m);
    }
    const reassembled = await reassemblies(family);
    const big = await all.clients.ask(vip, "big.example.test", "TXT", "-u", "-b", "8192");
    expect(BIG_STRINGS.filter((text) => !big.includes(`"${text}"`))).toEqual([]);
    expect(big).not.toMatch(/flags:[^;]* tc/);
    expect((await reassemblies(family)) - reassembled).toBe(1);
    // Who takes no large answers is told to ask by TCP.
    expect(await all.clients.ask(vip, "big.example.test", "TXT", "-u", "-b", "1232")).toMatch(/flags:[^;]* tc/);
    const overTcp = await all.clients.ask(vip, "big.example.test", "TXT", "-t");
    expect(BIG_STRINGS.filter((text) => !overTcp.includes(`"${text}"`))).toEqual([]);
  });

  it("carries iperf3 both ways, over TCP and UDP", async () => {
    for (const direction of [[], ["-R"]]) {
      // What is still in the buffers of the ends when the sender is done, iperf3 does not count.
      const tcp = await all.clients.iperf(vip, "-n", "20M", "-w", "512K", ...direction);
      expect(tcp.bytes).toBeGreaterThan(15 << 20);
      // iperf3 counts what has been read by the time that the other end is done.
      const udp = await all.clients.iperf(vip, "-u", "-b", "8M", "-l", "1000", "-k", "1000", ...direction);
      expect(udp.packets! - udp.lost_packets!).toBeGreaterThan(500);
    }
  });

  it("carries ssh: files both ways, and by scp", async () => {
    const { sha256: hash } = all.small;
    expect(await all.clients.sshBothWays(vip, all.small)).toEqual([hash, hash]);
    expect(await all.clients.scp(vip, all.small)).toBe(hash);
  });
});

/** Packets that the client put together from fragments. */
async function reassemblies(family: Family): Promise<number> {
  const text = await all.net.client.run(["nstat", "-asz", "IpReasmOKs", "Ip6ReasmOKs"]);
  const name = family === "ipv4" ? "IpReasmOKs" : "Ip6ReasmOKs";
  return Number(new RegExp(`^${name} +(\\d+)`, "m").exec(text)?.[1]);
}

it.each(CELLS)("a shell over $mode and $family that was idle meanwhile goes on", async ({ family, mode }) => {
  const shell = shells.get(`${family} ${mode}`);
  expect(await shell?.ask("echo $before")).toBe("idle");
  shell?.close();
});

it("the watches for untranslated packets look where they should", async () => {
  await expect(all.evidence.prove()).resolves.toBeUndefined();
});
