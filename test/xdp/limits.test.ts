/** What a service refuses, and what a flood cannot take. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseInterfaceAddress } from "@futago/hal/units/address.ts";
import { encodeNumber } from "@futago/hal/xdp/layout.ts";
import { encodeFlow, encodeFlowKey } from "@futago/hal/xdp/layout-flows.ts";
import { addressOf, createTestBox, FLOWS, type TestBox, XDP_DROP, XDP_REDIRECT } from "./box.ts";
import { answer, CASES, casesWith, establish, open, reached, send, serviceOf, startCase } from "./cases.ts";
import { ACK, FIN, RST, SYN } from "./packet.ts";
import { bootNanos } from "./pins.ts";
import { counted, outcome } from "./talk.ts";
import { isIpv6, readTransport } from "./transport.ts";

let box: TestBox;

beforeAll(async () => {
  box = await createTestBox();
});
afterAll(async () => {
  await box?.destroy();
});

const prefix = (text: string) => parseInterfaceAddress(text)!;
const WENT = [XDP_REDIRECT, {}];

describe.each(CASES)("%s", (_, one) => {
  const [s1 = "", s2 = "", s3 = ""] = one.backends;
  /** Of the client, of all of its network, of somebody far away. */
  const [self = "", net = "", far = ""] = isIpv6(one.vip)
    ? [`${one.client}/128`, "2001:db8:1::/64", "2001:db8:f::/48"]
    : [`${one.client}/32`, "10.1.0.0/24", "198.51.100.0/24"];

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("a client that is denied gets nothing, not even for a flow that runs", () => {
    establish(box, one);
    box.serve([serviceOf(one, [s1], { deny: [prefix(net)] })]);
    const denied = [XDP_DROP, { dropDenied: 1 }];
    expect(outcome(box, () => send(box, one))).toEqual(denied);
    expect(outcome(box, () => send(box, one, { flags: ACK }))).toEqual(denied);
    expect(outcome(box, () => send(box, one, { source: one.farClient }))).toEqual(WENT);
  });

  it("the longest prefix decides, and with an allow list all others are denied", () => {
    box.serve([serviceOf(one, [s1], { deny: [prefix(net)], allow: [prefix(self)] })]);
    expect(outcome(box, () => send(box, one))).toEqual(WENT);
    expect(counted(box, () => send(box, one, { source: one.farClient }))).toEqual({ dropDenied: 1 });
    box.serve([serviceOf(one, [s1], { allow: [prefix(far)] })]);
    expect(counted(box, () => send(box, one))).toEqual({ dropDenied: 1 });
    expect(outcome(box, () => send(box, one, { source: one.farClient }))).toEqual(WENT);
  });

  it("a client over its limit begins nothing new; others, and what runs, do not feel it", () => {
    establish(box, one);
    box.serve([serviceOf(one, [s1], { newFlowsPerSecond: 3 })]);
    const verdicts = Array.from({ length: 6 }, (_unused, i) => send(box, one, { sourcePort: 5000 + i }).verdict);
    expect(verdicts).toEqual([XDP_REDIRECT, XDP_REDIRECT, XDP_REDIRECT, XDP_DROP, XDP_DROP, XDP_DROP]);
    expect(counted(box, () => send(box, one, { sourcePort: 6000 }))).toEqual({ dropSourceLimit: 1 });
    expect(outcome(box, () => send(box, one, { flags: ACK }))).toEqual(WENT);
    expect(outcome(box, () => send(box, one, { source: one.farClient }))).toEqual(WENT);
  });

  it("the limit's tokens come back in time, and no more than a second's", () => {
    box.serve([serviceOf(one, [s1], { newFlowsPerSecond: 4 })]);
    const sources = box.object.map("sources");
    const passed = () => {
      const runs = Array.from({ length: 5 }, (_unused, i) => send(box, one, { sourcePort: 7000 + i }));
      return runs.filter(({ verdict }) => verdict === XDP_REDIRECT).length;
    };
    expect(passed()).toBe(4);
    // As if the last token had been counted so long ago, and no flow were known.
    const age = (nanos: bigint) => {
      for (const [key, value] of sources.entries()) {
        new DataView(value.buffer, value.byteOffset).setBigUint64(0, bootNanos() - nanos, true);
        sources.update(key, value);
      }
      for (const name of ["half_open", "half_returns", "udp_flows"]) {
        const map = box.object.map(name);
        for (const [key] of map.entries()) map.delete(key);
      }
    };
    age(600_000_000n);
    expect(passed()).toBe(2);
    age(60_000_000_000n);
    expect(passed()).toBe(4);
  });

  it("with source persistence a client always gets the same backend", () => {
    box.serve([serviceOf(one, one.backends, { persistence: "source" })]);
    const ofPorts = Array.from({ length: 30 }, (_unused, i) => reached(one, send(box, one, { sourcePort: 9000 + i })));
    expect(new Set(ofPorts).size).toBe(1);
    const ofHosts = Array.from({ length: 40 }, (_unused, i) => {
      const source = isIpv6(one.vip) ? `2001:db8:f::${(i + 1).toString(16)}` : `198.51.100.${i + 1}`;
      return reached(one, send(box, one, { source }));
    });
    expect(new Set(ofHosts)).toEqual(new Set([s1, s2, s3]));
  });
});

