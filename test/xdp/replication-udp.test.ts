/** Flows of UDP of one balancer in the tables of another: those that go on, through real maps and real TLS. */
import { encodeFrame } from "@futago/firmware/replication/frame.ts";
import { FLOW_CLIENT_FIN, FLOW_TOLD } from "@futago/hal/xdp/layout.ts";
import { encodeFlow, encodeFlowKey, type Flow } from "@futago/hal/xdp/layout-flows.ts";
import { recordsOfEntries } from "@futago/hal/xdp/flow-records.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  addressOf,
  backend,
  BACKENDS,
  CLIENT,
  createTestBox,
  FLOWS,
  GROUP,
  service,
  type TestBox,
  VIP,
} from "./box.ts";
import { bootNanos } from "./pins.ts";
import { Cable, Side } from "./replication-rig.ts";
import { BOTH } from "./talk.ts";
import { transportFrame } from "./transport.ts";

const [S1, S2] = BACKENDS;
const UDP = { protocol: "udp" } as const;
const nat = service(53, [backend(S1, 5_353), backend(S2, 5_353)], UDP);
const oneArm = service(54, [backend(S1, 5_354)], { ...UDP, mode: "one-arm" });
const direct = service(55, [backend(S1, 55), backend(S2, 55)], { ...UDP, mode: "direct" });
/** Of the same port: a flow of one protocol is none of the other's. */
const overTcp = service(53, [backend(S1, 5_300)]);
const SECOND = 1_000_000_000n;

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
  a.serve([nat, oneArm, direct, overTcp]);
  // In another order: the numbers are others.
  b.serve([overTcp, direct, oneArm, nat]);
  a.own(VIP);
  b.own();
});
afterEach(() => {
  a.close();
  b.close();
  cable.close();
});

/** Began two minutes ago, and was used a minute ago. */
function flow(clientPort: number, more: Partial<Flow> = {}): Flow {
  const now = bootNanos();
  return {
    client: addressOf(CLIENT),
    clientPort,
    vip: addressOf(VIP),
    vipPort: 53,
    protocol: "udp",
    backend: 0,
    address: addressOf(S1),
    port: 5_353,
    vipSourcePort: 0,
    expectedAck: Number(now / SECOND) - 120,
    flags: 0,
    seenNanos: now - 60n * SECOND,
    ...more,
  };
}

function put(side: Side, ...flows: readonly Flow[]): void {
  for (const one of flows) side.object.map("udp_flows").update(encodeFlowKey(one), encodeFlow(one));
}

const heldBy = (side: Side) =>
  [...side.tables.udpFlows()]
    .map(({ clientPort, address, port, vipSourcePort }) => `${clientPort} ${address} ${port} ${vipSourcePort}`)
    .sort();
const wholeNow = () => expect.poll(() => a.replication.status().whole, { timeout: 5_000, interval: 10 }).toBe(true);
const isHeld = (...flows: readonly string[]) =>
  expect.poll(() => heldBy(b), { timeout: 12_000, interval: 20 }).toEqual([...flows].sort());

