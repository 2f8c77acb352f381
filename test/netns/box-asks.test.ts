/** `futago ping` and `futago traceroute` from a real box, over two real routers, by IPv4 and IPv6. */
import type { PingEvent, TracerouteEvent } from "@futago/firmware/runtime/control-ports.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

const document = {
  interfaces: [{ name: "wan", device: "eth0", addresses: ["10.1.0.2/24", "fd01::2/64"] }],
  routes: [
    { to: "default", via: "10.1.0.254" },
    { to: "::/0", via: "fd01::254" },
  ],
};

let net: TestNetwork;
let boxes: Boxes;
let host: Namespace;
let near: Namespace;
let box: RunningBox;

/** box - near - far - server; each router's addresses end in 254 towards the box. */
beforeAll(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  const [of, first, second, server] = [
    await net.namespace("box"),
    await net.namespace("near"),
    await net.namespace("far"),
    await net.namespace("server"),
  ];
  [host, near] = [of, first];
  await net.link(of, "eth0", first, "eth0");
  await net.link(first, "eth1", second, "eth0");
  await net.link(second, "eth1", server, "eth0");
  const give = async (where: Namespace, device: string, ...addresses: readonly string[]) => {
    for (const address of addresses) await where.ip(`addr add ${address} dev ${device}`);
  };
  await give(first, "eth0", "10.1.0.254/24", "fd01::254/64");
  await give(first, "eth1", "10.2.0.1/24", "fd02::1/64");
  await give(second, "eth0", "10.2.0.254/24", "fd02::254/64");
  await give(second, "eth1", "10.3.0.1/24", "fd03::1/64");
  await give(server, "eth0", "10.3.0.9/24", "fd03::9/64");
  for (const router of [first, second])
    await router.run([
      "sh",
      "-c",
      "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
    ]);
  const routes: readonly (readonly [Namespace, string, string])[] = [
    [first, "10.3.0.0/24", "10.2.0.254"],
    [first, "fd03::/64", "fd02::254"],
    [second, "10.1.0.0/24", "10.2.0.1"],
    [second, "fd01::/64", "fd02::1"],
    [server, "default", "10.3.0.1"],
    [server, "::/0", "fd03::1"],
  ];
  for (const [where, to, via] of routes) await where.ip(`route add ${to} via ${via}`);
  await second.run(["nft", "add table inet wall"]);
  await second.run(["nft", "add chain inet wall through { type filter hook forward priority 0; }"]);
  await second.run(["nft", "add rule inet wall through ip daddr 10.3.0.66 reject with icmp admin-prohibited"]);
  box = boxes.start(host, boxes.state(), "--import", boxes.document("alone.json", document));
  await box.ready();
});
afterAll(async () => {
  await boxes.destroy([host]);
  await net.destroy();
});

async function pinged(...argv: readonly string[]): Promise<{ code: number | null; events: readonly PingEvent[] }> {
  const { code, stdout } = await box.futago("ping", "--json", ...argv);
  return { code, events: JSON.parse(stdout) as PingEvent[] };
}
async function traced(to: string): Promise<{ code: number | null; hops: readonly string[] }> {
  const { code, stdout } = await box.futago("traceroute", "--json", to);
  const events = JSON.parse(stdout) as TracerouteEvent[];
  const hops = events.flatMap((event) => (event.kind === "hop" ? [`${event.hop} ${event.from} ${event.reason}`] : []));
  return { code, hops };
}

describe.each([
  { server: "10.3.0.9", way: ["1 10.1.0.254 null", "2 10.2.0.254 null", "3 10.3.0.9 null"] },
  { server: "fd03::9", way: ["1 fd01::254 null", "2 fd02::254 null", "3 fd03::9 null"] },
])("$server", ({ server, way }) => {
  it("answers a ping through both routers, and the way to it is told", async () => {
    const { code, events } = await pinged("-c", "2", server);
    expect(code).toBe(0);
    expect(events).toEqual([
      { kind: "began", address: server },
      { kind: "answer", sequence: 1, rttMicros: expect.any(Number) },
      { kind: "answer", sequence: 2, rttMicros: expect.any(Number) },
      { kind: "ended", sent: 2, received: 2 },
    ]);
    expect(await traced(server)).toEqual({ code: 0, hops: way });
  });
});

it("a router that has no way says so, and one that may not", async () => {
  expect(await pinged("-c", "1", "192.0.2.1")).toEqual({
    code: 1,
    events: [
      { kind: "began", address: "192.0.2.1" },
      { kind: "unreachable", sequence: 1, from: "10.1.0.254", reason: "no-route" },
      { kind: "ended", sent: 1, received: 0 },
    ],
  });
  const { code, hops } = await traced("10.3.0.66");
  expect(code).toBe(1);
  expect(hops).toEqual(["1 10.1.0.254 null", "2 10.2.0.254 null", "3 10.2.0.254 prohibited"]);
});

it("a router that says nothing is told as one that does", async () => {
  await near.run(["nft", "add table inet mute"]);
  await near.run(["nft", "add chain inet mute out { type filter hook output priority 0; }"]);
  await near.run(["nft", "add rule inet mute out icmp type time-exceeded drop"]);
  try {
    expect((await traced("10.3.0.9")).hops).toEqual(["1 null null", "2 10.2.0.254 null", "3 10.3.0.9 null"]);
  } finally {
    await near.run(["nft", "delete table inet mute"]);
  }
});

it("people read it line by line", async () => {
  const { stdout } = await box.futago("ping", "-c", "1", "10.3.0.9");
  expect(stdout).toMatch(/^Asking 10\.3\.0\.9\.\n1 {2}answered in \d+\.\d\d ms\n1 of 1 answered\.\n$/);
  expect((await box.futago("traceroute", "10.3.0.66")).stdout).toContain("2  10.2.0.254");
});

it.each(["127.0.0.1", "::1", "10.1.0.2", "10.1.0.255", "169.254.169.254", "localhost", "$(reboot)"])(
  "what nobody may let the box ask is refused: %s",
  async (to) => {
    const { code, stdout } = await box.futago("ping", "--json", to);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toHaveProperty("error.reason");
  },
);