describe.each(casesWith({ protocol: "tcp" }))("%s: connections", (_, one) => {
  const [s1 = "", s2 = ""] = one.backends;
  const opened = () => {
    const [entry] = box.tables.read().filter(({ kind }) => kind === "service");
    const first = entry?.kind === "service" ? entry.index * 128 : -1;
    const at = (map: string, number: number) => {
      const value = box.object.map(map).lookup(encodeNumber(number))!;
      return Number(new DataView(value.buffer, value.byteOffset).getBigInt64(0, true));
    };
    return [0, 1].map((ordinal) => at("backend_opened", first + ordinal) - at("backend_closed", first + ordinal));
  };

  beforeEach(() => {
    startCase(box, one);
    box.serve([]);
  });

  it("are counted at their backend, and once when a new one takes the place of an old one", () => {
    box.serve([serviceOf(one, [s1, [s2, { weight: 0 }]])]);
    const before = opened();
    const since = () => opened().map((count, i) => count - (before[i] ?? 0));
    establish(box, one);
    establish(box, one, { sourcePort: 41_000 });
    expect(since()).toEqual([2, 0]);
    box.serve([serviceOf(one, [[s1, { weight: 0 }], s2])]);
    const again = open(box, one, { sequence: 9000 });
    if (one.mode !== "direct") answer(box, again, { flags: SYN | ACK, sequence: 2000 });
    send(box, one, { flags: ACK, sequence: 9001, acknowledgement: 2001 });
    expect(since()).toEqual([1, 1]);
  });

  it("count no more once both ends have finished, or one has reset them", () => {
    box.serve([serviceOf(one, [s1])]);
    const before = opened();
    const since = () => (opened()[0] ?? 0) - (before[0] ?? 0);
    const got = establish(box, one);
    establish(box, one, { sourcePort: 41_000 });
    send(box, one, { flags: ACK | FIN, sequence: 1001, acknowledgement: 2001 });
    // In `direct` the box does not see the backend's end, and does not wait for it.
    expect(since()).toBe(one.mode === "direct" ? 1 : 2);
    if (one.mode !== "direct") {
      answer(box, got, { flags: ACK | FIN, sequence: 2001, acknowledgement: 1002 });
    }
    expect(since()).toBe(1);
    // Late packets change nothing.
    send(box, one, { flags: ACK | FIN, sequence: 1001, acknowledgement: 2001 });
    send(box, one, { flags: RST, sequence: 1002 });
    expect(since()).toBe(1);
    send(box, one, { sourcePort: 41_000, flags: RST, sequence: 1001 });
    send(box, one, { sourcePort: 41_000, flags: RST, sequence: 1001 });
    expect(since()).toBe(0);
    // The same ends again, in the place of what is over.
    const again = open(box, one, { sequence: 5000 });
    if (one.mode !== "direct") answer(box, again, { flags: SYN | ACK, sequence: 2000 });
    send(box, one, { flags: ACK, sequence: 5001, acknowledgement: 2001 });
    expect(since()).toBe(1);
  });

  it("go to another backend when theirs is full, and nowhere when all are", () => {
    box.serve([
      serviceOf(one, [
        [s1, { flowsMax: 2 }],
        [s2, { flowsMax: 2 }],
      ]),
    ]);
    const clear = box.object.map("backend_opened");
    for (const [key] of clear.entries()) clear.update(key, new Uint8Array(8));
    for (let i = 0; i < 4; i++) establish(box, one, { sourcePort: 3000 + i });
    const open4 = [...box.tables.establishedFlows()].map(({ address }) => String(address));
    expect(open4.toSorted()).toEqual([s1, s1, s2, s2].toSorted());
    expect(counted(box, () => send(box, one, { sourcePort: 3100 }))).toEqual({ dropBackendFull: 1 });
    for (let i = 0; i < 4; i++)
      expect(outcome(box, () => send(box, one, { sourcePort: 3000 + i, flags: ACK }))).toEqual(WENT);
  });

  it("that find the table full go on all the same", () => {
    box.serve([serviceOf(one, [s1])]);
    const table = box.object.map("established");
    const standing = {
      address: addressOf(s2),
      backend: 77,
      port: 1,
      vipSourcePort: 0,
      expectedAck: 0,
      flags: 0,
      seenNanos: 0n,
    };
    for (let i = 0; i < FLOWS.established; i++) {
      const ends = {
        client: addressOf(s2),
        clientPort: i,
        vip: addressOf(one.vip),
        vipPort: 9,
        protocol: "tcp" as const,
      };
      table.update(encodeFlowKey(ends), encodeFlow({ ...ends, ...standing }));
    }
    const got = open(box, one);
    if (one.mode !== "direct") answer(box, got, { flags: SYN | ACK, sequence: 2000 });
    const last = () => send(box, one, { flags: ACK, sequence: 1001, acknowledgement: 2001 });
    expect(outcome(box, last)).toEqual([XDP_REDIRECT, { tableRefused: 1 }]);
    expect(reached(one, send(box, one, { flags: ACK, sequence: 1001 + 9, acknowledgement: 2009 }))).toBe(s1);
    const reply = one.mode === "direct" ? XDP_REDIRECT : answer(box, got, { payload: Uint8Array.of(1) }).verdict;
    expect(reply).toBe(XDP_REDIRECT);
    expect([...box.tables.returns()]).toEqual([]);
    expect([...box.tables.establishedFlows()]).toHaveLength(FLOWS.established);
  });
});