describe("flows of UDP", () => {
  it("are told to a joining box in every mode, once they have gone on for more than a second", async () => {
    const justBegan = { expectedAck: Number(bootNanos() / SECOND), seenNanos: bootNanos() };
    put(
      a,
      flow(1),
      flow(2, { vipPort: 54, port: 5_354, vipSourcePort: 2_000 }),
      flow(3, { vipPort: 55, port: 55, address: addressOf(S2) }),
      flow(4, justBegan),
    );
    await cable.join(a, b);
    await isHeld(`1 ${S1} 5353 0`, `2 ${S1} 5354 2000`, `3 ${S2} 55 0`);
    // Of `one-arm`: answers find their client before he speaks.
    expect([...b.object.map("half_returns").entries()]).toHaveLength(1);
    // The other box's own age of it, and its own number of the backend.
    const told = [...b.tables.udpFlows()].find(({ clientPort }) => clientPort === 1);
    const age = Number(bootNanos() - (told?.seenNanos ?? 0n)) / 1e9;
    expect(age).toBeGreaterThan(59);
    expect(age).toBeLessThan(70);
    expect(told?.backend).not.toBe(0);
    await wholeNow();
  });

  it("are told within seconds when a second packet comes later, from the data plane's own entries", async () => {
    await cable.join(a, b);
    await wholeNow();
    const ask = (sourcePort: number) =>
      box.fromClient(
        transportFrame({
          ...UDP,
          source: CLIENT,
          destination: VIP,
          sourcePort,
          destinationPort: 55,
          payload: Buffer.of(1),
        }),
      );
    ask(7_001);
    ask(7_002);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    ask(7_002);
    const held = heldBy(a).filter((one) => one.startsWith("7002"));
    expect(held).toHaveLength(1);
    await isHeld(...held);
  });

  it("follow the box that serves when it sends them elsewhere", async () => {
    put(b, flow(1, { address: addressOf(S2) }));
    put(a, flow(1));
    await cable.join(a, b);
    await isHeld(`1 ${S1} 5353 0`);
    expect(heldBy(b)).toEqual(heldBy(a));
  });
});

describe("a flow of UDP that the peer told of", () => {
  it("counts as open from its first packet on", () => {
    const mine = a.tables.read().find((one) => one.kind === "service" && one.mode === "direct");
    const number = (mine?.kind === "service" ? mine.index : 0) * 128;
    const { address } = a.tables.read().find((one) => one.kind === "backend" && one.number === number) as {
      address: string;
    };
    const opened = () => Buffer.from(a.object.map("backend_opened").memory()).readBigUInt64LE(number * 8);
    put(a, flow(9, { vipPort: 55, port: 55, address: addressOf(address), backend: number, flags: FLOW_TOLD }));
    const before = opened();
    const ends = { source: CLIENT, destination: VIP, sourcePort: 9, destinationPort: 55 };
    const say = () => box.fromClient(transportFrame({ ...UDP, ...ends, payload: Buffer.of(1) }));
    say();
    expect(opened() - before).toBe(1n);
    say();
    expect(opened() - before).toBe(1n);
  });
});

describe("a peer that sends false records of UDP", () => {
  async function tell(...records: readonly Uint8Array[]): Promise<void> {
    const [server, dialled] = await cable.plug();
    b.replication.attach(dialled);
    server.resume();
    const has = { stream: 0n, position: 0 };
    server.write(encodeFrame({ kind: "hello", version: 1, stream: 77n, has }));
    server.write(encodeFrame({ kind: "begin", position: 1, sync: 99, vips: new Uint8Array(0) }));
    server.write(encodeFrame({ kind: "flows", position: 2, records: Buffer.concat(records) }));
    await vi.waitUntil(() => b.replication.status().received === 2, { timeout: 5_000, interval: 10 });
    server.destroy();
  }

  const record = (one: Flow) =>
    recordsOfEntries(encodeFlowKey(one), encodeFlow(one), Number(bootNanos()), () => true).slice();

  it.each([
    ["badState", () => flow(1, { flags: FLOW_CLIENT_FIN })],
    ["unknownBackend", () => flow(1, { port: 5_300 })],
    ["unknownService", () => flow(1, { vipPort: 56 })],
    ["badSourcePort", () => flow(1, { vipSourcePort: 40_000 })],
  ])("has them counted as %s and never written", async (reason, make) => {
    await tell(record(make()), record(flow(2)));
    expect(Object.fromEntries(b.counts)).toEqual({ [`flow_${reason}`]: 1 });
    expect(heldBy(b)).toEqual([`2 ${S1} 5353 0`]);
  });

  it("moves no flow of an address that this box serves", async () => {
    b.own(VIP);
    put(b, flow(1, { address: addressOf(S2) }));
    await tell(record(flow(1)));
    expect(heldBy(b)).toEqual([`1 ${S2} 5353 0`]);
    expect(Object.fromEntries(b.counts)).toEqual({ flow_ownAddress: 1 });
  });
});
