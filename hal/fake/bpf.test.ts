import { beforeEach, describe, expect, it } from "vitest";
import type { BpfObject } from "../contract/bpf.ts";
import { HalError } from "../contract/error.ts";
import { type Ifindex, type IpAddress, parseIpAddress } from "../units/address.ts";
import type { BalancerEntry } from "../units/balancer.ts";
import { encodeNumber } from "../xdp/layout.ts";
import { balancerTables, gateTables } from "../xdp/tables.ts";
import { FakeBpf } from "./bpf.ts";

const address = (text: string) => parseIpAddress(text) as IpAddress;
const eth0 = 2 as Ifindex;

let bpf: FakeBpf;
let balancer: BpfObject;
let gate: BpfObject;

beforeEach(() => {
  bpf = new FakeBpf();
  bpf.mount("/bpf");
  balancer = bpf.load("balancer", "/bpf");
  gate = bpf.load("gate", "/bpf");
});

describe("the fake's maps", () => {
  it("are shared by their pins", () => {
    gateTables(gate).setVips(new Map([[address("10.1.0.1"), 3]]));
    expect([...gateTables(balancer).vips()]).toEqual([["10.1.0.1", 3]]);
    gate.map("futago_groups").memory()[16 * 3 + 8] = 1;
    expect(balancer.map("futago_groups").lookup(encodeNumber(3))?.[8]).toBe(1);
  });

  it("are made anew when their size changes", () => {
    gate.map("futago_vips").update(new Uint8Array(16), encodeNumber(1));
    expect([...bpf.load("gate", "/bpf").map("futago_vips").entries()]).toHaveLength(1);
    expect([...bpf.load("gate", "/bpf", { futago_vips: 5 }).map("futago_vips").entries()]).toEqual([]);
  });

  it("refuse what the kernel refuses", () => {
    expect(() => gate.map("futago_vips").update(new Uint8Array(15), encodeNumber(1))).toThrow(RangeError);
    expect(() => gate.map("futago_groups").update(encodeNumber(16), new Uint8Array(16))).toThrow(HalError);
    const small = bpf.load("gate", "/bpf", { futago_vips: 1 }).map("futago_vips");
    small.update(new Uint8Array(16), encodeNumber(1));
    expect(() => small.update(new Uint8Array(16).fill(1), encodeNumber(1))).toThrow(/E2BIG/);
    expect(() => gate.map("nothing")).toThrow(/ENOENT/);
    expect(() => bpf.load("gate", "/elsewhere")).toThrow(/ENOENT/);
  });
});