describe.each(casesWith({ protocol: "tcp" }))("%s: a flood", (_, one) => {
  const [s1 = ""] = one.backends;

  beforeEach(() => {
    startCase(box, one);
    box.serve([serviceOf(one, [s1])]);
  });

  it("a flood of first packets from everywhere leaves the flows that run alone", () => {
    establish(box, one);
    for (let i = 0; i < 1200; i++) {
      const source = isIpv6(one.vip) ? `2001:db8:f::${(i + 1).toString(16)}` : `198.18.${i >> 8}.${i & 0xff}`;
      const got = open(box, one, { source, sourcePort: 1024 + i });
      if (one.mode !== "direct" && i % 2 === 0) answer(box, got, { flags: SYN | ACK });
    }
    expect([...box.tables.establishedFlows()]).toHaveLength(1);
    expect(reached(one, send(box, one, { flags: ACK }))).toBe(s1);
    expect([...box.tables.halfOpenFlows()].length).toBeLessThanOrEqual(FLOWS.half_open);
    expect([...box.tables.halfReturns()].length).toBeLessThanOrEqual(FLOWS.half_returns);
  });
});

describe.each(CASES)("%s: a service", (_, one) => {
  const [s1 = ""] = one.backends;
  const other = isIpv6(one.vip) ? "2001:db8:1::a" : "10.1.0.10";

  beforeEach(() => {
    startCase(box, one);
    box.serve([]);
  });

  /** Opens a flow as a client of its own port, and says what was counted. */
  const begin = (sourcePort: number, source = one.client) =>
    counted(box, () => {
      const { verdict, output } = send(box, one, { source, sourcePort });
      if (verdict !== XDP_REDIRECT) return;
      if (one.mode !== "direct") answer(box, readTransport(output), { flags: SYN | ACK, sequence: 2000 });
      if (one.protocol === "tcp")
        send(box, one, { source, sourcePort, flags: ACK, sequence: 1001, acknowledgement: 2001 });
    });

  it("takes no more flows than it may have open", () => {
    box.serve([serviceOf(one, [s1], { flowsMax: 3 })]);
    expect([1, 2, 3, 4].map((i) => begin(3000 + i))).toEqual([{}, {}, {}, { dropServiceFull: 1 }]);
    // What is open goes on.
    expect(outcome(box, () => send(box, one, { sourcePort: 3001, flags: ACK }))).toEqual([XDP_REDIRECT, {}]);
  });

  it("takes no more flows of one client than it may have open, and those of others", () => {
    box.serve([serviceOf(one, [s1], { clientFlowsMax: 2 })]);
    expect([1, 2, 3].map((i) => begin(3000 + i))).toEqual([{}, {}, { dropClientFull: 1 }]);
    expect(begin(3001, other)).not.toHaveProperty("dropClientFull");
  });
});

