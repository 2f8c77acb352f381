import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { instant, seconds } from "@futago/hal/units/time.ts";
import { encodeFlow, encodeFlowKey } from "@futago/hal/xdp/layout-flows.ts";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { FlowCounter } from "./flow-counter.ts";

const clock = { now: () => instant(seconds(1_000)) };
let object: BpfObject;

beforeEach(() => {
  const bpf = new FakeBpf();
  bpf.mount("/bpf");
  object = bpf.load("balancer", "/bpf");
});

function ip(text: string): IpAddress {
  return parseIpAddress(text) as IpAddress;
}

function put(table: "established" | "udp_flows", clientPort: number, backend: string, number: number, seen: number) {
  const ends = { client: ip("10.1.0.9"), clientPort, vip: ip("10.1.0.1"), vipPort: 80, protocol: "tcp" } as const;
  const place = { address: ip(backend), port: 80, backend: number, vipSourcePort: 0, expectedAck: 0, flags: 0 };
  const flow = { ...ends, ...place, seenNanos: BigInt(seen) * 1_000_000_000n };
  object.map(table).update(encodeFlowKey(flow), encodeFlow(flow));
}

describe("counting flows", () => {
  it("counts those seen in the last minute, by backend, of TCP and UDP", async () => {
    put("established", 1, "10.2.0.11", 0, 999);
    put("established", 2, "10.2.0.11", 0, 940);
    put("established", 3, "10.2.0.11", 0, 939);
    put("established", 4, "2001:db8::12", 1, 1_000);
    put("udp_flows", 5, "10.2.0.11", 128, 1_000);
    const counter = new FlowCounter(clock, () => object);
    expect(counter.counts.size).toBe(0);
    await counter.count();
    expect(Object.fromEntries(counter.counts)).toEqual({ "10.2.0.11:80": 3, "2001:db8::12:80": 1 });
  });

  it("tells the backends apart that had one number after the other", async () => {
    put("established", 1, "10.2.0.11", 7, 1_000);
    put("established", 2, "10.2.0.12", 7, 1_000);
    const counter = new FlowCounter(clock, () => object);
    await counter.count();
    expect(Object.fromEntries(counter.counts)).toEqual({ "10.2.0.11:80": 1, "10.2.0.12:80": 1 });
  });

  it("reads the table in slices, once for all who ask meanwhile", async () => {
    for (let port = 1; port <= 2_000; port++) put("established", port, "10.2.0.11", 0, 1_000);
    let walks = 0;
    let turns = 0;
    const counter = new FlowCounter(clock, () => object);
    const table = object.map("established");
    const slice = table.slice.bind(table);
    table.slice = (count, from) => {
      walks += from === undefined ? 1 : 0;
      return slice(count, from);
    };
    const others = setInterval(() => turns++, 0);
    await Promise.all([counter.count(), counter.count()]);
    clearInterval(others);
    expect(counter.counts.get("10.2.0.11:80")).toBe(2_000);
    expect(turns).toBeGreaterThan(0);
    await counter.count();
    expect(walks).toBe(1);
  });
});
