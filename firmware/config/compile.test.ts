import { describe, expect, it } from "vitest";
import { compileOrders } from "./compile-orders.ts";
import { compileSystem, type SystemOrders } from "./compile-system.ts";
import { exampleDocument } from "./example.test-support.ts";
import type { Resolved } from "./resolved.ts";
import { validate } from "./validate.ts";

const revision = "0123456789abcdef".repeat(4);

function resolve(document: unknown, box: "a" | "b" | undefined): Resolved {
  const result = validate(document, { box });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.resolved;
}

function withGroup(group: object, box: "a" | "b" = "a"): Resolved {
  return resolve({ ...exampleDocument, services: [], failoverGroups: [{ name: "edge", ...group }] }, box);
}

describe("orders for the sentinel", () => {
  it("say what the example asks of box b", () => {
    expect(compileOrders(resolve(exampleDocument, "b"), revision)).toEqual({
      revision,
      box: "b",
      pair: {
        part: "either",
        partition: "availability",
        witnesses: ["10.1.0.254"],
        profile: "default",
        fixed: false,
        port: 7405,
        over: ["eth2", "eth1", "eth0"],
      },
      interfaces: [
        {
          name: "wan",
          device: "eth0",
          addresses: [{ address: "10.1.0.3", prefixLength: 24 }],
          peerAddresses: [{ address: "10.1.0.2", prefixLength: 24 }],
        },
        {
          name: "lan",
          device: "eth1",
          addresses: [{ address: "10.2.0.3", prefixLength: 24 }],
          peerAddresses: [{ address: "10.2.0.2", prefixLength: 24 }],
        },
        {
          name: "sync",
          device: "eth2",
          addresses: [{ address: "10.3.0.2", prefixLength: 30 }],
          peerAddresses: [{ address: "10.3.0.1", prefixLength: 30 }],
        },
      ],
      groups: [
        {
          name: "edge",
          preferred: "a",
          preempt: false,
          priority: 100,
          virtualRouters: [
            {
              interface: "wan",
              device: "eth0",
              vrid: 10,
              family: "ipv4",
              addresses: [{ address: "10.1.0.1", prefixLength: 24 }],
              advertisementIntervalMs: 1000,
              checksum: "rfc5798",
              virtualMac: false,
            },
            {
              interface: "lan",
              device: "eth1",
              vrid: 11,
              family: "ipv4",
              addresses: [{ address: "10.2.0.1", prefixLength: 24 }],
              advertisementIntervalMs: 1000,
              checksum: "rfc5798",
              virtualMac: false,
            },
          ],
        },
      ],
    });
  });

  it("give the preferred box 200, the other 100, both 100 without preference, and what is written before all", () => {
    const virtualRouters = [{ interface: "wan", vrid: 1, addresses: ["10.1.0.1/24"] }];
    const priority = (group: object, box: "a" | "b") =>
      compileOrders(withGroup(group, box), revision).groups[0]?.priority;
    expect(["a", "b"].map((box) => priority({ preferred: "b", virtualRouters }, box as "a"))).toEqual([100, 200]);
    expect(["a", "b"].map((box) => priority({ virtualRouters }, box as "a"))).toEqual([100, 100]);
    const written = virtualRouters.map((vr) => ({ ...vr, priority: { a: 7, b: 250 } }));
    expect(["a", "b"].map((box) => priority({ preferred: "a", virtualRouters: written }, box as "a"))).toEqual([
      7, 250,
    ]);
  });

  it("put a link-local address first for IPv6: the derived one, or the one that is written", () => {
    const addresses = (list: readonly string[]) =>
      compileOrders(
        withGroup({ virtualRouters: [{ interface: "wan", vrid: 0xab, addresses: list }] }),
        revision,
      ).groups[0]?.virtualRouters[0]?.addresses.map((each) => `${each.address}/${each.prefixLength}`);
    // Modified EUI-64 of 00-00-5E-00-02-AB, worked out by hand.
    expect(addresses(["2001:DB8::1/64"])).toEqual(["fe80::200:5eff:fe00:2ab/64", "2001:db8::1/64"]);
    expect(addresses(["2001:db8::1/64", "fe80::7/64"])).toEqual(["fe80::7/64", "2001:db8::1/64"]);
  });

  it("keep the heartbeats of a cold pair off the ports that a spare has shut", () => {
    const cold = { ...exampleDocument, pair: { standby: "cold" } };
    expect(compileOrders(resolve(cold, "b"), revision, "spare").pair).toMatchObject({ part: "spare", over: ["eth2"] });
    expect(compileOrders(resolve(cold, "b"), revision).pair).toMatchObject({ part: "either", over: ["eth2"] });
  });

  it("leave the pair out on a box alone, and take all interfaces for heartbeats unless told", () => {
    expect(
      compileOrders(resolve({ interfaces: [{ name: "wan", device: "eth0" }] }, undefined), revision),
    ).toMatchObject({
      box: undefined,
      pair: undefined,
      groups: [],
    });
    expect(compileOrders(resolve({ ...exampleDocument, pair: {} }, "a"), revision).pair?.over).toEqual([
      "eth0",
      "eth1",
      "eth2",
    ]);
  });
});

