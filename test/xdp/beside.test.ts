/** `nat` for clients in the backend's own subnet: served as in `one-arm`, or their answers would go past the box. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestRun } from "@futago/hal/contract/bpf.ts";
import { createTestBox, type TestBox, XDP_DROP, XDP_REDIRECT, XDP_TX } from "./box.ts";
import { answer, type Case, casesWith, CLIENT_PORT, PORT, send, serviceOf, startCase } from "./cases.ts";
import { ACK, FIN, RST, SYN } from "./packet.ts";
import { outcome } from "./talk.ts";
import { readTransport, type TransportFields, transportFrame } from "./transport.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});
afterAll(async () => {
  await box?.destroy();
});

describe.each(casesWith({ mode: "nat" }))("%s, a client beside the backend", (_, one) => {
  // The third backend of the case is the client here.
  const [s1 = "", , client = ""] = one.backends;
  const bits = one.vip.includes(":") ? 64 : 24;
  const serve = (subnetBits: number) => box.serve([serviceOf(one, [[s1, { subnetBits }]])]);

  beforeEach(() => {
    startCase(box, one);
    serve(bits);
  });

  const ask = (fields: Partial<TransportFields> = {}): TestRun =>
    box.fromBackend(
      transportFrame({
        protocol: one.protocol,
        source: client,
        destination: one.vip,
        sourcePort: CLIENT_PORT,
        destinationPort: PORT,
        flags: SYN,
        ...fields,
      }),
    );

  it("speaks to the backend from a port of the VIP, and hears the VIP", () => {
    const request = ask();
    expect(request.verdict).toBe(XDP_TX);
    const got = readTransport(request.output);
    const { destination, destinationPort, source, checksum } = got;
    expect({ destination, destinationPort, source, checksum }).toEqual({
      destination: s1,
      destinationPort: one.backendPort,
      source: one.vip,
      checksum: "right",
    });
    expect(got.sourcePort).toBeGreaterThanOrEqual(1024);
    expect(got.sourcePort).toBeLessThanOrEqual(31_999);
    const reply = answer(box, got, { flags: SYN | ACK });
    expect(reply.verdict).toBe(XDP_TX);
    expect(readTransport(reply.output)).toMatchObject({
      source: one.vip,
      sourcePort: PORT,
      destination: client,
      destinationPort: CLIENT_PORT,
      checksum: "right",
    });
  });

  it("keeps its port for the whole connection, to its end", () => {
    const got = readTransport(ask().output);
    answer(box, got, { flags: SYN | ACK, sequence: 2000 });
    for (const flags of [ACK, ACK, ACK | FIN]) {
      const { output } = ask({ flags, sequence: 1001, acknowledgement: 2001 });
      expect(readTransport(output)).toMatchObject({ source: one.vip, sourcePort: got.sourcePort, checksum: "right" });
      expect(readTransport(answer(box, got, { flags }).output)).toMatchObject({ destination: client });
    }
    expect(flowsOf(one)).toBe(1);
  });

  it("may be the backend itself", () => {
    const got = readTransport(ask({ source: s1 }).output);
    expect(got).toMatchObject({ source: one.vip, destination: s1 });
    expect(readTransport(answer(box, got, { flags: SYN | ACK }).output)).toMatchObject({
      source: one.vip,
      sourcePort: PORT,
      destination: s1,
      destinationPort: CLIENT_PORT,
    });
  });

  it("does not change the way of the others", () => {
    const { verdict, output } = send(box, one);
    expect(verdict).toBe(XDP_REDIRECT);
    expect(readTransport(output)).toMatchObject({ source: one.client, sourcePort: CLIENT_PORT, destination: s1 });
  });

  it("is a matter of every bit of the subnet", () => {
    const last = bits === 24 ? 32 : 128;
    serve(last);
    expect(readTransport(ask().output)).toMatchObject({ source: client });
    expect(readTransport(ask({ source: s1 }).output)).toMatchObject({ source: one.vip });
    // .11 and .13 differ in the sixth and seventh bit of the last byte: 1011, 1101.
    box.forget();
    serve(last - 2);
    expect(readTransport(ask({ sourcePort: 40_001 }).output)).toMatchObject({ source: client });
    serve(last - 3);
    expect(readTransport(ask({ sourcePort: 40_002 }).output)).toMatchObject({ source: one.vip });
  });

  it("is dropped in the midst of a connection that nobody knows; UDP has no midst", () => {
    expect(outcome(box, () => ask({ flags: ACK }))).toEqual(
      one.protocol === "tcp" ? [XDP_DROP, { dropNoFlow: 1 }] : [XDP_TX, {}],
    );
  });

  it("begins anew, or is told so, when its backend died", () => {
    const [, s2 = ""] = one.backends;
    const got = readTransport(ask().output);
    answer(box, got, { flags: SYN | ACK, sequence: 2000 });
    ask({ flags: ACK, sequence: 1001, acknowledgement: 2001 });
    box.serve([
      serviceOf(one, [
        [s1, { subnetBits: bits, alive: false }],
        [s2, { subnetBits: bits }],
      ]),
    ]);
    const { verdict, output } = ask({ flags: ACK, sequence: 1001, acknowledgement: 2001 });
    const { source, destination, flags } = readTransport(output);
    const isReset = source === one.vip && destination === client && flags === RST;
    expect([verdict, isReset ? "reset" : destination]).toEqual([XDP_TX, one.protocol === "udp" ? s2 : "reset"]);
  });
});

function flowsOf(one: Case): number {
  return [...box.object.map(one.protocol === "tcp" ? "established" : "udp_flows").entries()].length;
}
