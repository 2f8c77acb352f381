/** What somebody else does to the kernel behind a box's back, and that it is put right. */
import { openBpf } from "@futago/hal/xdp/bpf.ts";
import { encodeNumber } from "@futago/hal/xdp/layout.ts";
import { balancerTables } from "@futago/hal/xdp/tables.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createNetwork, type Namespace, type TestNetwork } from "./namespaces.ts";
import { Boxes, type RunningBox } from "./running-box.ts";

const document = {
  interfaces: [
    { name: "wan", device: "eth0", addresses: ["10.1.0.2/24", "fd01::2/64"] },
    { name: "lan", device: "eth1", addresses: ["10.2.0.2/24", "fd02::2/64"] },
  ],
  routes: [
    { to: "default", via: "10.1.0.254" },
    { to: "10.9.0.0/16", via: "10.2.0.11" },
    { to: "2001:db8::/32", via: "fd02::11" },
  ],
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
      backends: [{ name: "s1", address: "10.2.0.11", port: 80 }],
      check: { type: "icmp", intervalMs: 200 },
    },
  ],
  services: [{ name: "www", address: "front", protocol: "tcp", port: 80, pool: "web" }],
};

let net: TestNetwork;
let host: Namespace;
let boxes: Boxes;
let box: RunningBox;

beforeEach(async () => {
  boxes = new Boxes();
  net = await createNetwork();
  host = await net.namespace("box");
  const client = await net.namespace("client");
  const servers = await net.namespace("servers");
  await net.link(host, "eth0", client, "eth0");
  await net.link(host, "eth1", servers, "eth0");
  await client.ip("addr add 10.1.0.254/24 dev eth0");
  await servers.ip("addr add 10.2.0.11/24 dev eth0");
  box = boxes.start(host, boxes.state(), "--import", boxes.document("box.json", document));
  await box.ready();
  await box.futago("wait", "--role", "active", "--timeout", "10");
});
afterEach(async () => {
  await boxes.destroy([host]);
  await net.destroy();
});

const filters = async (device: string) =>
  (await host.run(["tc", "filter", "show", "dev", device, "ingress"])) +
  (await host.run(["tc", "filter", "show", "dev", device, "egress"]));
const gateStands = async (device: string) => {
  const text = await filters(device);
  return text.includes("futago_ingress") && text.includes("futago_egress");
};
const xdpId = async (device: string) => /prog\/xdp id (\d+)/.exec(await host.ip(`link show dev ${device}`))?.[1];
const readSysctl = async (name: string) => (await host.run(["sysctl", "-n", name])).trim();
const within = { timeout: 6_000, interval: 50 };