describe("what the kernel shall be brought to", () => {
  it("holds links, routes and the neighbours that XDP needs fresh", () => {
    const system = compileSystem(resolve(exampleDocument, "a"));
    expect(system.links.map((link) => link.device)).toEqual(["eth0", "eth1", "eth2"]);
    expect(system.routes).toEqual([
      { family: "ipv4", destination: undefined, via: "10.1.0.254", device: "eth0", metric: 0 },
    ]);
    expect(system.neighbours).toEqual([
      { device: "eth0", address: "10.1.0.254" },
      { device: "eth1", address: "10.2.0.11" },
      { device: "eth1", address: "10.2.0.12" },
      { device: "eth1", address: "10.2.0.13" },
    ]);
  });

  it("keeps ARP and forwarding as the gate and the balancer need them, on devices with a dot too", () => {
    const { sysctls } = compileSystem(resolve({ interfaces: [{ name: "wan", device: "eth0.7" }] }, undefined));
    expect(sysctls.map(({ name, value }) => `${name}=${value}`)).toEqual([
      "net.ipv4.ip_forward=1",
      "net.ipv6.conf.all.forwarding=1",
      "net.ipv4.conf.all.send_redirects=0",
      "net.ipv4.conf.eth0/7.arp_ignore=1",
      "net.ipv4.conf.eth0/7.arp_announce=2",
      "net.ipv4.conf.eth0/7.rp_filter=2",
      "net.ipv4.conf.eth0/7.accept_local=1",
      "net.ipv4.conf.eth0/7.send_redirects=0",
      "net.ipv4.conf.eth0/7.promote_secondaries=1",
      "net.ipv6.conf.eth0/7.disable_ipv6=0",
    ]);
  });

  it("sends a backend behind a route through the gateway of the longest prefix", () => {
    const document = {
      ...exampleDocument,
      routes: [...exampleDocument.routes, { to: "10.9.0.0/16", via: "10.2.0.254", metric: 5 }],
      pools: [{ name: "web", backends: [{ name: "far", address: "10.9.1.1", port: 80 }] }],
    };
    const result = validate(document, { box: "a" });
    expect(result).toMatchObject({ ok: true, warnings: [] });
    expect(compileSystem(resolve(document, "a"))).toMatchObject({
      routes: [
        {},
        { destination: { address: "10.9.0.0", prefixLength: 16 }, via: "10.2.0.254", device: "eth1", metric: 5 },
      ],
      neighbours: [
        { device: "eth0", address: "10.1.0.254" },
        { device: "eth1", address: "10.2.0.254" },
      ],
    });
  });
});

describe("a large configuration", () => {
  it("makes room for its neighbours in the kernel's tables", () => {
    const backends = (count: number) =>
      Array.from({ length: 9 }, (_, p) => ({
        name: `p${p}`,
        backends: Array.from({ length: count }, (_b, i) => ({
          name: `s${i}`,
          address: `10.2.${p}.${i + 4}`,
          port: 80,
        })),
      }));
    const document = {
      ...exampleDocument,
      interfaces: [
        exampleDocument.interfaces[0],
        { name: "lan", device: "eth1", addresses: { a: ["10.2.255.2/16"], b: ["10.2.255.3/16"] } },
        exampleDocument.interfaces[2],
      ],
      failoverGroups: [
        {
          ...exampleDocument.failoverGroups[0],
          virtualRouters: [
            exampleDocument.failoverGroups[0]?.virtualRouters[0],
            { interface: "lan", vrid: 11, addresses: ["10.2.255.1/16"] },
          ],
        },
      ],
      pools: backends(60),
      services: Array.from({ length: 9 }, (_, p) => ({
        name: `v${p}`,
        address: "front",
        protocol: "tcp",
        port: 80 + p,
        pool: `p${p}`,
        sorryPool: `p${(p + 1) % 9}`,
        mode: "one-arm",
      })),
    };
    const limits = (orders: SystemOrders) => orders.sysctls.filter(({ atLeast }) => atLeast);
    const { neighbours, ...rest } = compileSystem(
      resolve({ ...document, services: document.services.slice(0, 1) }, "a"),
    );
    // Two pools, the sorry one included, and the gateway.
    expect(neighbours).toHaveLength(121);
    expect(limits({ neighbours, ...rest })).toEqual([]);
    expect(limits(compileSystem(resolve(document, "a")))).toEqual([
      { name: "net.ipv4.neigh.default.gc_thresh3", value: "3130", atLeast: true },
      { name: "net.ipv4.neigh.default.gc_thresh2", value: "1565", atLeast: true },
    ]);
  });
});

