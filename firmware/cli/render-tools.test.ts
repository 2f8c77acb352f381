import { BALANCER_REASONS } from "@futago/hal/xdp/layout.ts";
import { describe, expect, it } from "vitest";
import { COUNTER_WORDS, isLoss } from "../balancer/counter-words.ts";
import type { FlowShown, ServiceStatus, TraceShown } from "../runtime/control.ts";
import { renderFlows, renderTrace } from "./render-flows.ts";
import { renderServices, size } from "./render-services.ts";

const flow: FlowShown = {
  state: "established",
  client: "198.51.100.7",
  clientPort: 40_000,
  vip: "10.1.0.1",
  vipPort: 80,
  protocol: "tcp",
  service: "www",
  mode: "nat",
  backend: "web/s1",
  backendAddress: "10.2.0.11",
  backendPort: 8080,
  sourcePort: null,
  idleMillis: 61_000,
  remarks: [],
};

describe("`show flows`", () => {
  it("prints one line for a flow, and how many there are in all", () => {
    const text = renderFlows({ flows: [flow], open: 9, total: 12 });
    expect(text.split("\n")[1]).toMatch(
      /^198\.51\.100\.7:40000 +10\.1\.0\.1:80\/tcp +www +nat +web\/s1 \(10\.2\.0\.11:8080\) +established +61 s$/,
    );
    expect(text).toContain("12 flows in all, 9 of them open; the 1 newest are shown");
  });

  it("names the VIP's port of one-arm, and what is known of the end of a flow", () => {
    const oneArm: FlowShown = { ...flow, mode: "one-arm", sourcePort: 1_234, remarks: ["client closed"] };
    const text = renderFlows({ flows: [oneArm], open: 1, total: 1 });
    expect(text).toContain("web/s1 (10.2.0.11:8080, from port 1234)");
    expect(text).toContain("client closed\n");
    expect(text).toContain("1 flow in all, 1 of them open.\n");
  });

  it("writes IPv6 in brackets, and the address of a backend that has no name any more", () => {
    const six: FlowShown = { ...flow, client: "2001:db8::7", backend: null, service: null, idleMillis: 10 };
    const text = renderFlows({ flows: [six], open: 1, total: 1 });
    expect(text).toMatch(/^\[2001:db8::7\]:40000 .* 10\.2\.0\.11:8080 +established +< 1 s$/m);
  });

  it("is a sentence when there is none", () => {
    expect(renderFlows({ flows: [], open: 0, total: 0 })).toBe("The balancer knows no such flow.\n");
  });
});

describe("`trace`", () => {
  const shown: TraceShown = {
    outcome: "backend",
    backends: [{ id: "web/s1", share: 1 }],
    counter: null,
    steps: [
      { step: "vip", sentence: "It is ours.", ends: false },
      { step: "backend", sentence: "It lives.", ends: false },
    ],
  };

  it.each<[Partial<TraceShown>, string]>([
    [{}, "The packet goes to web/s1.\n"],
    [{ outcome: "dropped", counter: "dropDenied" }, "The packet is DROPPED (dropDenied).\n"],
    [{ outcome: "kernel" }, "The packet is not balanced: it is left to the kernel.\n"],
    [
      {
        outcome: "shares",
        backends: [
          { id: "web/s1", share: 0.25 },
          { id: "web/s2", share: 0.75 },
        ],
      },
      "The packet goes to one of web/s1 (25.0 %), web/s2 (75.0 %): say CLIENT:PORT to know which.\n",
    ],
  ])("ends with the outcome: %o", (change, sentence) => {
    const text = renderTrace({ ...shown, ...change });
    expect(text).toContain("  vip      It is ours.\n  backend  It lives.\n\n");
    expect(text.endsWith(sentence)).toBe(true);
  });
});

describe("`show services`", () => {
  const traffic = { packetsIn: 10, bytesIn: 1_500, packetsOut: 8, bytesOut: 2_000_000, flows: 3 };
  const service: ServiceStatus = {
    name: "www",
    address: "10.1.0.1 2001:db8::1",
    port: 80,
    protocol: "tcp",
    pool: "web",
    mode: "nat",
    family: "ipv4",
    persistence: "source",
    attach: "native",
    attachReason: null,
    oneArmClients: [],
    traffic,
    connections: { established: 12, replicated: null },
    backends: [
      {
        name: "s1",
        address: "10.2.0.11",
        port: 8080,
        weight: 1,
        backup: false,
        healthy: true,
        reason: "200 in 0.4 ms",
        flows: 12,
        draining: true,
        limit: 100,
        traffic,
      },
    ],
  };

  it("says mode, family, drains, limits and what was carried", () => {
    const text = renderServices({ services: [service], counters: {} });
    expect(text).toContain("www  10.1.0.1:80 [2001:db8::1]:80/tcp  IPv4 nat, by source address, pool web, XDP native");
    expect(text).toMatch(/s1 +10\.2\.0\.11:8080 +draining +1 +12\/100 +3 +10 \(1\.5 kB\) +8 \(2\.0 MB\) +200 in/);
    expect(text).toMatch(/in all +3 +10 \(1\.5 kB\) +8 \(2\.0 MB\)\n/);
    expect(text).toContain("Nothing was dropped.");
  });

  it("says which clients a nat service serves as one-arm", () => {
    const text = renderServices({
      services: [{ ...service, oneArmClients: ["10.2.0.0/24", "fd02::/64"] }],
      counters: {},
    });
    expect(text).toContain("pool web, XDP native; clients in 10.2.0.0/24 and fd02::/64 as one-arm\n");
  });

  it.each([
    ["generic", "eth0: Peer MTU is too large to set XDP", "XDP generic (eth0: Peer MTU is too large to set XDP)"],
    ["nftables", "eth0: a program is there", "nftables (eth0: a program is there)"],
    ["none", "eth0 is not there", "XDP none (eth0 is not there)"],
  ] as const)("says why it is %s", (attach, attachReason, text) => {
    const shown = renderServices({ services: [{ ...service, attach, attachReason }], counters: {} });
    expect(shown.split("\n")[0]?.endsWith(`pool web, ${text}`)).toBe(true);
  });

  it("says why packets were dropped, the most frequent first", () => {
    const text = renderServices({
      services: [service],
      counters: { dropDenied: 3, dropTtl: 7, passOwn: 9, dropNoFlow: 0 },
    });
    expect(text.indexOf("had no time to live left (dropTtl)")).toBeGreaterThan(0);
    expect(text.indexOf("(dropTtl)")).toBeLessThan(text.indexOf("(dropDenied)"));
    expect(text.indexOf("(dropDenied)")).toBeLessThan(text.indexOf("(passOwn)"));
    expect(text).not.toContain("dropNoFlow");
  });

  it("has words for every counter of the balancer, and for no other", () => {
    expect(Object.keys(COUNTER_WORDS).sort()).toEqual([...BALANCER_REASONS].sort());
    expect(isLoss("dropTtl")).toBe(true);
    expect(isLoss("passOwn")).toBe(false);
  });

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_500, "1.5 kB"],
    [123_456_789, "123 MB"],
    [2 ** 60, "1153 PB"],
  ])("writes %i bytes as %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });
});