describe("tables", () => {
  const vip = { address: address("10.1.0.1"), port: 80, protocol: "tcp" };
  const place = { address: address("10.2.0.11"), port: 8080 };
  const how = {
    mode: "nat",
    persistence: "none",
    access: "listedOnly",
    newFlowsPerSecond: 0,
    flowsMax: 0,
    clientFlowsMax: 9,
  };
  const prefix = { address: address("192.0.2.0"), prefixLength: 24 };
  const entries = [
    { kind: "service", ...vip, index: 1, seed: 9, ...how },
    { kind: "ring", index: 1, ordinals: new Uint16Array(10_007).fill(4), signature: undefined },
    { kind: "backend", number: 132, ...place, state: "alive", subnetBits: 24, flowsMax: 0 },
    { kind: "reverse", ...place, protocol: "tcp", vip: vip.address, vipPort: 80, backend: 132, service: 1 },
    { kind: "access", service: 1, prefix, allowed: true },
  ] as readonly BalancerEntry[];

  it("give back what was written, and nothing after it was removed", () => {
    const tables = balancerTables(balancer);
    tables.apply(entries.map((entry) => ({ kind: "put", entry })));
    expect(tables.read()).toEqual(entries);
    tables.apply(entries.map((entry) => ({ kind: "remove", entry })));
    expect(tables.read()).toEqual([]);
  });

  it("start counting anew for a backend that takes over a number", () => {
    const tables = balancerTables(balancer);
    tables.apply(entries.map((entry) => ({ kind: "put", entry })));
    balancer.map("backend_counts").update(encodeNumber(132), new Uint8Array(40).fill(1, 0, 1));
    balancer.map("backend_opened").update(encodeNumber(132), new Uint8Array(8).fill(1, 0, 1));
    expect(tables.backendTraffic(132).packetsIn).toBe(1);
    tables.apply([{ kind: "put", entry: { ...entries[2], port: 8081 } as BalancerEntry }]);
    expect(tables.backendTraffic(132).packetsIn).toBe(0);
    expect(balancer.map("backend_opened").lookup(encodeNumber(132))).toEqual(new Uint8Array(8));
  });

  it("keep what a service's former backends counted, until the service goes", () => {
    const tables = balancerTables(balancer);
    const put = (entry: BalancerEntry | undefined) => ({ kind: "put", entry: entry as BalancerEntry }) as const;
    const count = (packets: number) =>
      balancer.map("backend_counts").update(encodeNumber(132), Uint8Array.of(packets, ...new Uint8Array(39)));
    tables.apply(entries.map(put));
    count(7);
    tables.apply([put({ ...entries[2], port: 8081 } as BalancerEntry)]);
    count(5);
    expect([tables.serviceTraffic(1).packetsIn, tables.backendTraffic(132).packetsIn]).toEqual([12, 5]);
    tables.apply([{ kind: "remove", entry: entries[2] as BalancerEntry }]);
    expect(tables.serviceTraffic(1).packetsIn).toBe(12);
    tables.apply([put(entries[0]), put(entries[2])]);
    expect(tables.serviceTraffic(1).packetsIn).toBe(12);
    count(3);
    tables.apply(entries.map((entry) => ({ kind: "remove", entry })));
    tables.apply(entries.map(put));
    expect(tables.serviceTraffic(1).packetsIn).toBe(0);
  });

  it("make every remembered next hop old by counting up", () => {
    const tables = balancerTables(balancer);
    const state = balancer.map("futago_state");
    state.update(encodeNumber(0), Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0));
    tables.nextGeneration();
    expect(state.lookup(encodeNumber(0))).toEqual(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0));
    tables.nextGeneration();
    expect(state.lookup(encodeNumber(0))).toEqual(Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0));
  });

  it("hold exactly the addresses they are told", () => {
    const own = () => [...balancer.map("futago_own").entries()].length;
    const tables = balancerTables(balancer);
    tables.setOwn([address("10.1.0.2"), address("2001:db8::2")]);
    tables.setOwn([address("10.1.0.2"), address("10.2.0.2"), address("10.3.0.2")]);
    expect(own()).toBe(3);
    tables.setOwn([]);
    expect(own()).toBe(0);
  });

  it("read every counter by its name", () => {
    gate.map("gate_counters").update(encodeNumber(4), new Uint8Array(new BigUint64Array([7n]).buffer));
    expect(gateTables(gate).counters().outArpLapsed).toBe(7);
    expect(balancerTables(balancer).counters().dropNoBackend).toBe(0);
  });
});

describe("attachments", () => {
  it("are remembered until they are taken away", () => {
    bpf.attachTc(eth0, gate.program("futago_ingress"), gate.program("futago_egress"));
    expect(bpf.attachXdp(eth0, balancer.program("futago_balancer"))).toBe("native");
    expect(bpf.tc.get(eth0)).toEqual({ ingress: "futago_ingress", egress: "futago_egress" });
    expect(bpf.xdpProgramId(eth0)).not.toBe(0);
    bpf.detachTc(eth0);
    bpf.detachXdp(eth0);
    expect([bpf.tc.size, bpf.xdpProgramId(eth0)]).toEqual([0, 0]);
  });

  it("fall back to generic where the driver has no native mode, unless told otherwise", () => {
    bpf.genericOnly.add(eth0);
    expect(bpf.attachXdp(eth0, balancer.program("futago_balancer"))).toBe("generic");
    expect(() => bpf.attachXdp(eth0, balancer.program("futago_balancer"), "native")).toThrow(/EOPNOTSUPP/);
  });

  it("say why it is not native, and find who keeps them away", () => {
    bpf.genericOnly.add(eth0);
    const refusals: string[] = [];
    const attach = () =>
      bpf.attachXdp(eth0, balancer.program("futago_balancer"), undefined, ({ code }) => refusals.push(code));
    expect([attach(), refusals, bpf.foreignXdp(eth0)]).toEqual(["generic", ["EOPNOTSUPP"], undefined]);
    bpf.foreign.set(eth0, { id: 7, name: "xdp_firewall" });
    expect(attach).toThrow(/EBUSY/);
    expect([bpf.foreignXdp(eth0)?.name, bpf.xdpProgramId(eth0)]).toEqual(["xdp_firewall", 7]);
  });
});