describe("what is left out", () => {
  it("gets the defaults that the reference shows", () => {
    const document = {
      ...exampleDocument,
      pools: [
        { name: "web", backends: [{ name: "s1", address: "10.2.0.11", port: 8080 }] },
        {
          name: "quick",
          backends: [{ name: "s1", address: "10.2.0.12", port: 80 }],
          check: { type: "http", intervalMs: 300 },
        },
      ],
    };
    const { pools } = resolve(document, "a");
    expect(pools[0]).toEqual({
      name: "web",
      backends: [{ name: "s1", address: "10.2.0.11", port: 8080, weight: 1, backup: false, maxConnections: undefined }],
      check: { kind: "tcp", port: undefined, intervalMs: 1000, timeoutMs: 500, rise: 2, fall: 2 },
      slowStartSeconds: 0,
    });
    expect(pools[1]?.check).toEqual({
      kind: "http",
      port: undefined,
      path: "/",
      host: undefined,
      expectStatus: [{ from: 200, to: 399 }],
      expectBody: undefined,
      intervalMs: 300,
      timeoutMs: 150,
      rise: 2,
      fall: 2,
    });
  });

  it("is known of a service, by its protocol and for both families", () => {
    const document = {
      ...exampleDocument,
      failoverGroups: [
        {
          ...exampleDocument.failoverGroups[0],
          virtualRouters: [
            ...(exampleDocument.failoverGroups[0]?.virtualRouters ?? []),
            { name: "six", interface: "wan", vrid: 12, addresses: ["fd01::1/64", "fd01:0::2/64"] },
          ],
        },
      ],
      pools: [...exampleDocument.pools, { name: "six", backends: [{ name: "s1", address: "FD01::0:11", port: 53 }] }],
      services: [
        exampleDocument.services[0],
        { name: "dns", address: "six", protocol: "udp", port: 53, pool: "six", mode: "direct", allow: ["fd09::1"] },
      ],
    };
    const { services, balancer } = resolve(document, "a");
    expect(balancer).toEqual({ flows: 131_072 });
    expect(services[0]).toEqual({
      name: "www",
      addresses: ["10.1.0.1"],
      family: "ipv4",
      group: "edge",
      protocol: "tcp",
      port: 80,
      pool: "web",
      mode: "nat",
      persistence: "none",
      allow: [],
      deny: [],
      sorryPool: undefined,
      newConnectionsPerSecond: undefined,
      idleTimeoutSeconds: 7_440,
    });
    expect(services[1]).toMatchObject({
      addresses: ["fd01::1", "fd01::2"],
      family: "ipv6",
      mode: "direct",
      allow: [{ address: "fd09::1", prefixLength: 128 }],
      idleTimeoutSeconds: 300,
    });
  });

  it.each([
    [
      { type: "https", host: "www.example.test:8443" },
      { sni: "www.example.test", verify: true, port: undefined },
    ],
    [
      { type: "https", host: "10.2.0.11:8443", verify: false },
      { sni: undefined, verify: false },
    ],
    [
      { type: "https", host: "[fd01::11]", expectBody: "ok" },
      { sni: undefined, expectBody: "ok" },
    ],
    [
      { type: "https", host: "a.example", sni: "b.example" },
      { host: "a.example", sni: "b.example" },
    ],
    [
      { type: "dns", query: "example.test" },
      { query: "example.test", expectAnswer: undefined, port: undefined },
    ],
    [
      { type: "dns", query: "a.", expectAnswer: "2001:DB8::1", port: 5353 },
      { expectAnswer: "2001:db8::1", port: 5353 },
    ],
  ])("is known of a check: %j", (check, expected) => {
    const { pools } = resolve({ ...exampleDocument, pools: [{ ...exampleDocument.pools[0], check }] }, "a");
    expect(pools[0]?.check).toMatchObject({ kind: check.type, ...expected });
  });

  it.each([
    [{ type: "http" }, 80],
    [{ type: "https", sni: "localhost" }, 443],
    [{ type: "dns", query: "localhost" }, 53],
  ])("is the usual port where a check looks at the box itself: %j", (check, port) => {
    const [group] = exampleDocument.failoverGroups;
    const { groups } = resolve(
      { ...exampleDocument, failoverGroups: [{ ...group, track: [{ check, weight: -10 }] }] },
      "a",
    );
    expect(groups[0]?.tracks[0]?.check).toMatchObject({ port });
  });
});
