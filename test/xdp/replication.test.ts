/** Established flows of one balancer in the tables of another, through real maps, a real ring buffer and real TLS. */
import { encodeFrame } from "@futago/firmware/replication/frame.ts";
import { RECORD_BYTES, viewOf } from "@futago/hal/units/flow-record.ts";
import { FLOW_CLIENT_FIN, FLOW_REOPENED, FLOW_TOLD } from "@futago/hal/xdp/layout.ts";
import {
  decodeFlow,
  decodeReturn,
  encodeFlow,
  encodeFlowKey,
  encodeReturnFlow,
  encodeReturnKey,
  type Flow,
} from "@futago/hal/xdp/layout-flows.ts";
import { recordsOfEntries } from "@futago/hal/xdp/flow-records.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  addressOf,
  backend,
  BACKENDS,
  BACKENDS6,
  createTestBox,
  FLOWS,
  GROUP,
  service,
  type TestBox,
  VIP,
  VIP6,
} from "./box.ts";
import { BOTH, handshake } from "./talk.ts";
import { bootNanos } from "./pins.ts";
import { Cable, Side } from "./replication-rig.ts";

const [S1, S2] = BACKENDS;
const nat = service(80, [backend(S1, 8080), backend(S2, 8080)]);
const oneArm = service(443, [backend(S1, 8443)], { mode: "one-arm" });
const overV6 = service(80, [backend(BACKENDS6[0], 8080)], { address: addressOf(VIP6) });
/** In another order, and with one that the other box does not have: the numbers are others. */
const SERVICES_A = [nat, oneArm, overV6];
const SERVICES_B = [service(9_000, [backend(S1, 9_000)]), overV6, oneArm, nat];

let box: TestBox;
let a: Side;
let b: Side;
let cable: Cable;

beforeAll(async () => {
  box = await createTestBox();
});
afterAll(() => box.destroy());

beforeEach(() => {
  box.groups.set(GROUP, BOTH);
  box.forget();
  a = new Side(FLOWS, box.object);
  b = new Side(FLOWS);
  cable = new Cable();
  a.serve(SERVICES_A);
  b.serve(SERVICES_B);
  a.own(VIP, VIP6);
  b.own();
});
afterEach(() => {
  a.close();
  b.close();
  cable.close();
});

const standing = new WeakMap<Side, ReturnType<Side["tables"]["read"]>>();

function numberOf(side: Side, vip: string, vipPort: number, address: string): number {
  // Reading the tables takes milliseconds, and some tests make a thousand flows.
  const entries = standing.get(side) ?? side.tables.read();
  standing.set(side, entries);
  const found = entries.find((one) => one.kind === "service" && one.address === vip && one.port === vipPort);
  const index = found?.kind === "service" ? found.index : -1;
  const known = entries.find(
    (one) => one.kind === "backend" && one.address === address && Math.floor(one.number / 128) === index,
  );
  return known?.kind === "backend" ? known.number : -1;
}

function flow(clientPort: number, more: Partial<Flow> = {}): Flow {
  return {
    client: addressOf("198.51.100.7"),
    clientPort,
    vip: addressOf(VIP),
    vipPort: 80,
    protocol: "tcp",
    backend: numberOf(a, VIP, 80, S1),
    address: addressOf(S1),
    port: 8080,
    vipSourcePort: 0,
    expectedAck: 0,
    flags: 0,
    seenNanos: bootNanos() - 60_000_000_000n,
    ...more,
  };
}

const oneArmFlow = (clientPort: number, vipSourcePort: number) =>
  flow(clientPort, { vipPort: 443, port: 8443, vipSourcePort, backend: numberOf(a, VIP, 443, S1) });
const flowOverV6 = (clientPort: number) =>
  flow(clientPort, {
    client: addressOf("2001:db8:f::7"),
    vip: addressOf(VIP6),
    address: addressOf(BACKENDS6[0]),
    backend: numberOf(a, VIP6, 80, BACKENDS6[0]),
  });

