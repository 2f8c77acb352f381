/** Where no XDP program can be attached, rules of nftables serve, and the box says so. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { FallbackRig, boxDocument, pool, STACKS } from "./fallback-rig.ts";
import { putForeignXdp, takeForeignXdp } from "./foreign-xdp.ts";

const within = { timeout: 10_000, interval: 50 };
const MODES = { nat: { tcp: 80, udp: 53 }, "one-arm": { tcp: 81, udp: 54 } } as const;
const CELLS = (["ipv4", "ipv6"] as const).flatMap((family) =>
  (["nat", "one-arm"] as const).flatMap((mode) =>
    (["tcp", "udp"] as const).map((protocol) => ({ family, mode, protocol, port: MODES[mode][protocol] })),
  ),
);
const services = CELLS.map(({ family, mode, protocol, port }) => ({
  name: `${family}-${mode}-${protocol}`,
  address: STACKS[family].vip,
  protocol,
  port,
  mode,
  pool: family,
}));
const direct = {
  name: "straight",
  address: STACKS.ipv4.vip,
  protocol: "tcp",
  port: 7000,
  mode: "direct",
  pool: "ipv4",
};
const pools = [pool("ipv4", STACKS.ipv4), pool("ipv6", STACKS.ipv6)];
const document = boxDocument(pools, [...services, direct]);

let rig: FallbackRig;

beforeAll(async () => {
  rig = await FallbackRig.build();
  await putForeignXdp(rig.host, "eth0");
  await rig.start(document);
  await vi.waitUntil(async () => (await rig.rules()).includes("10.2.0.11"), within);
});
afterAll(() => rig.destroy());

const tracked = () => rig.host.run(["conntrack", "-L"]);

describe("a box with somebody else's XDP program on the port of the VIP", () => {
  it("names it, what serves instead, and what cannot be served", async () => {
    const { attach, attachReason, connections } = await rig.service("ipv4-nat-tcp");
    expect(attach).toBe("nftables");
    expect(attachReason).toMatch(/^eth0: somebody else's XDP program "foreign_pass" \(id \d+\) is there$/);
    expect(connections.replicated).toBeNull();
    expect((await rig.service("straight")).attach).toBe("none");
    const alarms = (await rig.box.status()).alarms.filter(({ kind }) => kind === "balancer-fallback");
    expect(alarms).toHaveLength(1);
    expect(alarms[0]?.sentence).toContain("straight in mode direct cannot be served so");
    expect(alarms[0]?.sentence).toContain("ip link set dev eth0 xdp off");
    expect((await rig.box.futago("show", "services")).stdout).toMatch(/pool ipv4, nftables \(eth0: somebody else's/);
    expect((await rig.box.futago("status")).stdout).toContain("ipv4-nat-tcp: nftables (eth0: somebody else's");
    expect((await rig.box.futago("trace", "10.1.0.10", "ipv4-nat-tcp")).stdout).toContain("nft list table inet");
    expect(await rig.xdp("eth1")).not.toBe("none");
  });

  it.each(CELLS)("reaches both backends in $family, $mode, $protocol, all checksums right", async (cell) => {
    expect(await rig.exchange(cell)).toEqual({
      small: 24,
      large: 2,
      errors: [],
      servers: ["one", "two"],
      wrongSums: 0,
    });
  });

  it("shows backends the client in nat, and the VIP with ports below the kernel's own in one-arm", async () => {
    const lines = (await tracked()).split("\n");
    const replies = (port: number) =>
      lines
        .filter((line) => new RegExp(`dport=${port} .*src=10\\.2\\.0\\.1[12] `).test(line))
        .map((line) => line.split("src=")[2]);
    expect(replies(80).length).toBeGreaterThan(20);
    for (const reply of replies(80)) expect(reply).toContain(" dst=10.1.0.10 ");
    const ports = replies(81).map((reply) => Number(/dst=10\.1\.0\.1 sport=7000 dport=(\d+)/.exec(reply ?? "")?.[1]));
    expect(ports.length).toBeGreaterThan(20);
    for (const port of ports) expect(port).toBeGreaterThan(1_023);
    for (const port of ports) expect(port).toBeLessThan(32_000);
  });
});

describe("rules that somebody flushed", () => {
  it("are put back, and it is told", async () => {
    await rig.host.run(["nft", "flush", "ruleset"]);
    await expect.poll(() => rig.rules(), within).toContain("10.2.0.11");
    await rig.host.run(["nft", "flush", "chain", "inet", "futago_balancer", "to_backend"]);
    await expect.poll(() => rig.answering("tcp", STACKS.ipv4.vip, 80), within).toEqual(["one", "two"]);
    expect((await rig.box.futago("show", "log")).stdout).toContain("nftables-restored");
  });

  it("are left alone when only others' were changed", async () => {
    const handle = async () =>
      (await rig.host.run(["nft", "-a", "list", "table", "inet", "futago_balancer"])).split("\n")[0];
    const before = await handle();
    await rig.host.run(["nft", "add", "table", "inet", "other"]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await handle()).toBe(before);
    await rig.host.run(["nft", "delete", "table", "inet", "other"]);
  });
});

describe("a core that is killed", () => {
  it("leaves the rules and the connections where they are, and its successor takes them over", async () => {
    const talker = rig.talk(STACKS.ipv4.vip, 80);
    expect(await talker.open(1)).toMatch(/one|two/);
    const before = rig.box.pid("core");
    process.kill(before, "SIGKILL");
    expect(await talker.speak(1)).toBe("right");
    await expect
      .poll(async () => rig.box.pid("core") !== before && (await rig.box.futago("status")).code === 0, within)
      .toBe(true);
    // On a busy machine a successor counts later than that.
    const patient = { ...within, timeout: 40_000 };
    await expect.poll(async () => (await rig.service("ipv4-nat-tcp")).connections.established, patient).toBe(1);
    await expect.poll(async () => (await rig.service("ipv4-nat-tcp")).attach, patient).toBe("nftables");
    expect(await talker.speak(1)).toBe("right");
    talker.close();
  });
});

describe("a box without a lease", () => {
  it("is silent, whatever rules stand", async () => {
    const pids = (await rig.client.run(["ip", "netns", "pids", rig.host.fullName])).trim().split("\n").map(Number);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    try {
      await expect.poll(async () => (await rig.ask("tcp", STACKS.ipv4.vip, 80, 1)).right, within).toBe(0);
      expect(await rig.rules()).toContain("10.2.0.11");
      expect((await rig.ask("udp", STACKS.ipv6.vip, 53, 1)).right).toBe(0);
    } finally {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    }
    await expect.poll(async () => (await rig.ask("tcp", STACKS.ipv4.vip, 80, 1)).right, within).toBe(1);
  });
});

describe("a port that takes XDP again", () => {
  it("gets the program as soon as the other one is gone, and the rules go", async () => {
    await takeForeignXdp(rig.host, "eth0");
    await expect.poll(async () => (await rig.service("ipv4-nat-tcp")).attach, within).toBe("native");
    await expect.poll(() => rig.rules(), within).toBe("");
    expect((await rig.box.status()).alarms.filter(({ kind }) => kind === "balancer-fallback")).toEqual([]);
    expect(await rig.answering("tcp", STACKS.ipv4.vip, 80)).toEqual(["one", "two"]);
    expect((await rig.service("straight")).attach).toBe("native");
  });

  it("and loses it when somebody puts another one in its place, which is noticed", async () => {
    await putForeignXdp(rig.host, "eth0", true);
    await expect.poll(async () => (await rig.service("ipv4-nat-tcp")).attach, within).toBe("nftables");
    await expect.poll(() => rig.answering("tcp", STACKS.ipv4.vip, 80), within).toEqual(["one", "two"]);
    expect(await rig.answering("udp", STACKS.ipv6.vip, 54)).toEqual(["one", "two"]);
  });

  it("is left with nothing of the box when that stops", async () => {
    expect((await rig.box.stop()).code).toBe(0);
    expect(await rig.rules()).toBe("");
    expect(await tracked()).not.toContain("dport=80 ");
    expect(await rig.xdp("eth1")).toBe("none");
    expect(await rig.host.ip("-d link show dev eth0")).toContain("foreign_pass");
  });
});
