import { beforeEach, describe, expect, it } from "vitest";
import type { BpfObject } from "@futago/hal/contract/bpf.ts";
import { FakeBpf } from "@futago/hal/fake/bpf.ts";
import { type IpAddress, parseIpAddress } from "@futago/hal/units/address.ts";
import { toHex } from "@futago/hal/units/bytes.ts";
import { instant, seconds } from "@futago/hal/units/time.ts";
import {
  encodeNumber,
  FLOW_BACKEND_FIN,
  FLOW_CLIENT_FIN,
  FLOW_CLOSED,
  FLOW_RESET,
  FLOW_TOLD,
} from "@futago/hal/xdp/layout.ts";
import { encodeBackend } from "@futago/hal/xdp/layout-entries.ts";
import {
  encodeFlow,
  encodeFlowKey,
  encodeReturnFlow,
  encodeReturnKey,
  type Flow,
} from "@futago/hal/xdp/layout-flows.ts";
import { balancerTables } from "@futago/hal/xdp/tables.ts";
import { FlowCollector } from "./flow-collector.ts";

const NOW = 100_000;
const ip = (text: string) => parseIpAddress(text) as IpAddress;

let object: BpfObject;
let ended: string[];
let collector: FlowCollector;

beforeEach(() => {
  const bpf = new FakeBpf();
  bpf.mount("/bpf");
  object = bpf.load("balancer", "/bpf");
  ended = [];
  collector = new FlowCollector({
    clock: { now: () => instant(seconds(NOW)) },
    object: () => object,
    idleTimeoutSeconds: (service) => (service === 0 ? 600 : undefined),
    onEnded: (keys) => ended.push(toHex(keys)),
    log: { warn: () => undefined },
  });
  for (const [number, state] of [
    [0, "alive"],
    [1, "dead"],
    [2, "draining"],
  ] as const) {
    const place = { address: ip(`10.2.0.1${number}`), port: 8080 };
    const entry = { kind: "backend", number, ...place, state, subnetBits: 0, flowsMax: 0 } as const;
    object.map("backends").update(encodeNumber(number), encodeBackend(entry));
  }
});

function flow(clientPort: number, idle: number, more: Partial<Flow> = {}): Flow {
  return {
    client: ip("10.1.0.9"),
    clientPort,
    vip: ip("10.1.0.1"),
    vipPort: 80,
    protocol: "tcp",
    backend: 0,
    address: ip(`10.2.0.1${more.backend ?? 0}`),
    port: 8080,
    vipSourcePort: 0,
    expectedAck: 0,
    flags: 0,
    seenNanos: BigInt(NOW - idle) * 1_000_000_000n,
    ...more,
  };
}

/** Puts the flow there as the balancer does. */
function establish(one: Flow): void {
  object.map("established").update(encodeFlowKey(one), encodeFlow(one));
  if (one.vipSourcePort !== 0) {
    object.map("returns").update(encodeReturnKey(one), encodeReturnFlow({ ...one, service: 0 }));
  }
  if ((one.flags & FLOW_TOLD) === 0) add("backend_opened", one.backend, 1n);
}

function add(map: "backend_opened" | "backend_closed", number: number, more: bigint): void {
  counts(map)[number] = (counts(map)[number] ?? 0n) + more;
}

function counts(map: "backend_opened" | "backend_closed"): BigUint64Array {
  const memory = object.map(map).memory();
  return new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8);
}

function open(number: number): bigint {
  return (counts("backend_opened")[number] ?? 0n) - (counts("backend_closed")[number] ?? 0n);
}

function left(): readonly number[] {
  return [...balancerTables(object).establishedFlows()].map((one) => one.clientPort).sort((a, b) => a - b);
}