function put(side: Side, ...flows: readonly Flow[]): void {
  for (const one of flows) {
    side.object.map("established").update(encodeFlowKey(one), encodeFlow(one));
    if (one.vipSourcePort === 0) continue;
    side.object.map("returns").update(encodeReturnKey(one), encodeReturnFlow({ ...one, service: 0 }));
  }
}

/** What must be the same on both boxes: everything but numbers, marks and times. */
function seen(side: Side): readonly string[] {
  const flows = [...side.object.map("established").entries()].map(([key, value]) => decodeFlow(key, value));
  const twins = [...side.object.map("returns").entries()].map(([key, value]) => decodeReturn(key, value));
  const ends = ({
    client,
    clientPort,
    vip,
    vipPort,
    address,
    port,
    vipSourcePort,
  }: Omit<Flow, "flags" | "seenNanos" | "expectedAck">) =>
    `${client} ${clientPort} ${vip} ${vipPort} ${address} ${port} ${vipSourcePort}`;
  return [...flows.map((one) => `flow ${ends(one)}`), ...twins.map((one) => `twin ${ends(one)}`)].sort();
}

const flowsOf = (side: Side) => [...side.tables.establishedFlows()];
const isWhole = () => a.replication.status().whole;
const wholeNow = () => expect.poll(isWhole, { timeout: 5_000, interval: 5 }).toBe(true);
const same = () => expect.poll(() => seen(b), { timeout: 5_000, interval: 10 }).toEqual(seen(a));