describe("a box puts right", () => {
  it("its own addresses of both families, and takes away strange ones", async () => {
    await host.ip("addr flush dev eth1 scope global");
    await host.ip("addr add 10.2.0.99/24 dev eth1");
    await host.ip("addr add fd02::99/64 dev eth1");
    await expect
      .poll(async () => {
        const text = await host.ip("addr show dev eth1");
        const own = ["10.2.0.2/24", "10.2.0.1/32", "fd02::2/64"].every((address) => text.includes(address));
        return own && !text.includes("10.2.0.99") && !text.includes("fd02::99");
      }, within)
      .toBe(true);
  });

  it("routes that were removed, changed or added in its name, and leaves those of others", async () => {
    await host.ip("route del default");
    await host.ip("-6 route del 2001:db8::/32");
    await host.ip("route change 10.9.0.0/16 via 10.2.0.12");
    await host.ip("route add 10.10.0.0/16 via 10.2.0.11");
    await expect
      .poll(async () => {
        const text = `${await host.ip("route")}${await host.ip("-6 route")}`;
        return ["default via 10.1.0.254", "2001:db8::/32 via fd02::11", "10.9.0.0/16 via 10.2.0.11"].every((route) =>
          text.includes(route),
        );
      }, within)
      .toBe(true);
    const routes = await host.ip("route");
    expect(routes).not.toContain("10.2.0.12");
    expect(routes).toContain("10.10.0.0/16 via 10.2.0.11");
  });

  it("a link that was set down, with all that went away with it", async () => {
    await host.ip("link set eth1 down");
    await expect
      .poll(async () => {
        const text = await host.ip("addr show dev eth1");
        return /[<,]UP[,>]/.test(text) && text.includes("10.2.0.2/24") && text.includes("fd02::2/64");
      }, within)
      .toBe(true);
    await expect
      .poll(async () => (await host.ip("-6 route")).includes("2001:db8::/32 via fd02::11"), within)
      .toBe(true);
    expect(await xdpId("eth1")).toBeDefined();
  });

  it("a neighbour that it keeps fresh", async () => {
    const managed = async () => /10\.2\.0\.11 .*managed/.test(await host.ip("neigh show dev eth1"));
    await expect.poll(managed, within).toBe(true);
    await host.ip("neigh del 10.2.0.11 dev eth1");
    await expect.poll(managed, within).toBe(true);
  });

  it("switches of the box and of its devices, and says so in its log", async () => {
    await host.sysctl("net.ipv4.ip_forward", 0);
    await host.sysctl("net.ipv6.conf.all.forwarding", 0);
    await host.sysctl("net.ipv4.conf.eth1.arp_ignore", 0);
    await expect
      .poll(async () => {
        const values = [
          await readSysctl("net.ipv4.ip_forward"),
          await readSysctl("net.ipv6.conf.all.forwarding"),
          await readSysctl("net.ipv4.conf.eth1.arp_ignore"),
        ];
        return values.join() === "1,1,1";
      }, within)
      .toBe(true);
    expect((await box.futago("show", "log")).stdout).toContain("sysctl-restored");
  });

  it("the balancer's program that was taken off a port", async () => {
    await host.ip("link set eth0 xdp off");
    await host.ip("link set eth1 xdp off");
    await expect
      .poll(async () => (await xdpId("eth0")) !== undefined && (await xdpId("eth1")) !== undefined, within)
      .toBe(true);
    expect((await box.futago("show", "log")).stdout).toContain("balancer-restored");
  });

  it("what stands in the balancer's tables, and says so in its log", async () => {
    const object = openBpf().load("balancer", `${box.state}/bpf`);
    const standing = () => JSON.stringify(balancerTables(object).read());
    const before = standing();
    const [vip] = [...object.map("services").entries()][0]!;
    const reverses = object.map("reverses");
    const [reply] = [...reverses.entries()][0]!;
    const [own] = [...object.map("futago_own").entries()][0]!;
    try {
      object.map("services").delete(vip);
      reverses.delete(reply);
      reverses.update(new Uint8Array(reply.length).fill(9), new Uint8Array(reverses.valueBytes).fill(1));
      object.map("backends").update(encodeNumber(0), new Uint8Array(24));
      object.map("rings").update(encodeNumber(0), new Uint8Array(object.map("rings").valueBytes).fill(9));
      object.map("futago_own").delete(own);
      expect(object.map("futago_own").lookup(own)).toBeUndefined();
      await expect.poll(standing, within).toBe(before);
      await expect.poll(() => object.map("futago_own").lookup(own), within).toBeDefined();
    } finally {
      object.close();
    }
    const log = (await box.futago("show", "log")).stdout;
    expect(log).toContain("balancer-restored");
    expect(log).toContain("service tcp 10.1.0.1:80");
  });

  it("the gate whose filter, or whose whole hook, was taken away, and tells of it", async () => {
    expect([await gateStands("eth0"), await gateStands("eth1")]).toEqual([true, true]);
    await host.run(["tc", "filter", "del", "dev", "eth0", "ingress"]);
    await host.run(["tc", "qdisc", "del", "dev", "eth1", "clsact"]);
    await expect.poll(async () => (await gateStands("eth0")) && (await gateStands("eth1")), within).toBe(true);
    await expect
      .poll(async () => (await box.futago("show", "why")).stdout.includes("gate-restored"), within)
      .toBe(true);
  });
});