describe("a walk of the tables", () => {
  it("takes out what ended or fell silent, by its reason, and leaves the rest", async () => {
    establish(flow(1, 5));
    establish(flow(2, 601));
    establish(flow(3, 3, { flags: FLOW_RESET }));
    establish(flow(4, 11, { flags: FLOW_CLIENT_FIN | FLOW_BACKEND_FIN }));
    establish(flow(5, 250, { flags: FLOW_BACKEND_FIN }));
    establish(flow(6, 301, { backend: 1 }));
    establish(flow(7, 301, { address: ip("10.2.0.99") }));
    establish(flow(8, 500, { backend: 2 }));
    const { removed } = await collector.collect();
    expect(left()).toEqual([1, 8]);
    expect(removed).toEqual({ idle: 1, reset: 1, finished: 1, halfClosed: 1, backendDead: 1, backendGone: 1 });
    expect(ended.join("")).toHaveLength(6 * 80);
    expect(collector.counters).toMatchObject({ flowsIdle: 1, flowsFinished: 1 });
  });

  it("counts what it took as closed of the backend that had it", async () => {
    for (let port = 1; port <= 4; port++) establish(flow(port, port === 4 ? 1 : 11, { flags: 6 }));
    establish(flow(5, 301, { address: ip("10.2.0.99") }));
    await collector.collect();
    // The fifth was its predecessor's under the same number.
    expect(open(0)).toBe(1n);
  });

  it("puts the count of open flows right, whatever it was", async () => {
    establish(flow(1, 1));
    establish(flow(2, 1, { flags: FLOW_TOLD }));
    add("backend_opened", 0, 7n);
    add("backend_closed", 2, 5n);
    await collector.collect();
    expect([open(0), open(2)]).toEqual([1n, 0n]);
    expect(left()).toEqual([1, 2]);
  });

  it("counts what both ends have finished as open no more, though it stays for late packets", async () => {
    establish(flow(1, 1));
    const over = flow(2, 1, { flags: FLOW_CLIENT_FIN | FLOW_BACKEND_FIN | FLOW_CLOSED });
    establish(over);
    add("backend_closed", 0, 1n);
    const { open: running } = await collector.collect();
    expect(left()).toEqual([1, 2]);
    expect(Object.fromEntries(running)).toEqual({ 0: 1 });
    expect(open(0)).toBe(1n);
  });

  it("sums up what each service has open", async () => {
    establish(flow(1, 1));
    establish(flow(2, 1, { backend: 2 }));
    const services = object.map("service_open").memory();
    const flows = new BigInt64Array(services.buffer, services.byteOffset, 4);
    flows[0] = 99n;
    flows[2] = -3n;
    await collector.collect();
    expect([flows[0], flows[2]]).toEqual([2n, 0n]);
  });

  it("takes the twin of a one-arm flow with it", async () => {
    establish(flow(1, 601, { vipSourcePort: 20_001 }));
    establish(flow(2, 1, { vipSourcePort: 20_002 }));
    await collector.collect();
    expect([...balancerTables(object).returns()].map((one) => one.vipSourcePort)).toEqual([20_002]);
  });

  it("takes a return without its flow, but not before it lacked it twice", async () => {
    const orphan = flow(1, 1, { vipSourcePort: 20_001 });
    object.map("returns").update(encodeReturnKey(orphan), encodeReturnFlow({ ...orphan, service: 0 }));
    // Its flow speaks by another port now.
    establish(flow(2, 1, { vipSourcePort: 20_002 }));
    const former = flow(2, 1, { vipSourcePort: 20_003 });
    object.map("returns").update(encodeReturnKey(former), encodeReturnFlow({ ...former, service: 0 }));
    expect((await collector.collect()).orphans).toBe(0);
    expect((await collector.collect()).orphans).toBe(2);
    expect([...balancerTables(object).returns()].map((one) => one.vipSourcePort)).toEqual([20_002]);
  });

  it("takes silent flows of UDP, with their returns, and tells nobody", async () => {
    const idle = flow(1, 601, { protocol: "udp", vipSourcePort: 20_001 });
    for (const one of [idle, flow(2, 1, { protocol: "udp" })]) {
      object.map("udp_flows").update(encodeFlowKey(one), encodeFlow(one));
    }
    object.map("half_returns").update(encodeReturnKey(idle), encodeReturnFlow({ ...idle, service: 0 }));
    const { open: running } = await collector.collect();
    expect([...balancerTables(object).udpFlows()].map((one) => one.clientPort)).toEqual([2]);
    expect([...balancerTables(object).halfReturns()]).toEqual([]);
    expect(Object.fromEntries(running)).toEqual({ 0: 1 });
    expect(ended).toEqual([]);
  });

  it("leaves a flow that got a packet since it was read", async () => {
    establish(flow(1, 601));
    const table = object.map("established");
    const lookup = table.lookupMany.bind(table);
    table.lookupMany = (keys) => {
      table.update(encodeFlowKey(flow(1, 0)), encodeFlow(flow(1, 0)));
      return lookup(keys);
    };
    await collector.collect();
    expect(left()).toEqual([1]);
    expect(open(0)).toBe(1n);
  });

  it("is one at a time", async () => {
    establish(flow(1, 1));
    expect(collector.collect()).toBe(collector.collect());
    await collector.collect();
  });
});

describe("the collector of a core that is just being made", () => {
  it("tells nobody of a connection that ended before, until core is whole", async () => {
    establish(flow(1_000, 10, { flags: FLOW_RESET }));
    collector.start();
    expect(ended).toEqual([]);
    await expect.poll(() => ended.length, { interval: 1 }).toBe(1);
    collector.close();
  });

  it("does not begin when it was closed at once", async () => {
    establish(flow(1_000, 10, { flags: FLOW_RESET }));
    collector.start();
    collector.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toEqual([]);
  });
});
