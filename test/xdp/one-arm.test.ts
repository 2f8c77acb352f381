/** `one-arm`: ports of the VIP that stand for clients. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { concatBytes } from "@futago/hal/units/bytes.ts";
import { MAPS } from "@futago/hal/xdp/layout.ts";
import { encodeReturnFlow, encodeReturnKey } from "@futago/hal/xdp/layout-flows.ts";
import { addressOf, createTestBox, FLOWS, service, type TestBox, XDP_DROP, XDP_PASS, XDP_REDIRECT } from "./box.ts";
import { answer, casesWith, CLIENT_PORT, establish, open, PORT, send, serviceOf, startCase } from "./cases.ts";
import { ACK, FIN, RST, SYN } from "./packet.ts";
import { outcome } from "./talk.ts";
import { readTransport } from "./transport.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox({ returns: 32_768 });
});
afterAll(async () => {
  await box?.destroy();
});

const halfReturns = () => box.object.map("half_returns");

describe.each(casesWith({ mode: "one-arm" }))("%s", (_, one) => {
  const [s1 = "", s2 = ""] = one.backends;

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("two clients never share a port towards one backend, and each gets its own answer", () => {
    const ports = new Map<number, number>();
    for (let i = 0; i < 200; i++) {
      const { sourcePort } = establish(box, one, { sourcePort: 2000 + i });
      expect(ports.has(sourcePort)).toBe(false);
      ports.set(sourcePort, 2000 + i);
    }
    for (const [sourcePort, clientPort] of ports) {
      const got = { ...open(box, one), source: one.vip, destination: s1, sourcePort, destinationPort: one.backendPort };
      expect(readTransport(answer(box, got).output)).toMatchObject({
        source: one.vip,
        sourcePort: PORT,
        destination: one.client,
        destinationPort: clientPort,
        checksum: "right",
      });
    }
  });

  it("ports take turns: those that are claimed one after another are near each other, and none comes back soon", () => {
    const since = performance.now();
    const ports = Array.from({ length: 20 }, (_unused, i) => open(box, one, { sourcePort: 2000 + i }).sourcePort);
    const passed = (performance.now() - since) / 2;
    // The turn may have come round to the lowest port meanwhile: what is left beside the widest gap.
    const sorted = ports.toSorted((a, b) => a - b);
    const gaps = sorted.map((port, i) => (sorted[i + 1] ?? (sorted[0] ?? 0) + 30_976) - port);
    expect(30_976 - Math.max(...gaps)).toBeLessThan(512 + passed + 1);
    expect(new Set(ports).size).toBe(20);
  });

  it("a port is never a service's of the same VIP", () => {
    // Every port but those of one residue is a service's: all that is claimed must be of the others.
    const services = Array.from({ length: 200 }, (_unused, i) =>
      service(1024 + i, [], { address: addressOf(one.vip), protocol: one.protocol }),
    );
    box.serve([serviceOf(one, [s1]), ...services]);
    for (let i = 0; i < 600; i++) {
      const { sourcePort } = open(box, one, { sourcePort: 2000 + i });
      expect(sourcePort).toBeGreaterThanOrEqual(1224);
    }
  });

  it("a packet to the VIP that stands for nobody is the box's own", () => {
    const got = establish(box, one);
    expect(outcome(box, () => answer(box, { ...got, sourcePort: got.sourcePort + 1 }))).toEqual([
      XDP_PASS,
      { passNoService: 1 },
    ]);
    expect(outcome(box, () => answer(box, { ...got, destination: s2 }))).toEqual([XDP_PASS, { passNoService: 1 }]);
    expect(outcome(box, () => answer(box, { ...got, destinationPort: 22 }))).toEqual([XDP_PASS, { passNoService: 1 }]);
    expect(answer(box, got).verdict).toBe(XDP_REDIRECT);
  });

  it("a port that was forgotten is taken again by its own client", () => {
    const got = open(box, one);
    for (const [key] of halfReturns().entries()) halfReturns().delete(key);
    expect(answer(box, got).verdict).toBe(XDP_PASS);
    expect(readTransport(send(box, one).output).sourcePort).toBe(got.sourcePort);
    expect(answer(box, got).verdict).toBe(XDP_REDIRECT);
  });

  it("a port that was forgotten and went to another client is not taken back", () => {
    const got = open(box, one);
    for (const [key, value] of halfReturns().entries()) {
      // The client's port, in network byte order, as another's.
      new DataView(value.buffer, value.byteOffset).setUint16(16, 1);
      halfReturns().update(key, value);
    }
    const again = open(box, one);
    expect(again.sourcePort).not.toBe(got.sourcePort);
    expect(readTransport(answer(box, got).output).destinationPort).toBe(1);
    expect(readTransport(answer(box, again).output).destinationPort).toBe(CLIENT_PORT);
  });

  it("finds no port when all are taken, and one when some are free", () => {
    const ends = { address: addressOf(s1), port: one.backendPort, vip: addressOf(one.vip), protocol: one.protocol };
    const other = { client: addressOf(one.farClient), clientPort: 1, vipPort: PORT, protocol: one.protocol };
    const value = encodeReturnFlow({ ...other, backend: 0, service: 0 });
    const ports = Array.from({ length: 32_000 - 1024 }, (_unused, i) => 1024 + i);
    const keys = concatBytes(ports.map((vipSourcePort) => encodeReturnKey({ ...ends, vipSourcePort })));
    const table = box.object.map("returns");
    table.updateMany(keys, concatBytes(ports.map(() => value)));
    expect(outcome(box, () => send(box, one))).toEqual([XDP_DROP, { dropNoFreePort: 1 }]);
    expect([...box.tables.halfReturns(), ...box.tables.halfOpenFlows(), ...box.tables.udpFlows()]).toEqual([]);
    table.deleteMany(keys.subarray(0, keys.length / 2 - ((keys.length / 2) % MAPS.returns.keyBytes)));
    expect(open(box, one).sourcePort).toBeLessThan(16_600);
  });
});

describe.each(casesWith({ mode: "one-arm", protocol: "tcp" }))("%s: a handshake", (_, one) => {
  const [s1 = ""] = one.backends;

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("an established flow's port is nobody else's, though the half-open tables forget", () => {
    const { sourcePort } = establish(box, one);
    expect([...box.tables.returns()]).toMatchObject([{ address: s1, vipSourcePort: sourcePort, client: one.client }]);
    expect([...box.tables.halfReturns()]).toEqual([]);
    for (let i = 0; i < 2 * FLOWS.half_returns; i++)
      expect(open(box, one, { source: one.farClient, sourcePort: 1024 + i }).sourcePort).not.toBe(sourcePort);
    expect([...box.tables.returns()]).toHaveLength(1);
  });

  it("the client's reset of an answer that was meant for another goes by the new port, when its former connection is over", () => {
    const former = establish(box, one);
    send(box, one, { flags: FIN | ACK });
    answer(box, former, { flags: FIN | ACK });
    const again = open(box, one, { sequence: 9000 });
    expect(again.sourcePort).not.toBe(former.sourcePort);
    // The backend remembers a client that had this port before (RFC 9293 3.10.7.4), and this one says so.
    expect(answer(box, again, { flags: ACK, sequence: 7000, acknowledgement: 1 }).verdict).toBe(XDP_REDIRECT);
    expect(readTransport(send(box, one, { flags: RST, sequence: 1 }).output).sourcePort).toBe(again.sourcePort);
  });

  it("a handshake whose port went to another client meanwhile is not completed", () => {
    const got = open(box, one);
    answer(box, got, { flags: SYN | ACK, sequence: 2000 });
    for (const [key, value] of halfReturns().entries()) {
      new DataView(value.buffer, value.byteOffset).setUint16(16, 1);
      halfReturns().update(key, value);
    }
    const last = () => send(box, one, { flags: ACK, sequence: 1001, acknowledgement: 2001 });
    expect(outcome(box, last)).toEqual([XDP_DROP, { dropNoFlow: 1 }]);
    expect([...box.tables.establishedFlows(), ...box.tables.returns()]).toEqual([]);
  });
});
