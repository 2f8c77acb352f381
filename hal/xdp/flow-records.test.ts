import { parseIpAddress } from "../units/address.ts";
import { RECORD_BYTES, viewOf } from "../units/flow-record.ts";
import { describe, expect, it } from "vitest";
import { FlowEntries, FlowValues, recordsOfEntries, recordsOfEvents, ReturnEntries } from "./flow-records.ts";
import { FLOW_CLIENT_FIN, FLOW_BACKEND_FIN, FLOW_RESET, FLOW_REOPENED, FLOW_TOLD } from "./layout.ts";
import { decodeFlow, decodeReturn, encodeFlow, encodeFlowKey, type Flow } from "./layout-flows.ts";

const ip = (text: string) => parseIpAddress(text)!;
const flow: Flow = {
  client: ip("198.51.100.7"),
  clientPort: 40_001,
  vip: ip("10.1.0.1"),
  vipPort: 443,
  protocol: "tcp",
  backend: 130,
  address: ip("10.2.0.11"),
  port: 8443,
  vipSourcePort: 2_000,
  expectedAck: 0,
  flags: FLOW_CLIENT_FIN | FLOW_REOPENED,
  seenNanos: 1_000_000_000_000n,
};
const NOW = 1_030_500_000_000;
const all = () => true;

// Written out by hand from the diagram in hal/units/flow-record.ts.
const GOLDEN =
  "00000000000000000000ffffc6336407" +
  "00000000000000000000ffff0a010001" +
  "9c4101bb06000000" +
  "00000000000000000000ffff0a02000b" +
  "20fb07d00200001e";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("a record of a flow", () => {
  it("has the bytes of the diagram, with the age instead of the moment", () => {
    expect(hex(recordsOfEntries(encodeFlowKey(flow), encodeFlow(flow), NOW, all))).toBe(GOLDEN);
  });

  it("is made of an event, too", () => {
    const event = new Uint8Array(88);
    event.set(encodeFlowKey(flow));
    event.set(encodeFlow(flow), 40);
    event[84] = 1;
    const ended = event.slice();
    ended[84] = 2;
    expect(hex(recordsOfEvents(Buffer.concat([ended, event]), NOW, all))).toBe(GOLDEN);
    expect(recordsOfEvents(event, NOW, () => false)).toHaveLength(0);
  });

  it.each([FLOW_RESET, FLOW_CLIENT_FIN | FLOW_BACKEND_FIN])("is not made of a flow that ended: flags %i", (flags) => {
    expect(recordsOfEntries(encodeFlowKey(flow), encodeFlow({ ...flow, flags }), NOW, all)).toHaveLength(0);
  });

  it("becomes an entry with this box's own number and time, and its twin", () => {
    const record = Buffer.from(GOLDEN, "hex");
    const entries = new FlowEntries(1);
    entries.addTold(viewOf(record), 0, 7, 0xabcd, 50_000_000_000);
    const { keys, values } = entries;
    const told = {
      ...flow,
      backend: 7,
      expectedAck: 0xabcd,
      flags: FLOW_CLIENT_FIN | FLOW_TOLD,
      seenNanos: 20_000_000_000n,
    };
    expect(decodeFlow(keys, values)).toEqual(told);
    const twins = new ReturnEntries(1);
    twins.add(viewOf(keys), viewOf(values), 0, 3);
    const { client, clientPort, vip, vipPort, protocol, address, port, vipSourcePort } = flow;
    const twin = { client, clientPort, vip, vipPort, protocol, address, port, vipSourcePort, backend: 7, service: 3 };
    expect(decodeReturn(twins.keys, twins.values)).toEqual(twin);
    expect(twins.isSameClient(twins.values.slice(), 0)).toBe(true);
    expect(twins.isSameClient(new Uint8Array(32), 0)).toBe(false);
  });

  it("is read back among many", () => {
    const two = [
      encodeFlow({ ...flow, seenNanos: 0x1234_5678_9abcn }),
      encodeFlow({ ...flow, flags: FLOW_TOLD, expectedAck: 5 }),
    ];
    const values = new FlowValues(Buffer.concat(two));
    expect([values.isTold(0), values.isTold(1), values.epoch(1), values.backend(1)]).toEqual([false, true, 5, 130]);
    expect([values.vipSourcePort(1), values.seenNanos(0)]).toEqual([2_000, 0x1234_5678_9abc]);
  });

  it("never says that a flow is from the future, or older than it can say", () => {
    const of = (seenNanos: bigint, now: number) =>
      viewOf(recordsOfEntries(encodeFlowKey(flow), encodeFlow({ ...flow, flags: 0, seenNanos }), now, all)).getUint32(
        60,
      );
    expect(of(2_000_000_000n, 1_000_000_000)).toBe(0);
    expect(of(0n, 0xffffff * 1e9 * 2)).toBe(0xffffff);
    expect(RECORD_BYTES).toBe(64);
  });
});