describe.each(casesWith({ protocol: "tcp" }))("%s: a service that is full", (_, one) => {
  it("takes flows again when others have ended", () => {
    startCase(box, one);
    box.serve([]);
    box.serve([serviceOf(one, one.backends.slice(0, 1), { flowsMax: 1, clientFlowsMax: 1 })]);
    establish(box, one, { sourcePort: 3001 });
    expect(counted(box, () => send(box, one, { sourcePort: 3002 }))).toEqual({ dropServiceFull: 1 });
    send(box, one, { sourcePort: 3001, flags: RST, sequence: 1001 });
    expect(counted(box, () => establish(box, one, { sourcePort: 3002 }))).toEqual({});
    expect(counted(box, () => send(box, one, { sourcePort: 3003 }))).toEqual({ dropServiceFull: 1 });
  });
});

describe.each(casesWith({ mode: "nat", protocol: "udp" }))("%s: a sender whose backend never answers", (_, one) => {
  it("counts once for the limit of new flows, and keeps its backend", () => {
    startCase(box, one);
    box.serve([serviceOf(one, one.backends, { newFlowsPerSecond: 2 })]);
    const first = reached(one, send(box, one));
    for (let i = 0; i < 20; i++) expect(outcome(box, () => send(box, one))).toEqual([XDP_REDIRECT, {}]);
    expect(reached(one, send(box, one))).toBe(first);
    expect(counted(box, () => send(box, one, { sourcePort: 41_001 }))).toEqual({});
    expect(counted(box, () => send(box, one, { sourcePort: 41_002 }))).toEqual({ dropSourceLimit: 1 });
    // A ring without it does not move it: it is remembered.
    box.serve([
      serviceOf(
        one,
        one.backends.map((address) => [address, { draining: address === first }] as const),
        { newFlowsPerSecond: 2 },
      ),
    ]);
    expect(reached(one, send(box, one))).toBe(first);
  });
});