describe("the flows of the box that serves", () => {
  it("are all in a joining box's tables, in every mode and family, with its own numbers", async () => {
    put(a, flow(1), flow(2, { flags: FLOW_CLIENT_FIN | FLOW_REOPENED }), oneArmFlow(3, 2_000), flowOverV6(4));
    await cable.join(a, b);
    await wholeNow();
    expect(seen(a)).toHaveLength(5);
    expect(seen(b)).toEqual(seen(a));
    const told = flowsOf(b).find((one) => one.clientPort === 2);
    expect(told?.backend).toBe(numberOf(b, VIP, 80, S1));
    expect(told?.backend).not.toBe(numberOf(a, VIP, 80, S1));
    expect(told?.flags).toBe(FLOW_TOLD | FLOW_CLIENT_FIN);
    const age = Number(bootNanos() - (told?.seenNanos ?? 0n)) / 1e9;
    expect(age).toBeGreaterThan(59);
    expect(age).toBeLessThan(63);
  });

  it("arrive as they begin, from the data plane's own ring buffer, and go when core collects them", async () => {
    await cable.join(a, b);
    await wholeNow();
    a.serve([...SERVICES_A.slice(1), service(80, [backend(S1, 8080)])]);
    handshake(box);
    expect(flowsOf(a)).toHaveLength(1);
    await same();
    const [key = new Uint8Array(0)] = [...a.object.map("established").entries()][0] ?? [];
    a.object.map("established").delete(key);
    a.replication.ended(key);
    await same();
    expect(flowsOf(b)).toHaveLength(0);
  });

  it("that end in the moment they begin do not stay on the other box", async () => {
    await cable.join(a, b);
    await wholeNow();
    a.serve([...SERVICES_A.slice(1), service(80, [backend(S1, 8080)])]);
    handshake(box);
    // The ring buffer is not read before the next turn of the event loop.
    const [key = new Uint8Array(0)] = [...a.object.map("established").entries()][0] ?? [];
    a.object.map("established").delete(key);
    a.replication.ended(key);
    const position = a.replication.status().position;
    await expect.poll(() => a.replication.status().acknowledged).toBeGreaterThanOrEqual(position);
    expect(flowsOf(b)).toHaveLength(0);
  });

  it("are counted for the status, by service", async () => {
    put(a, flow(1), flow(2), oneArmFlow(3, 2_000));
    await cable.join(a, b);
    const indexOf = (port: number) => Math.floor(numberOf(a, VIP, port, S1) / 128);
    await expect
      .poll(() => Object.fromEntries(a.replication.status().replicated), { timeout: 5_000 })
      .toEqual({ [indexOf(80)]: 2, [indexOf(443)]: 1 });
  });

  it("replace what the other box has of the same addresses, and nothing else", async () => {
    const stray = "10.1.0.77";
    put(b, flow(7), oneArmFlow(8, 2_008), flow(9, { vip: addressOf(stray) }));
    put(a, flow(1));
    await cable.join(a, b);
    await wholeNow();
    await expect.poll(() => seen(b)).toEqual([...seen(a), `flow 198.51.100.7 9 ${stray} 80 ${S1} 8080 0`].sort());
  });

  it("move a twin when the flow got another port of the VIP", async () => {
    put(a, oneArmFlow(3, 2_000));
    await cable.join(a, b);
    await wholeNow();
    a.object.map("returns").delete(encodeReturnKey(oneArmFlow(3, 2_000)));
    put(a, oneArmFlow(3, 2_001));
    a.own(VIP);
    await wholeNow();
    expect(seen(b)).toEqual(seen(a));
  });

  it("are the same again after cables that break, cores that restart, and more events than the ring buffer holds", async () => {
    put(a, flow(1), oneArmFlow(2, 2_002));
    const [first] = await cable.join(a, b);
    await wholeNow();
    first.destroy();
    put(a, flow(3));
    a.object.map("established").delete(encodeFlowKey(flow(1)));
    a.restart();
    a.own(VIP, VIP6);
    await cable.join(a, b);
    await wholeNow();
    await same();
    b.restart();
    put(a, flow(4));
    await cable.join(a, b);
    await wholeNow();
    await same();
    // The kernel's own counter says that something was lost.
    put(a, flow(5));
    const lost = a.object.map("balancer_counts");
    const index = Object.keys(a.tables.counters()).indexOf("eventLost");
    const key = new Uint8Array(Uint32Array.of(index).buffer);
    const value = lost.lookup(key) ?? new Uint8Array(8);
    new DataView(value.buffer).setBigUint64(0, 1n + new DataView(value.buffer).getBigUint64(0, true), true);
    lost.update(key, value);
    await same();
    expect(flowsOf(b)).toHaveLength(4);
  });

  it("are left alone on a box that serves them itself, and told back after it has taken over", async () => {
    put(a, flow(1), flow(2));
    await cable.join(a, b);
    await wholeNow();
    a.own();
    b.own(VIP, VIP6);
    put(b, flow(3, { backend: numberOf(b, VIP, 80, S1), seenNanos: bootNanos() }));
    b.object.map("established").delete(encodeFlowKey(flow(1)));
    await expect.poll(() => b.replication.status().whole, { timeout: 5_000 }).toBe(true);
    await expect
      .poll(() =>
        flowsOf(a)
          .map((one) => one.clientPort)
          .sort((x, y) => x - y),
      )
      .toEqual([2, 3]);
    expect(seen(a)).toEqual(seen(b));
  });
});

