/** TCP handshakes, what begins anew and what ends, in every mode and family. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestBox, GROUP, type TestBox, XDP_PASS, XDP_REDIRECT, XDP_TX } from "./box.ts";
import { answer, CASES, casesWith, establish, open, reached, send, serviceOf, startCase } from "./cases.ts";
import { decodeFlowEvent, FLOW_EVENT_BYTES, type FlowEvent } from "@futago/hal/xdp/layout-flows.ts";
import { ACK, FIN, PSH, RST, SYN } from "./packet.ts";
import { outcome } from "./talk.ts";
import { readTransport } from "./transport.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});
afterAll(async () => {
  await box?.destroy();
});

const FLOW_REOPENED = 1;
const FLOW_CLIENT_FIN = 2;
const FLOW_CLOSED = 64;
const FLOW_BACKEND_FIN = 4;
const FLOW_RESET = 8;
/** The box sees both directions of these. */
const THROUGH = CASES.filter(([, { mode }]) => mode !== "direct");
const BYTES = Uint8Array.of(1, 2, 3, 4, 5);
const established = () => [...box.tables.establishedFlows()];
const halfOpen = () => [...box.tables.halfOpenFlows()];

describe.each(casesWith({ protocol: "tcp" }))("%s: the handshake", (_, one) => {
  const [s1 = "", s2 = ""] = one.backends;
  const isDirect = one.mode === "direct";

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("is complete by the acknowledgement of the SYN-ACK and by nothing else", () => {
    const got = open(box, one);
    expect(halfOpen()).toHaveLength(one.mode === "nat" ? 0 : 1);
    const wrong = isDirect ? { sequence: 1002 } : { acknowledgement: 2001 };
    send(box, one, { flags: ACK, ...wrong });
    if (!isDirect) answer(box, got, { flags: SYN | ACK, sequence: 2000 });
    for (const flags of [RST | ACK, SYN | ACK, PSH]) {
      send(box, one, { flags, sequence: 1001, acknowledgement: 2001 });
    }
    send(box, one, { flags: ACK, sequence: isDirect ? 1000 : 1001, acknowledgement: 2000 });
    expect(established()).toEqual([]);
    send(box, one, { flags: ACK | PSH, sequence: 1001, acknowledgement: 2001, payload: BYTES });
    expect(established()).toMatchObject([{ address: s1, flags: 0 }]);
    expect(halfOpen()).toEqual([]);
  });

  it("is told to the peer once", () => {
    const told: FlowEvent[] = [];
    const events = box.object.events("flow_events", FLOW_EVENT_BYTES, (records) => {
      for (let at = 0; at < records.length; at += FLOW_EVENT_BYTES)
        told.push(decodeFlowEvent(records.subarray(at, at + FLOW_EVENT_BYTES)));
    });
    try {
      events.drain();
      told.length = 0;
      establish(box, one);
      send(box, one, { flags: ACK, sequence: 1001, acknowledgement: 2001 });
      events.drain();
    } finally {
      events.close();
    }
    expect(told).toMatchObject([{ kind: "established", flow: established()[0] }]);
  });

  it("ends are marked, each side's and resets", () => {
    const got = establish(box, one);
    send(box, one, { flags: FIN | ACK });
    // In `direct` the box does not see what the backend says: with the client's end it counts as closed.
    expect(established()).toMatchObject([{ flags: FLOW_CLIENT_FIN | (isDirect ? FLOW_CLOSED : 0) }]);
    const backendFin = FLOW_CLOSED | (isDirect ? 0 : FLOW_BACKEND_FIN);
    if (!isDirect) answer(box, got, { flags: FIN | ACK });
    expect(established()).toMatchObject([{ flags: FLOW_CLIENT_FIN | backendFin }]);
    if (isDirect) send(box, one, { flags: RST });
    else answer(box, got, { flags: RST });
    expect(established()).toMatchObject([{ flags: FLOW_CLIENT_FIN | backendFin | FLOW_RESET }]);
  });

  it("of a new connection from the same port takes the old one's place only when it is complete", () => {
    establish(box, one);
    box.serve([serviceOf(one, [[s1, { weight: 0 }], s2])]);
    const again = open(box, one, { sequence: 9000 });
    if (!isDirect) answer(box, again, { flags: SYN | ACK, sequence: 7000 });
    expect(established()).toMatchObject([{ address: s1, flags: FLOW_REOPENED }]);
    expect(reached(one, send(box, one, { flags: ACK, sequence: 5000, acknowledgement: 1 }))).toBe(s1);
    expect(reached(one, send(box, one, { flags: ACK, sequence: 9001, acknowledgement: 7001 }))).toBe(s2);
    expect(established()).toMatchObject([{ address: s2, flags: 0 }]);
    expect([...box.tables.returns()]).toHaveLength(one.mode === "one-arm" ? 1 : 0);
  });

  it("of a SYN that is sent again goes to the same backend by the same port", () => {
    const first = open(box, one);
    if (!isDirect) answer(box, first, { flags: SYN | ACK, sequence: 2000 });
    box.serve([serviceOf(one, [[s1, { weight: 0 }], s2])]);
    const again = send(box, one);
    expect(reached(one, again)).toBe(s1);
    expect(readTransport(again.output).sourcePort).toBe(first.sourcePort);
  });

  it("without the lease's `answer` does not begin, and what runs goes on", () => {
    establish(box, one);
    box.groups.set(GROUP, 2);
    expect(outcome(box, () => send(box, one, { sourcePort: 41_000 }))).toEqual([XDP_PASS, { passNewFlowClosed: 1 }]);
    expect(outcome(box, () => send(box, one, { flags: ACK }))).toEqual([XDP_REDIRECT, {}]);
  });

  it("with a backend that died ends with a reset to the client, and a new one begins with another", () => {
    establish(box, one);
    box.serve([serviceOf(one, [[s1, { alive: false }], s2])]);
    const run = outcome(box, () => {
      const reset = send(box, one, { flags: ACK, sequence: 1001, acknowledgement: 2001 });
      expect(readTransport(reset.output)).toMatchObject({
        source: one.vip,
        destination: one.client,
        checksum: "right",
      });
      expect(readTransport(reset.output).flags & RST).toBe(RST);
      return reset;
    });
    expect(run).toEqual([XDP_TX, { dropDeadBackend: 1, sentReset: 1 }]);
    expect(established()).toMatchObject([{ flags: FLOW_RESET | FLOW_CLOSED }]);
    expect(reached(one, send(box, one, { sequence: 9000 }))).toBe(s2);
  });
});

describe.each(THROUGH.filter(([, { protocol }]) => protocol === "tcp"))("%s: a handshake", (_, one) => {
  const [s1 = ""] = one.backends;

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("that the box saw only a part of is complete when the backend sends data", () => {
    const got = open(box, one);
    answer(box, got, { flags: SYN | ACK, sequence: 2000 });
    for (let i = 0; i < 60; i++) answer(box, got, { flags: ACK, sequence: 2001, acknowledgement: i });
    expect(established()).toEqual([]);
    for (let i = 0; i < 60; i++) answer(box, got, { flags: ACK, sequence: 2001 + i, payload: BYTES });
    expect(established()).toMatchObject([{ address: s1 }]);
    expect([...box.tables.returns()]).toHaveLength(one.mode === "one-arm" ? 1 : 0);
  });
});