describe("a peer that sends false records", () => {
  const sync = 99;

  /** Speaks for the serving box by hand. */
  async function tell(...frames: readonly Parameters<typeof encodeFrame>[0][]): Promise<void> {
    const [server, dialled] = await cable.plug();
    b.replication.attach(dialled);
    const closed = new Promise((resolve) => server.once("close", resolve));
    const has = { stream: 0n, position: 0 };
    server.resume();
    for (const frame of [{ kind: "hello", version: 1, stream: 77n, has } as const, ...frames]) {
      server.write(encodeFrame(frame));
    }
    const last = frames.at(-1);
    const position = last !== undefined && "position" in last ? last.position : 0;
    const settled = vi.waitUntil(() => b.replication.status().received === position, { timeout: 5_000, interval: 10 });
    await Promise.race([settled, closed]);
    server.destroy();
  }

  function record(one: Flow): Uint8Array {
    return recordsOfEntries(encodeFlowKey(one), encodeFlow(one), Number(bootNanos()), () => true).slice();
  }

  function changed(at: number, ...bytes: readonly number[]): Uint8Array {
    const good = record(flow(1));
    good.set(bytes, at);
    return good;
  }

  const begin = { kind: "begin", position: 1, sync, vips: new Uint8Array(0) } as const;
  const cases: readonly (readonly [string, () => Uint8Array])[] = [
    ["badProtocol", () => changed(36, 1)],
    ["unknownService", () => changed(36, 17)],
    ["badProtocol", () => changed(39, 1)],
    ["badAddress", () => changed(0, 0x20)],
    ["badAddress", () => changed(12, 127, 0, 0, 1)],
    ["badAddress", () => changed(12, 224, 0, 0, 1)],
    ["badAddress", () => changed(12, 10, 1, 0, 1)],
    ["badPort", () => changed(32, 0, 0)],
    ["badState", () => changed(60, 255)],
    ["unknownService", () => changed(34, 0, 81)],
    ["unknownService", () => changed(31, 9)],
    ["unknownBackend", () => changed(55, 12, 0x1f, 0x91)],
    ["unknownBackend", () => record(flow(1, { port: 8443 }))],
    ["badSourcePort", () => record(flow(1, { vipSourcePort: 40_000 }))],
    ["badSourcePort", () => record(oneArmFlow(1, 0))],
    ["badSourcePort", () => record(oneArmFlow(1, 40_000))],
    ["badSourcePort", () => record(flow(1, { vipPort: 443, port: 8443, vipSourcePort: 80 }))],
  ];

  it.each(cases)("has them counted as %s and never written (%#)", async (reason, make) => {
    await tell(begin, { kind: "flows", position: 2, records: Buffer.concat([make(), record(flow(2))]) });
    expect(Object.fromEntries(b.counts)).toEqual({ [`flow_${reason}`]: 1 });
    expect(flowsOf(b).map((one) => one.clientPort)).toEqual([2]);
  });

  it("writes nothing of an address that this box serves, and ends none of its flows", async () => {
    b.own(VIP);
    put(b, flow(5, { backend: numberOf(b, VIP, 80, S1) }));
    await new Promise((resolve) => setTimeout(resolve, 6_500));
    const keys = encodeFlowKey(flow(5));
    await tell(
      { ...begin, vips: record(flow(1)).slice(16, 32) },
      { kind: "flows", position: 2, records: record(flow(2)) },
      { kind: "ends", position: 3, keys },
      { kind: "end", position: 4, sync },
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(flowsOf(b).map((one) => one.clientPort)).toEqual([5]);
    expect(Object.fromEntries(b.counts)).toEqual({ flow_ownAddress: 1 });
  });

  it("cannot have more written than the table holds", async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => record(flow(i + 1)));
    const more = Array.from({ length: 500 }, (_, i) => record(flow(i + 2_000)));
    await tell(
      begin,
      { kind: "flows", position: 2, records: Buffer.concat(many) },
      { kind: "flows", position: 3, records: Buffer.concat(more) },
    );
    expect(flowsOf(b)).toHaveLength(FLOWS.established);
    expect(b.counts.get("flow_tableFull")).toBe(1_500 - FLOWS.established);
  });

  it.each([
    ["flowLink_badLength", Buffer.from("ffffffff00000000", "hex")],
    ["flowLink_badKind", Buffer.from("0000000c63000000" + "00".repeat(8), "hex")],
    ["flowLink_badPosition", Buffer.from("0000000c06000000" + "ff".repeat(8), "hex")],
    ["flowLink_badBody", Buffer.concat([Buffer.from("0000000d02000000" + "00".repeat(8), "hex"), Buffer.from([1])])],
    ["flowLinkNoHello", encodeFrame({ kind: "end", position: 1, sync: 1 })],
    ["flowLinkVersion", encodeFrame({ kind: "hello", version: 9, stream: 1n, has: { stream: 0n, position: 0 } })],
  ])("loses the connection: %s", async (counter, bytes) => {
    const [server, dialled] = await cable.plug();
    b.replication.attach(dialled);
    const closed = new Promise((resolve) => server.once("close", resolve));
    server.resume().write(bytes);
    await closed;
    expect([...b.counts]).toEqual([[counter, 1]]);
    expect(viewOf(bytes).byteLength).toBeLessThan(RECORD_BYTES);
  });
});
